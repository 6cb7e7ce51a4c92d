/** What one slice counts in all, for counters that grow as the store does. */

import { COVERAGE_STATES, DROP_CLASSES, KINDS, type Kind } from '../event/kinds.ts';
import { NO_STRING } from './rollup.ts';
import { enumCode } from './schema.ts';
import type { DropClass } from './series.ts';
import type { SliceReader } from './slice-reader.ts';
import { addEvents, addRollups, hasRollup, Tally } from './tally.ts';

export const TOTALS_BY = ['process', 'container'] as const;
export type TotalsBy = (typeof TOTALS_BY)[number];

export interface LossTotal {
  kind: Kind;
  /** Cause, reason or counter; absent where unknown. */
  what?: string;
  class?: DropClass;
  /** Segments of retransmissions, packets of drops, resets, growth of counters. */
  count: number;
}

export interface KeyTotal {
  by: TotalsBy;
  /** Absent where unknown. */
  key?: string;
  segments: number;
  /** Without benign ones. */
  drops: number;
  resets: number;
}

export interface SliceTotals {
  file: string;
  /** It will not change any more. */
  isSealed: boolean;
  losses: LossTotal[];
  keys: KeyTotal[];
  /** Events that coverage tells of, by its state. */
  lost: number;
  limited: number;
}

export function totalsOf(slice: SliceReader, by: readonly TotalsBy[]): SliceTotals {
  return {
    file: slice.slice.file,
    isSealed: slice.extent.sealed === 1,
    losses: lossesOf(slice),
    keys: by.flatMap((dimension) => keysOf(slice, dimension)),
    lost: coverageOf(slice, 'lost'),
    limited: coverageOf(slice, 'limited'),
  };
}

function lossesOf(slice: SliceReader): LossTotal[] {
  const rows = slice.all(
    'SELECT kind, what, class, sum(max(events, segments)) FROM minute GROUP BY 1, 2, 3',
  ) as unknown as number[][];
  return rows.map(([kind = 0, what, dropClass = 0, count = 0]) => ({
    kind: KINDS[kind - 1] as Kind,
    ...(what === NO_STRING ? {} : { what: slice.stringOf(what as number) }),
    ...(dropClass === 0 ? {} : { class: DROP_CLASSES[dropClass - 1] as DropClass }),
    count,
  }));
}

function keysOf(slice: SliceReader, by: TotalsBy): KeyTotal[] {
  const tally = new Tally();
  if (hasRollup(slice, by)) addRollups(tally, slice, by, false);
  else addEvents(tally, slice, {}, by);
  return tally.top(Number.MAX_SAFE_INTEGER).map(({ key, segments, retransmissions, drops, resets }) => ({
    by,
    ...(key === undefined ? {} : { key }),
    segments: Math.max(segments, retransmissions),
    drops,
    resets,
  }));
}

/** Comparisons with the kernel's counters are not counted: they say the same of the same events once more. */
function coverageOf(slice: SliceReader, state: (typeof COVERAGE_STATES)[number]): number {
  const table = slice.kinds.get('coverage');
  if (!table) return 0;
  const code = enumCode({ values: COVERAGE_STATES }, state);
  const isTold = table.columns.has('counter') ? 'AND counter IS NULL' : '';
  const [[sum] = []] = slice.all(`SELECT ifnull(sum("count"), 0) FROM coverage WHERE state = ${code} ${isTold}`);
  return sum as number;
}
