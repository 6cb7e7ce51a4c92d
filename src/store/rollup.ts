/**
 * Counts kept beside the events: per minute by kind, cause or reason or counter, and class, written in the transaction of the
 * events. They count what was lost: retransmissions, drops, resets, what a `summary` says of those, and how counters grew;
 * not connections, not coverage.
 */

import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { FieldType } from '../event/field.ts';
import {
  type CounterEvent,
  DIRECTIONS,
  DROP_CLASSES,
  type Event,
  fieldsOf,
  type Kind,
  type LossEvent,
} from '../event/kinds.ts';
import type { StringKey } from './row.ts';
import { enumCode, kindCode } from './schema.ts';

const NS_PER_MINUTE = 60e9;
export const BENIGN = 1 + DROP_CLASSES.indexOf('benign');
/** Key of the rows whose process or container is not known. */
export const NO_STRING = 0;

type CountedEvent = LossEvent | CounterEvent;
type Counts = [events: number, segments: number, bytes: number];

function isCounted(event: Event): event is CountedEvent {
  if (event.kind === 'summary') return event.events > 0;
  if (event.kind === 'counter') return event.count > 0;
  return event.kind !== 'coverage' && event.kind !== 'connection';
}

/** The kind that an event counts for. */
const countedKind = (event: CountedEvent): Kind => (event.kind === 'summary' ? event.of : event.kind);

function countsOf(event: CountedEvent): Counts {
  switch (event.kind) {
    case 'retransmit':
      return [1, event.segments ?? 0, event.bytes ?? 0];
    case 'drop':
      return [1, 0, event.length ?? 0];
    case 'reset':
      return [1, 0, 0];
    case 'summary':
      return [event.events, event.segments ?? 0, event.bytes ?? 0];
    case 'counter':
      return [event.count, 0, 0];
  }
}

const SUMMARIZED = fieldsOf('summary').of?.type as FieldType;
/** Whether a row of the table `summary` is about a kind, as SQL. */
export const isOf = (kind: Kind): string => `"of" = ${enumCode(SUMMARIZED, kind)}`;

/** The direction of a packet that was received, as a row has it. */
export const RECEIVED = enumCode({ values: DIRECTIONS }, 'rx');

/** The other end, as SQL: of received packets that were dropped their source, else the destination. */
export function peerSql(kind: Kind): string {
  if (kind !== 'drop' && kind !== 'summary') return 'dst';
  const isReceived = `direction = ${RECEIVED}`;
  return `CASE WHEN ${kind === 'drop' ? isReceived : `${isOf('drop')} AND ${isReceived}`} THEN src ELSE dst END`;
}

function classCode(event: CountedEvent): number {
  const dropClass = ['drop', 'counter'].includes(countedKind(event)) && 'class' in event ? event.class : undefined;
  return dropClass === undefined ? 0 : 1 + DROP_CLASSES.indexOf(dropClass);
}

function whatOf(event: CountedEvent): string | undefined {
  switch (event.kind) {
    case 'counter':
      return event.counter;
    case 'retransmit':
      return event.cause;
    case 'summary':
      return event.of === 'retransmit' ? event.cause : event.reason;
    default:
      return event.reason;
  }
}

/** Collects the counts of one transaction by minute and adds them to the table of a slice. */
export class Rollups {
  readonly #key: StringKey;
  readonly #minutes = new Map<number, { row: [number, number, number, number]; counts: Counts }>();
  readonly #upsert: StatementSync;

  constructor(db: DatabaseSync, key: StringKey) {
    this.#key = key;
    this.#upsert = db.prepare(
      `INSERT INTO minute VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET
       events = events + excluded.events, segments = segments + excluded.segments, bytes = bytes + excluded.bytes`,
    );
  }

  /** @param offsetNs time of the event since the begin of the hour. */
  add(event: Event, offsetNs: number): void {
    if (!isCounted(event)) return;
    const counts = countsOf(event);
    const minute = Math.floor(offsetNs / NS_PER_MINUTE);
    const kind = kindCode(countedKind(event));
    const text = whatOf(event);
    const what = text === undefined ? NO_STRING : this.#key(text);
    const dropClass = classCode(event);
    const id = ((what * 64 + minute) * 16 + kind) * 4 + dropClass;
    const known = this.#minutes.get(id);
    if (!known) {
      this.#minutes.set(id, { row: [minute, kind, what, dropClass], counts });
      return;
    }
    for (let i = 0; i < counts.length; i++) known.counts[i] = (known.counts[i] as number) + (counts[i] as number);
  }

  /** Adds what was collected to the table, within the transaction of the caller. */
  flush(): void {
    for (const { row, counts } of this.#minutes.values()) this.#upsert.run(...row, ...counts);
    this.#minutes.clear();
  }
}
