/** One slice file that is being written: a transaction a batch. Any error leaves the object unusable: close it. */

import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { type WallNs, wallNs } from '../base/time.ts';
import { type DropEvent, type Event, KINDS, type Kind } from '../event/kinds.ts';
import { Dictionary } from './dictionary.ts';
import { KindInserter } from './kind-inserter.ts';
import { Owners } from './owners.ts';
import { type PacketOptions, Packets } from './packets.ts';
import { Rollups } from './rollup.ts';
import { FORMAT_VERSION, kindTableSql, PACKET_SQL, PAGE_SIZE, SESSION_SQL, schemaSql } from './schema.ts';
import { type Hour, hourStart, type SliceName, sliceFileName } from './slice-name.ts';

/** What a session says of itself; stored in every slice that it wrote to. */
export interface StoreSession {
  readonly bootId: string;
  readonly losslogVersion: string;
  readonly kernel: string;
  readonly host: string;
  /** The filter in force, as text, where not everything is recorded. */
  readonly filter?: string;
  /** What this host does not show to the recorder, a sentence each. */
  readonly blind?: readonly string[];
}

/** First and last time of the slice's events and the most by which one came late, in ns; times since the hour began. */
interface Extent {
  first: number;
  last: number;
  late: number;
}

/** The slice is not one that this build may append to: sealed, or its tables are those of another release. */
export class NotAppendable extends Error {}

/** The check of a slice found bytes that SQLite did not write. */
export class DamagedSlice extends Error {}

export interface SliceOrigin {
  readonly session: StoreSession;
  /** When the session began. */
  readonly started: WallNs;
  readonly now: WallNs;
  /** Time since the session began, by a clock that nobody sets; undefined where there is none. */
  elapsed(): bigint | undefined;
  /** Whether to check a slice that was not closed as it should. */
  readonly check: boolean;
  /** Pages in the -wal at which they are moved to the database. */
  readonly walPages: number;
  readonly packets: PacketOptions;
}

export class SliceWriter {
  readonly name: SliceName;
  readonly path: string;
  readonly #db: DatabaseSync;
  readonly #start: WallNs;
  readonly #identity: string;
  readonly #strings: Dictionary;
  readonly #owners: Owners;
  readonly #inserters: Record<Kind, KindInserter>;
  readonly #rollups: Rollups;
  readonly #extent: Extent;
  readonly #setExtent: StatementSync;
  readonly #setSession: StatementSync;
  readonly #elapsed: () => bigint | undefined;
  #rows: number;

  /** Opens the slice, or makes it. @throws NotAppendable, DamagedSlice, or what SQLite throws. */
  static open(dir: string, name: SliceName, origin: SliceOrigin): SliceWriter {
    const path = join(dir, sliceFileName(name));
    const wasCutOff = existsSync(`${path}-wal`);
    const db = new DatabaseSync(path, { timeout: 100 });
    try {
      if (isEmpty(db)) create(db, name.hour, origin.now);
      else requireAppendable(db);
      if (wasCutOff && origin.check) requireSound(db);
      db.exec(`PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = ${origin.walPages}`);
      return new SliceWriter(db, name, path, origin);
    } catch (error) {
      db.close();
      throw error;
    }
  }

  private constructor(db: DatabaseSync, name: SliceName, path: string, origin: SliceOrigin) {
    this.name = name;
    this.path = path;
    this.#db = db;
    this.#start = hourStart(name.hour);
    this.#identity = fileIdentity(path);
    this.#strings = new Dictionary(db);
    const text = (value: string) => this.#strings.key(value);
    this.#owners = new Owners(db, text);
    const keys = { text, owner: (event: Event) => this.#owners.keyOf(event) };
    const packets = new Packets(db, origin.packets);
    const ofDrop = { ...keys, onRow: (id: number, event: Event) => packets.add(id, event as DropEvent) };
    const inserterOf = (kind: Kind) => new KindInserter(db, kind, kind === 'drop' ? ofDrop : keys);
    this.#inserters = Object.fromEntries(KINDS.map((kind) => [kind, inserterOf(kind)])) as Record<Kind, KindInserter>;
    this.#rollups = new Rollups(db, text);
    this.#extent = readExtent(db);
    this.#rows = KINDS.reduce((sum, kind) => sum + this.#inserters[kind].rows, 0);
    this.#setExtent = db.prepare('UPDATE meta SET first = ?, last = ?, late = ?');
    this.#elapsed = () => origin.elapsed();
    const sessionId = beginSession(db, origin);
    for (const kind of KINDS) this.#inserters[kind].session = sessionId;
    this.#setSession = db.prepare(`UPDATE session SET lastNs = ?, ended = ?, ran = ? WHERE id = ${sessionId}`);
  }

  get rows(): number {
    return this.#rows;
  }

  /** Time of the earliest event. */
  get first(): WallNs {
    return wallNs(this.#start + BigInt(this.#extent.first));
  }

  /** Time of the latest event. */
  get last(): WallNs {
    return wallNs(this.#start + BigInt(this.#extent.last));
  }

  /** Size of the database, its -wal not counted. */
  get bytes(): number {
    const row = this.#db.prepare('PRAGMA page_count').get() as { page_count: number };
    return row.page_count * PAGE_SIZE;
  }

  /** Memory that what rows share takes, in bytes: texts and owners. */
  get sharedBytes(): number {
    return this.#strings.bytes + this.#owners.bytes;
  }

  /** Whether the file is still the one that was opened; false when somebody removed or replaced it. */
  isPresent(): boolean {
    try {
      return fileIdentity(this.path) === this.#identity;
    } catch {
      return false;
    }
  }

  /** Stores events of this slice's hour and the session's heartbeat; when it returns they are on disk. */
  append(events: readonly Event[], now: WallNs): void {
    const byKind = this.#group(events);
    this.#db.exec('BEGIN IMMEDIATE');
    for (const [kind, group] of byKind) {
      const late = this.#inserters[kind].insert(group.events, group.ns);
      this.#extent.late = Math.max(this.#extent.late, late);
      group.events.forEach((event, i) => {
        this.#rollups.add(event, group.ns[i] as number);
      });
    }
    this.#rollups.flush();
    this.#setExtent.run(this.#extent.first, this.#extent.last, this.#extent.late);
    this.heartbeat(now, false);
    this.#db.exec('COMMIT');
    this.#rows += events.length;
  }

  #group(events: readonly Event[]): Map<Kind, { events: Event[]; ns: number[] }> {
    const byKind = new Map<Kind, { events: Event[]; ns: number[] }>();
    for (const event of events) {
      const ns = Number(event.time - this.#start);
      this.#extent.first = Math.min(this.#extent.first, ns);
      this.#extent.last = Math.max(this.#extent.last, ns);
      let group = byKind.get(event.kind);
      if (!group) {
        group = { events: [], ns: [] };
        byKind.set(event.kind, group);
      }
      group.events.push(event);
      group.ns.push(ns);
    }
    return byKind;
  }

  /** Notes that the session lives, or that it ended as it should. */
  heartbeat(now: WallNs, ended: boolean): void {
    this.#setSession.run(now, ended ? 1 : 0, this.#elapsed() ?? null);
  }

  close(): void {
    this.#db.close();
  }
}

const isEmpty = (db: DatabaseSync): boolean => db.prepare('SELECT 1 FROM sqlite_schema LIMIT 1').get() === undefined;

function create(db: DatabaseSync, hour: Hour, now: WallNs): void {
  db.exec(`PRAGMA page_size = ${PAGE_SIZE}; PRAGMA journal_mode = WAL; BEGIN IMMEDIATE`);
  for (const statement of schemaSql()) db.exec(statement);
  db.prepare('INSERT INTO meta (version, hour, created, sealed, late) VALUES (?, ?, ?, 0, 0)').run(
    FORMAT_VERSION,
    hour,
    now,
  );
  db.exec('COMMIT');
}

function requireAppendable(db: DatabaseSync): void {
  const tables = new Map(
    db
      .prepare("SELECT name, sql FROM sqlite_schema WHERE type = 'table'")
      .all()
      .map(({ name, sql }) => [name, sql]),
  );
  const same =
    tables.has('meta') &&
    tables.get('session') === SESSION_SQL &&
    tables.get('packet') === PACKET_SQL &&
    KINDS.every((kind) => tables.get(kind) === kindTableSql(kind));
  const meta = same ? db.prepare('SELECT version, sealed FROM meta').get() : undefined;
  if (meta?.version !== FORMAT_VERSION || meta.sealed !== 0) throw new NotAppendable();
}

/** Reads the whole slice (about 4 ms a MB). @throws DamagedSlice */
function requireSound(db: DatabaseSync): void {
  const [{ quick_check: verdict }] = db.prepare('PRAGMA quick_check(1)').all() as [{ quick_check: string }];
  if (verdict !== 'ok') throw new DamagedSlice(verdict);
}

function readExtent(db: DatabaseSync): Extent {
  const { first, last, late } = db.prepare('SELECT first, last, late FROM meta').get() as {
    first: number | null;
    last: number | null;
    late: number;
  };
  return { first: first ?? Number.POSITIVE_INFINITY, last: last ?? Number.NEGATIVE_INFINITY, late };
}

function beginSession(db: DatabaseSync, { session, started, now, elapsed }: SliceOrigin): number {
  const { bootId, losslogVersion, kernel, host, filter, blind } = session;
  const known = db.prepare('SELECT id FROM session WHERE bootId = ? AND started = ?').get(bootId, started);
  if (known) return known.id as number;
  const { lastInsertRowid } = db
    .prepare(
      `INSERT INTO session (bootId, losslogVersion, kernel, host, filter, started, lastNs, ended, blind, ran)
       VALUES (?, ?, ?, ?, ?, ?, ?, 0, ?, ?)`,
    )
    .run(
      bootId,
      losslogVersion,
      kernel,
      host,
      filter ?? null,
      started,
      now,
      blind?.length ? JSON.stringify(blind) : null,
      elapsed() ?? null,
    );
  return Number(lastInsertRowid);
}

function fileIdentity(path: string): string {
  const { dev, ino } = statSync(path);
  return `${dev}:${ino}`;
}
