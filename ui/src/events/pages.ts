/** The list of events as far as it has been scrolled: page after page, up to a bound. */

import { computed, effect, signal } from '@preact/signals';
import { type ApiProblem, asProblem, get } from '../api/client.ts';
import type { EventPage, JsonEvent } from '../api/types.ts';
import { afterNs } from '../format/time.ts';
import { newestPage, PAGE_EVENTS } from '../state/data.ts';
import type { Request } from '../state/resource.ts';

/** Beyond that nobody scrolls: a shorter period or a filter finds more. */
export const MOST_EVENTS = 20_000;

interface More {
  readonly of: Request | undefined;
  readonly events: readonly JsonEvent[];
  readonly hasMore: boolean;
  readonly problem?: ApiProblem;
}

const later = signal<More>({ of: undefined, events: [], hasMore: false });
let running: AbortController | undefined;
/** While a page is under way. */
const isFetching = signal(false);

effect(() => {
  const { data, of } = newestPage.value;
  running?.abort();
  isFetching.value = false;
  // Of an incident there is one page only.
  later.value = { of, events: [], hasMore: (data?.more ?? false) && of?.path === 'events' };
});

export const events = computed<readonly JsonEvent[]>(() => {
  const first = newestPage.value.data?.events ?? [];
  return later.value.events.length === 0 ? first : [...first, ...later.value.events];
});

export const hasMore = computed(() => later.value.hasMore && events.value.length < MOST_EVENTS);
export const isCut = computed(() => later.value.hasMore && events.value.length >= MOST_EVENTS);
export const moreProblem = computed(() => later.value.problem);

/** Fetches the page after the last one. */
export async function fetchMore(): Promise<void> {
  const { of } = later.value;
  const last = events.value.at(-1);
  if (!of || !last || !hasMore.value || isFetching.value || later.value.problem) return;
  isFetching.value = true;
  running = new AbortController();
  const { signal: abort } = running;
  try {
    const page = await get<EventPage>(of.path, nextParameters(of, last), abort);
    if (abort.aborted) return;
    const fresh = page.events.filter((event) => !isKnown(event));
    later.value = { of, events: [...later.value.events, ...fresh], hasMore: page.more && fresh.length > 0 };
  } catch (error) {
    if (!abort.aborted) later.value = { ...later.value, problem: asProblem(error) };
  } finally {
    if (!abort.aborted) isFetching.value = false;
  }
}

/** From the last known event on, itself once more: several may bear the same time. */
function nextParameters({ parameters }: Request, { time }: JsonEvent): Record<string, string> {
  const border = parameters.order === 'oldest' ? { since: time } : { until: afterNs(time) };
  return { ...parameters, ...border, limit: String(PAGE_EVENTS) };
}

function isKnown(event: JsonEvent): boolean {
  const text = JSON.stringify(event);
  for (let at = events.value.length - 1; at >= 0; at--) {
    const known = events.value[at] as JsonEvent;
    if (known.time !== event.time) return false;
    if (JSON.stringify(known) === text) return true;
  }
  return false;
}
