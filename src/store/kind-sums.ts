/**
 * Counts of a kind's events by several columns at once. The columns are read as texts in one pass and counted here: SQLite
 * groups by sorting, which takes three times as long where tens of thousands of events pass the filter, and once for each column.
 */

import { fieldsOf, type Kind } from '../event/kinds.ts';
import type { Plan } from './plan.ts';
import { hasOwner, quoted } from './schema.ts';
import type { SliceReader } from './slice-reader.ts';

export type Counts = readonly [events: number, segments: number, bytes: number];

/** Counts by the value of a column as it is stored. */
export type Sums = ReadonlyMap<number | null, Counts>;

const COLUMNS = ['cause', 'reason', 'location'];

/** Columns of a kind that are counted by. */
const columnsOf = (kind: Kind): readonly string[] => [
  ...(hasOwner(kind) ? ['owner'] : []),
  ...COLUMNS.filter((name) => name in fieldsOf(kind)),
];

/** The numbers of a column, divided by commas; group_concat() leaves NULL out. */
const textOfColumn = (column: string, missing: 'null' | 0): string =>
  `group_concat(ifnull(${column}, '${missing}'), ',')`;

/** Numbers that are divided by commas; NULL is none. */
export const numbersOf = (text: unknown): (number | null)[] => JSON.parse(`[${text ?? ''}]`) as (number | null)[];

/** Counts the events of a plan by each column; remembered by the slice, since tables of a page ask for one after the other. */
export function sumsOf(slice: SliceReader, plan: Plan): ReadonlyMap<string, Sums> {
  return slice.sumsOnce(`${plan.from} ${plan.parameters.join(' ')}`, () => countColumns(slice, plan));
}

function countColumns(slice: SliceReader, { kind, from, parameters }: Plan): ReadonlyMap<string, Sums> {
  const columns = columnsOf(kind);
  const added = kind === 'retransmit' ? [textOfColumn('segments', 0), textOfColumn('bytes', 0)] : [];
  const read = [...columns.map((column) => textOfColumn(quoted(column), 'null')), ...added];
  const [row = []] = slice.all(`SELECT ${read.join()} ${from}`, parameters);
  const [segments, bytes] = row.slice(columns.length).map(numbersOf);
  return new Map(columns.map((column, at) => [column, countBy(numbersOf(row[at]), segments, bytes)]));
}

type Numbers = readonly (number | null)[];

/** Counts events by a key that each has; `segments` and `bytes` of each are absent where none has any. */
export function countBy<K>(keys: Iterable<K>, segments: Numbers = [], bytes: Numbers = []): Map<K, Counts> {
  const sums = new Map<K, [number, number, number]>();
  let i = 0;
  for (const key of keys) {
    let counts = sums.get(key);
    if (!counts) {
      counts = [0, 0, 0];
      sums.set(key, counts);
    }
    counts[0]++;
    counts[1] += segments[i] ?? 0;
    counts[2] += bytes[i] ?? 0;
    i++;
  }
  return sums;
}
