/** Rows of a kind that pass a filter, found and counted by the packed columns. */

import { LosslogError } from '../base/errors.ts';
import { floorDiv, NS_PER_HOUR } from '../base/time.ts';
import type { Filter } from '../event/filter.ts';
import { anyOf, type Condition } from './conditions.ts';
import type { Counts, Sums } from './kind-sums.ts';
import { type Cells, cellOf, type PackedColumns, valueIn } from './packed-columns.ts';
import type { PackedSlice } from './packed-slice.ts';
import { BENIGN } from './rollup.ts';
import type { SliceReader } from './slice-reader.ts';

export interface Selection {
  readonly columns: PackedColumns;
  /** Which rows, counted from 0 in the order of their ids; at least one. */
  readonly rows: Uint32Array;
}

/** The times that a filter asks for, in ns since the hour began: from the first to before the second. */
export function timesWithin({ start }: SliceReader, { since, until }: Filter): [from: number, to: number] {
  const from = since === undefined ? 0 : clamp(since - start);
  return [from, until === undefined ? Number(NS_PER_HOUR) : clamp(until - start)];
}

/** A time since the begin of the hour as a number within the hour and its end. */
function clamp(ns: bigint): number {
  if (ns < 0n) return 0;
  return floorDiv(ns, NS_PER_HOUR) > 0n ? Number(NS_PER_HOUR) : Number(ns);
}

/**
 * The rows that fulfil all conditions, the filter's times, and what it says of benign events; its kinds are not looked at. Remembered by the slice,
 * since the time line and the tables of a page ask for the same rows.
 */
export function selected(
  slice: SliceReader,
  packed: PackedSlice,
  columns: PackedColumns,
  conditions: readonly Condition[],
  filter: Filter,
): Selection | 'none' {
  const key = JSON.stringify([columns.kind, timesWithin(slice, filter), filter.all === true, ...conditions.map(anyOf)]);
  return packed.selectOnce(key, () => {
    const asked = conditions.map(({ columns: names, values }) => ({ names, values: values(packed) }));
    return asked.some(({ values }) => values.length === 0) ? 'none' : select(slice, columns, asked, filter);
  });
}

/** What is asked of some columns: that one of them has one of the values. */
interface Asked {
  readonly names: readonly string[];
  readonly values: readonly number[];
}

function select(
  slice: SliceReader,
  columns: PackedColumns,
  [first, ...others]: readonly Asked[],
  filter: Filter,
): Selection | 'none' {
  let rows = first ? (searched(columns, first) ?? passing(columns, everyRow(columns), first)) : everyRow(columns);
  for (const asked of others) if (rows.length > 0) rows = passing(columns, rows, asked);
  if (rows.length > 0) rows = inTime(slice, columns, rows, filter);
  if (rows.length > 0 && columns.kind === 'drop' && !filter.all) rows = byBenign(columns, rows, false);
  return rows.length === 0 ? 'none' : { columns, rows: rows.slice() };
}

function everyRow(columns: PackedColumns): Uint32Array {
  const rows = new Uint32Array(columns.rows);
  for (let row = 0; row < rows.length; row++) rows[row] = row;
  return rows;
}

/** More values, or rows, are sooner found by a look at each. */
const [MAX_SEARCHED, MAX_FOUND] = [4, 1000];

/**
 * Rows found by the search of the engine itself: a command that asks once would look at each cell in code that is not yet compiled, a hundred times slower.
 * @returns undefined when there are too many
 */
function searched(columns: PackedColumns, { names, values }: Asked): Uint32Array | undefined {
  if (values.length > MAX_SEARCHED) return undefined;
  const found = new Set<number>();
  for (const column of names.map((name) => columns.cells(name))) {
    for (const cell of values.map((value) => cellOf(column, value))) {
      for (let row = column.cells.indexOf(cell); row >= 0; row = column.cells.indexOf(cell, row + 1)) {
        if (found.size === MAX_FOUND) return undefined;
        found.add(row);
      }
    }
  }
  return Uint32Array.from(found).sort();
}

function passing(columns: PackedColumns, rows: Uint32Array, { names, values }: Asked): Uint32Array {
  const marks = new Uint8Array(columns.rows);
  for (const name of names) mark(marks, columns.cells(name), values);
  return kept(rows, marks);
}

/** How many of them are benign. */
export const countBenign = ({ columns, rows }: Selection): number => byBenign(columns, rows.slice(), true).length;

/** The rows that are benign, or those that are not, in place. */
function byBenign(columns: PackedColumns, rows: Uint32Array, isExpected: boolean): Uint32Array {
  const column = columns.cells('class');
  const { cells } = column;
  const benign = cellOf(column, BENIGN);
  let count = 0;
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i] as number;
    if ((cells[row] === benign) === isExpected) rows[count++] = row;
  }
  return rows.subarray(0, count);
}

function inTime(slice: SliceReader, columns: PackedColumns, rows: Uint32Array, filter: Filter): Uint32Array {
  const [from, to] = timesWithin(slice, filter);
  const { first, last } = slice.extent;
  if (first !== null && last !== null && from <= first && to > last) return rows;
  const times = columns.times(rows);
  return rows.filter((_, i) => (times[i] as number) >= from && (times[i] as number) < to);
}

/** Longer tables of what is accepted take longer to make than a set to look into. */
const MAX_TABLE = 2 ** 17;

/** Marks the rows whose cell has one of the values. */
function mark(marks: Uint8Array, column: Cells, values: readonly number[]): void {
  const { cells } = column;
  const wanted = new Set(values.map((value) => cellOf(column, value)).filter((cell) => cell >= 0));
  let most = 0;
  for (const cell of wanted) most = Math.max(most, cell);
  if (most < MAX_TABLE) {
    const isWanted = new Uint8Array(most + 1);
    for (const cell of wanted) isWanted[cell] = 1;
    for (let row = 0; row < marks.length; row++) {
      const cell = cells[row] as number;
      if (cell <= most && isWanted[cell] === 1) marks[row] = 1;
    }
  } else for (let row = 0; row < marks.length; row++) if (wanted.has(cells[row] as number)) marks[row] = 1;
}

/** The rows that are marked, in place. */
function kept(rows: Uint32Array, marks: Uint8Array): Uint32Array {
  let count = 0;
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i] as number;
    if (marks[row] === 1) rows[count++] = row;
  }
  return rows.subarray(0, count);
}

/** Far more than a slice has of anything. */
const MAX_KEY = 2 ** 24;

/** Counts rows by what a column holds: keys, codes or numbers of something, of which there are about as many as rows. */
export function countRows({ columns, rows }: Selection, column: Cells): Sums {
  const { cells } = column;
  let most = 0;
  for (let i = 0; i < rows.length; i++) most = Math.max(most, cells[rows[i] as number] as number);
  if (most > MAX_KEY) throw new LosslogError('STORE', `its packed columns hold a key of ${most}`);
  const events = new Uint32Array(most + 1);
  const [segments, bytes] = [new Float64Array(most + 1), new Float64Array(most + 1)];
  for (let i = 0; i < rows.length; i++) {
    const cell = cells[rows[i] as number] as number;
    events[cell] = (events[cell] as number) + 1;
  }
  if (columns.kind === 'retransmit') {
    addTo(segments, cells, rows, columns.cells('segments'));
    addTo(bytes, cells, rows, columns.cells('bytes'));
  }
  const sums = new Map<number | null, Counts>();
  for (let cell = 0; cell <= most; cell++) {
    if (events[cell] === 0) continue;
    sums.set(valueIn(column, cell), [events[cell] as number, segments[cell] as number, bytes[cell] as number]);
  }
  return sums;
}

/** Adds the values of rows up by their keys. */
function addTo(sums: Float64Array, keys: Cells['cells'], rows: Uint32Array, column: Cells): void {
  const { cells } = column;
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i] as number;
    const key = keys[row] as number;
    sums[key] = (sums[key] as number) + (valueIn(column, cells[row] as number) ?? 0);
  }
}
