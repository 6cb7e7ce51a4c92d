/**
 * Rollups: counts kept beside the events. Per minute by kind, cause or reason or counter, and class, written in the
 * transaction of the events; per hour by peer, process and container, made when the slice is sealed: with thousands of
 * peers, keeping these as well took a third of the time of storing. They count what was lost: retransmissions, drops,
 * resets, and what a `summary` says of those; per minute also how counters grew; not connections, not coverage.
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
import { enumCode, HOUR_ROLLUPS, type HourRollup, hourRollupTable, kindCode, quoted, TALLY_COLUMNS } from './schema.ts';

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

/** The other end, as SQL: of received packets that were dropped their source, else the destination. */
export function peerSql(kind: Kind): string {
  if (kind !== 'drop' && kind !== 'summary') return 'dst';
  const isReceived = `direction = ${enumCode({ values: DIRECTIONS }, 'rx')}`;
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

/** Counts the events of a slice by peer, process and container, within the transaction of the caller. */
export function rollUpHour(db: DatabaseSync): void {
  const sums = TALLY_COLUMNS.map((name) => `sum(${name})`).join();
  for (const dimension of Object.keys(HOUR_ROLLUPS) as HourRollup[]) {
    const table = hourRollupTable(dimension);
    const counted = COUNTED_KINDS.map((kind) => countedSql(kind, dimension)).join(' UNION ALL ');
    db.exec(`DELETE FROM ${table}; INSERT INTO ${table} SELECT key, ${sums} FROM (${counted}) GROUP BY key`);
  }
}

const COUNTED_KINDS = ['retransmit', 'drop', 'reset', 'summary'] as const;

/** What one row of a kind adds to each of the {@link TALLY_COLUMNS}; nothing, where it is not named. */
const TALLIED: Record<(typeof COUNTED_KINDS)[number], Partial<Record<(typeof TALLY_COLUMNS)[number], string>>> = {
  retransmit: { retransmissions: '1', segments: 'ifnull(segments, 0)', bytes: 'ifnull(bytes, 0)' },
  drop: { drops: `class <> ${BENIGN}`, benign: `class = ${BENIGN}` },
  reset: { resets: '1' },
  summary: {
    retransmissions: ofSummary('retransmit', 'events'),
    segments: ofSummary('retransmit', 'ifnull(segments, 0)'),
    bytes: ofSummary('retransmit', 'ifnull(bytes, 0)'),
    drops: ofSummary('drop', `iif(class IS ${BENIGN}, 0, events)`),
    benign: ofSummary('drop', `iif(class IS ${BENIGN}, events, 0)`),
    resets: ofSummary('reset', 'events'),
  },
};

function ofSummary(kind: Kind, count: string): string {
  return `CASE WHEN ${isOf(kind)} THEN ${count} ELSE 0 END`;
}

function countedSql(kind: (typeof COUNTED_KINDS)[number], dimension: HourRollup): string {
  const counts = TALLY_COLUMNS.map((name) => `${TALLIED[kind][name] ?? '0'} AS ${name}`).join(', ');
  const key = dimension === 'peer' ? `ifnull(${peerSql(kind)}, x'')` : `ifnull(owner.${dimension}, ${NO_STRING})`;
  const whose = dimension === 'peer' ? '' : `LEFT JOIN owner ON owner.id = ${quoted(kind)}.owner`;
  const where = kind === 'summary' ? 'WHERE events > 0' : '';
  return `SELECT ${key} AS key, ${counts} FROM ${quoted(kind)} ${whose} ${where}`;
}
