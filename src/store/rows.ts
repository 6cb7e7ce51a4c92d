/** The rows of a plan in the order of their times, fetched in pages: no statement stays open between two of them. */

import { Heap } from './heap.ts';
import type { Plan } from './plan.ts';
import type { RawRow } from './row.ts';
import type { SliceReader } from './slice-reader.ts';

export type Order = 'newest' | 'oldest';

export interface Row {
  /** Time in ns since the hour began. */
  readonly ns: number;
  readonly id: number;
  readonly values: RawRow;
}

/** Most queries want few rows; the first page is small for them. */
const FIRST_PAGE = 128;
const PAGE = 1024;

/** @yields the rows of a plan by time; rows of equal time in the order in which they were stored, or its reverse. */
export function timeOrdered(slice: SliceReader, plan: Plan, order: Order): Iterable<Row> {
  const rows = idOrdered(slice, plan, order);
  return slice.extent.late === 0 ? rows : reordered(rows, slice.extent.late, order);
}

function* idOrdered(slice: SliceReader, { kind, from, parameters }: Plan, order: Order): Generator<Row> {
  const [beyond, direction] = order === 'oldest' ? ['id > ?', 'ASC'] : ['id < ?', 'DESC'];
  const statement = slice.db.prepare(
    `SELECT ${slice.select(kind)} ${from} AND ${beyond} ORDER BY id ${direction} LIMIT ?`,
  );
  statement.setReturnArrays(true);
  let edge = order === 'oldest' ? -1 : Number.MAX_SAFE_INTEGER;
  for (let size = FIRST_PAGE; ; size = PAGE) {
    const page = statement.all(...parameters, edge, size) as unknown as RawRow[];
    for (const values of page) {
      const id = values[0] as number;
      yield { ns: id + (values[1] as number), id, values };
      edge = id;
    }
    if (page.length < size) return;
  }
}

/**
 * Sorts rows that come by id. A row waits until no later one can come before it: going back in time, later rows are
 * not after the present id; going forward, they are at most `late` before it.
 */
function* reordered(rows: Iterable<Row>, late: number, order: Order): Generator<Row> {
  const sign = order === 'oldest' ? 1 : -1;
  const waiting = new Heap<Row>((a, b) => sign * (a.ns - b.ns || a.id - b.id));
  for (const row of rows) {
    waiting.push(row);
    const settled = order === 'oldest' ? row.id - late : -row.id;
    for (let top = waiting.peek(); top && sign * top.ns < settled; top = waiting.peek()) {
      waiting.pop();
      yield top;
    }
  }
  while (waiting.size > 0) yield waiting.pop() as Row;
}
