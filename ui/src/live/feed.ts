/** The live stream while it is shown: added up as it comes, shown a few times a second. */

import { effect, signal } from '@preact/signals';
import { type ApiProblem, asProblem, request } from '../api/client.ts';
import { type Message, readMessages } from '../api/event-stream.ts';
import type { JsonEvent } from '../api/types.ts';
import { filterParameters, type Parameters } from '../state/query.ts';
import { clockAhead, view } from '../state/view.ts';
import { LiveTally } from './tally.ts';

export type FeedState = 'connecting' | 'open' | 'broken';

export const feedState = signal<FeedState>('connecting');
export const feedProblem = signal<ApiProblem | undefined>(undefined);
/** Made anew with each stream. */
export const tally = signal(new LiveTally());
/** Stops what is shown, not what is counted. */
export const isPaused = signal(false);

/** Now by the server's clock. */
export const serverNow = (): number => Date.now() + clockAhead.peek();

const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 10_000;

effect(() => {
  if (view.value.tab !== 'live') return undefined;
  const parameters = filterParameters.value;
  const abort = new AbortController();
  tally.value = new LiveTally();
  void follow(parameters, abort.signal);
  return () => abort.abort();
});

/** Reads the stream, and begins again when it breaks. */
async function follow(parameters: Parameters, abort: AbortSignal): Promise<void> {
  for (let wait = FIRST_WAIT_MS; !abort.aborted; wait = Math.min(LONGEST_WAIT_MS, wait * 2)) {
    feedState.value = 'connecting';
    try {
      const response = await request('live', parameters, abort);
      feedState.value = 'open';
      feedProblem.value = undefined;
      wait = FIRST_WAIT_MS;
      await readMessages(response, take);
    } catch (error) {
      if (abort.aborted) return;
      feedProblem.value = asProblem(error);
    }
    feedState.value = 'broken';
    await new Promise((resolve) => setTimeout(resolve, wait));
  }
}

function take({ event, data }: Message): void {
  const into = tally.peek();
  if (event === 'events') into.add(JSON.parse(data) as JsonEvent[], serverNow());
  else if (event === 'lost') into.lost += (JSON.parse(data) as { count: number }).count;
}
