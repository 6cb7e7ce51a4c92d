/**
 * Rollups: counts kept beside the events, written in the same transaction. Per minute by kind, cause or reason or counter, and
 * class; per hour by peer, process and container. They count what was lost: retransmissions, drops, resets, and
 * what a `summary` says of those; per minute also how counters grew; not connections, not coverage.
 */

import type { DatabaseSync, StatementSync } from 'node:sqlite';
import {
  type CounterEvent,
  DROP_CLASSES,
  type Event,
  type Kind,
  type PacketEvent,
  type SummaryEvent,
} from '../event/kinds.ts';
import type { StringKey } from './row.ts';
import { HOUR_ROLLUPS, type HourRollup, hourRollupTable, kindCode, TALLY_COLUMNS } from './schema.ts';

const NS_PER_MINUTE = 60e9;
export const BENIGN = 1 + DROP_CLASSES.indexOf('benign');
/** Key of the rows whose peer is not known. */
export const NO_PEER = new Uint8Array(0);
/** Key of the rows whose process or container is not known. */
export const NO_STRING = 0;

type CountedEvent = PacketEvent | SummaryEvent | CounterEvent;
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

/**
 * The other end: of a received packet that was dropped its source, else the destination. The same choice as an SQL
 * expression is in top.ts.
 */
function peerOf(event: PacketEvent | SummaryEvent): Uint8Array | undefined {
  return event.kind === 'drop' && event.direction === 'rx' ? event.src : event.dst;
}

const classCode = (event: CountedEvent): number => ('class' in event ? 1 + DROP_CLASSES.indexOf(event.class) : 0);

function whatOf(event: CountedEvent): string | undefined {
  if (event.kind === 'counter') return event.counter;
  return event.kind === 'retransmit' ? event.cause : event.reason;
}

/** Collects the counts of one transaction and adds them to the tables of a slice. */
export class Rollups {
  readonly #key: StringKey;
  readonly #minutes = new Map<number, { row: [number, number, number, number]; counts: Counts }>();
  readonly #hours: readonly HourTally[];
  readonly #minuteUpsert: StatementSync;

  constructor(db: DatabaseSync, key: StringKey) {
    this.#key = key;
    this.#hours = (Object.keys(HOUR_ROLLUPS) as HourRollup[]).map((dimension) => new HourTally(db, dimension));
    this.#minuteUpsert = db.prepare(
      `INSERT INTO minute VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET
       events = events + excluded.events, segments = segments + excluded.segments, bytes = bytes + excluded.bytes`,
    );
  }

  /** @param offsetNs time of the event since the begin of the hour. */
  add(event: Event, offsetNs: number): void {
    if (!isCounted(event)) return;
    const counts = countsOf(event);
    this.#addMinute(event, Math.floor(offsetNs / NS_PER_MINUTE), counts);
    // What a counter counts may be in drops, too.
    if (event.kind === 'counter') return;
    const column = tallyColumn(event);
    const [peers, processes, containers] = this.#hours as [HourTally, HourTally, HourTally];
    peers.add(peerOf(event) ?? NO_PEER, column, counts);
    processes.add(this.#keyOf('process' in event ? event.process : undefined), column, counts);
    containers.add(this.#keyOf('container' in event ? event.container : undefined), column, counts);
  }

  /** Adds what was collected to the tables, within the transaction of the caller. */
  flush(): void {
    for (const { row, counts } of this.#minutes.values()) this.#minuteUpsert.run(...row, ...counts);
    this.#minutes.clear();
    for (const hour of this.#hours) hour.flush();
  }

  #keyOf(text: string | undefined): number {
    return text === undefined ? NO_STRING : this.#key(text);
  }

  #addMinute(event: CountedEvent, minute: number, counts: Counts): void {
    const kind = kindCode(countedKind(event));
    const what = this.#keyOf(whatOf(event));
    const dropClass = classCode(event);
    const id = ((what * 64 + minute) * 16 + kind) * 4 + dropClass;
    const known = this.#minutes.get(id);
    if (!known) {
      this.#minutes.set(id, { row: [minute, kind, what, dropClass], counts });
      return;
    }
    for (let i = 0; i < counts.length; i++) known.counts[i] = (known.counts[i] as number) + (counts[i] as number);
  }
}

function tallyColumn(event: PacketEvent | SummaryEvent): (typeof TALLY_COLUMNS)[number] {
  switch (countedKind(event)) {
    case 'retransmit':
      return 'retransmissions';
    case 'drop':
      return classCode(event) === BENIGN ? 'benign' : 'drops';
    default:
      return 'resets';
  }
}

const COLUMN_AT = Object.fromEntries(TALLY_COLUMNS.map((name, at) => [name, at])) as Record<
  (typeof TALLY_COLUMNS)[number],
  number
>;

/** Counts per key of one hour rollup. */
class HourTally {
  readonly #tallies = new Map<number | string, { key: Uint8Array | number; tally: number[] }>();
  readonly #upsert: StatementSync;

  constructor(db: DatabaseSync, dimension: HourRollup) {
    const sums = TALLY_COLUMNS.map((name) => `${name} = ${name} + excluded.${name}`).join(', ');
    this.#upsert = db.prepare(
      `INSERT INTO ${hourRollupTable(dimension)} VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET ${sums}`,
    );
  }

  add(key: Uint8Array | number, column: (typeof TALLY_COLUMNS)[number], [events, segments, bytes]: Counts): void {
    const id = typeof key === 'number' ? key : addressId(key);
    let entry = this.#tallies.get(id);
    if (!entry) {
      entry = { key, tally: [0, 0, 0, 0, 0, 0] };
      this.#tallies.set(id, entry);
    }
    const { tally } = entry;
    tally[COLUMN_AT[column]] = (tally[COLUMN_AT[column]] as number) + events;
    if (column !== 'retransmissions') return;
    tally[COLUMN_AT.segments] = (tally[COLUMN_AT.segments] as number) + segments;
    tally[COLUMN_AT.bytes] = (tally[COLUMN_AT.bytes] as number) + bytes;
  }

  flush(): void {
    for (const { key, tally } of this.#tallies.values()) this.#upsert.run(key, ...tally);
    this.#tallies.clear();
  }
}

/** An address as a key of a Map: IPv4 as its number, anything else as a string. */
function addressId(ip: Uint8Array): number | string {
  if (ip.length !== 4) return String.fromCharCode(...ip);
  return (((ip[0] as number) << 24) | ((ip[1] as number) << 16) | ((ip[2] as number) << 8) | (ip[3] as number)) >>> 0;
}
