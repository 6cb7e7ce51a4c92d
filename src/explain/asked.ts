/** Where in a period the events are that a filter asks for: what explains them is sought around there only. */

import { type WallNs, wallNs } from '../base/time.ts';
import type { Filter } from '../event/filter.ts';
import type { Selection, StoreReader } from '../store/store.ts';
import type { Sample } from './sampling.ts';
import { WINDOW_NS } from './timing.ts';

interface Time {
  readonly at: number;
}

const KINDS = ['retransmit', 'drop', 'reset', 'counter', 'summary'] as const;
/** More stretches than this are read as one: each costs some milliseconds. */
const MAX_STRETCHES = 100;

/** @returns stretches in order, so far apart that what is read for one is not read for another. */
export function stretchesOf(reader: StoreReader, filter: Filter, since: WallNs, until: WallNs, base: WallNs): Sample[] {
  const period = { since, until };
  const selections = KINDS.filter((kind) => filter.kinds?.includes(kind) ?? true).map(
    (kind): Selection<Time> => ({ kind, columns: [], filter: { ...filter, ...period }, make: ([at]) => ({ at }) }),
  );
  const stretches: { from: number; to: number }[] = [];
  for (const batch of reader.scan(selections, period, base)) {
    for (const { at } of batch) {
      const last = stretches.at(-1);
      if (last && at - last.to < 3 * WINDOW_NS) last.to = Math.max(last.to, at);
      else stretches.push({ from: at, to: at });
    }
    if (stretches.length > MAX_STRETCHES) return [{ since, until, weight: 1 }];
  }
  // a drop that is asked for may explain what comes long after it
  const after = filter.reason === undefined && filter.location === undefined ? 1 : WINDOW_NS;
  return stretches.map(({ from, to }) => {
    const end = wallNs(base + BigInt(to + after));
    return { since: wallNs(base + BigInt(from)), until: end < until ? end : until, weight: 1 };
  });
}
