/** `losslog why`. */

import { escapeJson } from '../base/escape.ts';
import { explainPeriod, incidentJson } from '../explain/explain.ts';
import { StoreReader } from '../store/reader.ts';
import { storeDir } from './default-store.ts';
import { type filterFlags, toFilter } from './filters.ts';
import type { ValuesOf } from './flag.ts';
import { hostNetns } from './host-netns.ts';
import { incidentText } from './incident-text.ts';
import { type Output, talk } from './output.ts';
import { remarks } from './remarks.ts';

type Values = Omit<ValuesOf<typeof filterFlags>, 'all'> & { store?: string; limit?: number; json?: true };

const DEFAULT_LIMIT = 10;

/** Prints what was lost by its causes, the greatest harm first. */
export async function why(values: Values, output: Output): Promise<number> {
  const filter = toFilter(values);
  const limit = values.limit ?? DEFAULT_LIMIT;
  const reader = StoreReader.open(storeDir(values.store));
  try {
    const incidents = explainPeriod(reader, filter, hostNetns());
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
    for (const line of remarks(reader, { ...filter, all: true }, { empty: incidents.length === 0 })) talk(line);
  } finally {
    reader.close();
  }
  return 0;
}
