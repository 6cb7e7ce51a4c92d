/** Merges the rows of several tables and parts of one hour into one sequence by time. */

import type { Event, Kind } from '../event/kinds.ts';
import { KINDS } from '../event/kinds.ts';
import { Heap } from './heap.ts';
import type { Order, Row } from './rows.ts';

/** Rows of one kind in one part of the hour. */
export interface Source {
  readonly part: number;
  readonly kind: Kind;
  /** No row comes before this time (after it, for the newest first), in ns since the hour began. */
  readonly bound: number;
  readonly rows: () => Iterable<Row>;
  /** Undefined for a row that cannot be read. */
  readonly decode: (row: Row) => Event | undefined;
}

interface Cursor {
  readonly source: Source;
  readonly ns: number;
  /** Undefined until the source is begun, which it is only when its turn comes. */
  readonly row?: Row;
  readonly rest?: Iterator<Row>;
}

/** @yields the events of all sources; those of equal time by part, kind, and the order in which they were stored. */
export function* merged(sources: readonly Source[], order: Order): Generator<Event> {
  const sign = order === 'oldest' ? 1 : -1;
  const cursors = new Heap<Cursor>((a, b) => sign * (a.ns - b.ns) || begunLast(a, b) || sign * tieOrder(a, b));
  for (const source of sources) cursors.push({ source, ns: source.bound });
  for (let cursor = cursors.pop(); cursor; cursor = cursors.pop()) {
    const { source, row } = cursor;
    const rest = cursor.rest ?? source.rows()[Symbol.iterator]();
    const event = row && source.decode(row);
    if (event) yield event;
    const next = rest.next();
    if (!next.done) cursors.push({ source, ns: next.value.ns, row: next.value, rest });
  }
}

/** A source not begun may still have a row of this very time: it goes first. */
const begunLast = (a: Cursor, b: Cursor): number => Number(a.row !== undefined) - Number(b.row !== undefined);

const tieOrder = (a: Cursor, b: Cursor): number =>
  a.source.part - b.source.part || KINDS.indexOf(a.source.kind) - KINDS.indexOf(b.source.kind);
