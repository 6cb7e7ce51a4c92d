/** `losslog why`. */

import { LosslogError } from '../base/errors.ts';
import { escapeJson } from '../base/escape.ts';
import { parseSocketAddress } from '../base/socket-address.ts';
import { connectionStory, explainPeriod, type Incident, incidentJson, storyJson } from '../explain/explain.ts';
import { hostNetns } from '../linux/host-netns.ts';
import { StoreReader } from '../store/reader.ts';
import { storeDir } from './default-store.ts';
import { type filterFlags, toFilter } from './filters.ts';
import type { ValuesOf } from './flag.ts';
import { incidentText } from './incident-text.ts';
import { type Output, talk } from './output.ts';
import { remarks } from './remarks.ts';
import { storyText } from './story-text.ts';

type Values = ValuesOf<typeof filterFlags> & { store?: string; limit?: number; json?: true };

const DEFAULT_LIMIT = 10;

/** Prints what was lost by its causes, the greatest harm first; with two ends, the story of their connection. */
export async function why(values: Values, output: Output, words: readonly string[]): Promise<number> {
  if (words.length > 0) return await story(values, output, words);
  const { all, ...conditions } = values;
  const filter = toFilter(conditions);
  const limit = values.limit ?? DEFAULT_LIMIT;
  const reader = StoreReader.open(storeDir(values.store));
  try {
    const found = explainPeriod(reader, filter, hostNetns());
    const incidents = all ? found : found.filter(({ harmless }) => !harmless);
    const shown = limit === 0 ? incidents : incidents.slice(0, limit);
    const texts = shown.map((incident, i) =>
      values.json
        ? `${escapeJson(incidentJson(incident))}\n`
        : `${i === 0 ? '' : '\n'}${incidentText(incident, i + 1, output)}`,
    );
    await output.writeAndWait(texts.join(''));
    const left = incidents.length - shown.length;
    if (left > 0)
      talk(`${left} lesser ${left === 1 ? 'incident is' : 'incidents are'} not shown (--limit 0 shows all)`);
    if (found.length > incidents.length) talk(harmlessText(found.filter(({ harmless }) => harmless)));
    for (const line of remarks(reader, { ...filter, all: true }, { empty: found.length === 0 })) talk(line);
  } finally {
    reader.close();
  }
  return 0;
}

/** `7 segments were sent again without need and cost nothing (--all shows them)` */
function harmlessText(incidents: readonly Incident[]): string {
  const segments = incidents.reduce((sum, { amount }) => sum + amount.segments, 0);
  const what = segments === 1 ? '1 segment was' : `${segments} segments were`;
  return `${what} sent again without need, which did no harm (--all shows ${incidents.length === 1 ? 'it' : 'them'})`;
}

async function story(values: Values, output: Output, words: readonly string[]): Promise<number> {
  const [a, b, ...more] = words.map(parseSocketAddress);
  if (!a || !b || more.length > 0) {
    throw new LosslogError('USAGE', 'a connection has two ends', {
      hint: 'give them like 10.0.0.2:45678 10.0.0.9:443',
    });
  }
  const { since, until } = toFilter(values);
  const reader = StoreReader.open(storeDir(values.store));
  try {
    const period = { ...(since === undefined ? {} : { since }), ...(until === undefined ? {} : { until }) };
    const told = connectionStory(reader, a, b, period, hostNetns());
    await output.writeAndWait(values.json ? `${escapeJson(storyJson(told))}\n` : storyText(told));
    for (const line of remarks(reader, { ...period, all: true }, { empty: told.steps.length === 0 })) talk(line);
  } finally {
    reader.close();
  }
  return 0;
}
