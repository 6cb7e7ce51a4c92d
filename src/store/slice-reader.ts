/**
 * One slice file that is being read, as it was at one moment: rows and late comers that the writer adds afterwards
 * stay out of sight.
 */

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { LosslogError } from '../base/errors.ts';
import { Lru } from '../base/lru.ts';
import { getOrMake } from '../base/map.ts';
import { type WallNs, wallNs } from '../base/time.ts';
import { type CapturedPacket, type Event, KINDS, type Kind } from '../event/kinds.ts';
import { versionError } from './directory.ts';
import type { Sums } from './kind-sums.ts';
import { PACKED_TABLE } from './packed-columns.ts';
import { PackedSlice } from './packed-slice.ts';
import { decodeColumns, decodeRow, type RawRow, selectList } from './row.ts';
import {
  columnNamesOf,
  columnsOf,
  FORMAT_VERSION,
  kindTableSql,
  PACKET_BEGINS,
  quoted,
  SHARED_COLUMNS,
} from './schema.ts';
import { hourStart, type SliceFile } from './slice-name.ts';
import { type Bindable, openForReading } from './sqlite.ts';

/** What a kind's table holds. */
export interface KindTable {
  readonly columns: ReadonlySet<string>;
  /** Id of the last row that belongs to this view. */
  readonly maxId: number;
}

/** Where and whose: the fields that events share, absent where unknown. */
export type Owner = Readonly<Record<string, unknown>>;

/** Owners kept in memory at most. */
const MAX_OWNERS = 10_000;

interface Extent {
  readonly version: number;
  /** 1 when nothing will be written to the slice any more. */
  readonly sealed: number;
  /** Times of the first and the last event, in ns since the hour began; null when there is none. */
  readonly first: number | null;
  readonly last: number | null;
  /** By how much an id may be beyond the time of its row, in ns. */
  readonly late: number;
}

/** Answers of {@link SliceReader.countOnce} that are remembered. */
const MAX_COUNTS = 64;
/** Answers of {@link SliceReader.sumsOnce} that are remembered, and the keys of the longest. */
const MAX_SUMS = 8;
const MAX_SUM_ROWS = 500;

/** Answers of {@link SliceReader.keysWhere} that are remembered. */
const MAX_KEYS = 8;

export class SliceReader {
  readonly path: string;
  readonly slice: SliceFile;
  readonly start: WallNs;
  readonly db: DatabaseSync;
  /** Indexes by name, and tables. */
  readonly indexes: ReadonlySet<string>;
  readonly kinds: ReadonlyMap<Kind, KindTable>;
  /** Undefined: not sealed, or sealed by a release that packed nothing. */
  readonly packed: PackedSlice | undefined;
  /** The statement that made the table of sessions. */
  readonly sessionSql: string;
  readonly extent: Extent;
  readonly #strings = new Map<number, string>();
  readonly #sums = new Lru<string, ReadonlyMap<string, Sums>>(MAX_SUMS);
  readonly #keys = new Lru<string, readonly number[]>(MAX_KEYS);
  readonly #counts = new Lru<string, number>(MAX_COUNTS);
  readonly #owners = new Lru<number, Owner>(MAX_OWNERS);
  #string: StatementSync | undefined;
  #owner: StatementSync | undefined;
  #packet: StatementSync | undefined;

  /**
   * Opens a slice; undefined when it is gone or when nothing was committed to it yet.
   * @throws STORE_VERSION, STORE (it is no slice), or what SQLite throws.
   */
  static open(dir: string, slice: SliceFile): SliceReader | undefined {
    const path = join(dir, slice.file);
    try {
      const [db, tables] = openForReading(path, existsSync(`${path}-wal`), readTables);
      try {
        if (tables.size > 0) return new SliceReader(db, slice, path, tables);
      } catch (error) {
        db.close();
        throw error;
      }
      db.close();
    } catch (error) {
      if (existsSync(path)) throw error;
    }
    return undefined;
  }

  private constructor(db: DatabaseSync, slice: SliceFile, path: string, tables: ReadonlyMap<string, string | null>) {
    if (!tables.has('meta')) throw new LosslogError('STORE', `${path} is not a slice of losslog`);
    this.path = path;
    this.db = db;
    this.slice = slice;
    this.start = hourStart(slice.hour);
    this.indexes = new Set(tables.keys());
    this.packed = tables.has(PACKED_TABLE) ? new PackedSlice(db) : undefined;
    this.sessionSql = tables.get('session') ?? '';
    const present = KINDS.filter((kind) => tables.has(kind));
    const view = readView(db, present);
    this.extent = view.extent;
    if (this.extent.version > FORMAT_VERSION) throw versionError(path, this.extent.version);
    this.kinds = new Map(
      present
        .map((kind, i) => ({ kind, maxId: view.maxIds[i] }))
        .filter((entry): entry is { kind: Kind; maxId: number } => typeof entry.maxId === 'number')
        .map(({ kind, maxId }) => [kind, { columns: columnNames(db, kind, tables.get(kind)), maxId }]),
    );
  }

  /** Time of the slice's first event; undefined when it has none. */
  get first(): WallNs | undefined {
    return this.extent.first === null ? undefined : wallNs(this.start + BigInt(this.extent.first));
  }

  /** Time of the slice's last event; undefined when it has none. */
  get last(): WallNs | undefined {
    return this.extent.last === null ? undefined : wallNs(this.start + BigInt(this.extent.last));
  }

  /** Rows of a SELECT as arrays. */
  all(sql: string, parameters: readonly Bindable[] = []): RawRow[] {
    return arrays(this.db.prepare(sql)).all(...parameters) as unknown as RawRow[];
  }

  /** The number that a SELECT gives, remembered: `show` plans a query once for its rows and once for what it leaves out. */
  countOnce(sql: string, parameters: readonly Bindable[]): number {
    const key = `${sql} ${parameters.join(' ')}`;
    return getOrMake(this.#counts, key, () => this.all(sql, parameters)[0]?.[0] as number);
  }

  /** What `count` counts of the events that `key` stands for, remembered unless it is long: for several questions. */
  sumsOnce(key: string, count: () => ReadonlyMap<string, Sums>): ReadonlyMap<string, Sums> {
    let sums = this.#sums.get(key);
    if (sums === undefined) {
      sums = count();
      if ([...sums.values()].every(({ size }) => size <= MAX_SUM_ROWS)) this.#sums.set(key, sums);
    }
    return sums;
  }

  /** The columns of a SELECT whose rows {@link decode} takes. */
  select(kind: Kind): string {
    const present = this.kinds.get(kind)?.columns ?? new Set();
    const make = () => selectList(columnsOf(kind), present);
    return present === columnNamesOf(kind) ? getOrMake(selectLists, kind, make) : make();
  }

  /** @param packets with the first bytes of a dropped packet, where they were kept */
  decode(kind: Kind, row: RawRow, packets = false): Event {
    const key = row[2] as number | null;
    const owner = key === null ? undefined : this.ownerOf(key);
    const event = decodeRow(kind, row, this.start, owner, (text) => this.stringOf(text));
    const packet = packets && event.kind === 'drop' ? this.#packetOf(row[0] as number) : undefined;
    return packet ? Object.assign(event, { packet }) : event;
  }

  #packetOf(id: number): CapturedPacket | undefined {
    if (!this.indexes.has('packet')) return undefined;
    this.#packet ??= this.db.prepare('SELECT begin, length, bytes FROM packet WHERE id = ?');
    const row = this.#packet.get(id) as { begin: number; length: number; bytes: Uint8Array } | undefined;
    const begin = row && PACKET_BEGINS[row.begin];
    return begin && { begin, length: row.length, bytes: row.bytes };
  }

  /** The fields that an owner has (schema.ts). */
  ownerOf(key: number): Owner {
    let owner = this.#owners.get(key);
    if (owner === undefined) {
      this.#owner ??= arrays(this.db.prepare(OWNER_SQL));
      const row = this.#owner.get(key) as unknown as RawRow | undefined;
      if (row === undefined) throw new LosslogError('STORE', `there is no owner ${key}`);
      const fields = {};
      decodeColumns(SHARED_COLUMNS, row, 0, (text) => this.stringOf(text), fields);
      owner = fields;
      this.#owners.set(key, owner);
    }
    return owner;
  }

  /** The text of a key of the dictionary. */
  stringOf(key: number): string {
    let text = this.#strings.get(key);
    if (text === undefined) {
      this.#string ??= this.db.prepare('SELECT value FROM string WHERE id = ?');
      text = this.#string.get(key)?.value as string | undefined;
      if (text === undefined) throw new LosslogError('STORE', `the dictionary has no text ${key}`);
      this.#strings.set(key, text);
    }
    return text;
  }

  /** Keys of the texts that fulfil an SQL condition on `value`, remembered. */
  keysWhere(condition: string, parameters: readonly Bindable[]): readonly number[] {
    return getOrMake(this.#keys, `${condition} ${parameters.join(' ')}`, () =>
      this.all(`SELECT id FROM string WHERE ${condition}`, parameters).map(([id]) => id as number),
    );
  }

  close(): void {
    this.db.close();
  }
}

/** Of tables of this build: all slices of most stores. */
const selectLists = new Map<Kind, string>();
const OWNER_SQL = `SELECT ${SHARED_COLUMNS.map(({ name }) => quoted(name)).join()} FROM owner WHERE id = ?`;

function arrays(statement: StatementSync): StatementSync {
  statement.setReturnArrays(true);
  return statement;
}

/** Tables and indexes by name, with the SQL that made them. */
function readTables(db: DatabaseSync): Map<string, string | null> {
  const rows = arrays(db.prepare('SELECT name, sql FROM sqlite_schema')).all();
  return new Map(rows as unknown as [string, string | null][]);
}

/** Reads everything that fixes the view in one statement, hence at one moment. */
function readView(db: DatabaseSync, kinds: readonly Kind[]): { extent: Extent; maxIds: (number | null)[] } {
  const maxIds = kinds.map((kind, i) => `, (SELECT max(id) FROM ${quoted(kind)}) AS max${i}`).join('');
  const row = db.prepare(`SELECT version, sealed, first, last, late${maxIds} FROM meta`).get();
  if (!row) throw new LosslogError('STORE', 'its meta table is empty');
  return { extent: row as unknown as Extent, maxIds: kinds.map((_, i) => row[`max${i}`] as number | null) };
}

/** Names of the columns of a kind's table: those of this build, or what the table has when another release made it. */
function columnNames(db: DatabaseSync, kind: Kind, sql: string | null | undefined): ReadonlySet<string> {
  if (sql === kindTableSql(kind)) return columnNamesOf(kind);
  const rows = db.prepare(`SELECT name FROM pragma_table_info('${kind}')`).all() as { name: string }[];
  return new Set(rows.map(({ name }) => name));
}
