/** The tables of a slice, derived from the field tables of the kinds. docs/store-format.md describes them in words. */

import { ownerFields, placeFields } from '../event/common.ts';
import type { FieldType } from '../event/field.ts';
import { type CapturedPacket, fieldsOf, KINDS, type Kind } from '../event/kinds.ts';

/** Counts up when a reader of the former version would answer wrongly. New columns and tables do not count. */
export const FORMAT_VERSION = 1;

/** `PRAGMA application_id` of a slice: "lslg". */
export const APPLICATION_ID = 0x6c736c67;

export const PAGE_SIZE = 8192;

export interface Column {
  readonly name: string;
  readonly type: FieldType;
}

/**
 * Where and whose: fields whose values many events share. The table `owner` holds each set of them once and a row its
 * key, which saves a third of its size and of the time to write it. Sockets are as many as connections: not shared.
 */
const { socketInode: _inode, socketCookie: _cookie, ...sharedFields } = { ...placeFields, ...ownerFields };
export const SHARED_COLUMNS: readonly Column[] = Object.entries(sharedFields).map(([name, { type }]) => ({
  name,
  type,
}));

/** Whether a field is a column of the table `owner`. */
export const isShared = (name: string): boolean => Object.hasOwn(sharedFields, name);

/** Whether rows of a kind have an owner. */
export const hasOwner = (kind: Kind): boolean => Object.keys(fieldsOf(kind)).some(isShared);

/** The columns of a kind's own table. `time` is not among them: it is `id + skew`, counted from the hour. */
export const columnsOf = (kind: Kind): readonly Column[] => columns[kind] as readonly Column[];

const columns: Readonly<Record<string, readonly Column[]>> = Object.fromEntries(
  KINDS.map((kind) => [
    kind,
    Object.entries(fieldsOf(kind))
      .filter(([name]) => name !== 'time' && !isShared(name))
      .map(([name, { type }]) => ({ name, type })),
  ]),
);

/** Quotes an SQL identifier; field names such as `from` are keywords. */
export const quoted = (name: string): string => `"${name}"`;

function sqlTypeOf(type: FieldType): string {
  if (type === 'ip') return 'BLOB';
  return type === 'ratio' ? 'REAL' : 'INTEGER';
}

/** The statement that makes the table of a kind; compared as text to tell whether a slice is of this build. */
export const kindTableSql = (kind: Kind): string => kindTables[kind] as string;

function makeKindTableSql(kind: Kind): string {
  const head = [
    'id INTEGER PRIMARY KEY',
    'session INTEGER',
    'skew INTEGER',
    ...(hasOwner(kind) ? ['owner INTEGER'] : []),
  ];
  return `CREATE TABLE ${quoted(kind)} (${[...head, ...columnsOf(kind).map(columnSql)].join(', ')})`;
}

const columnSql = ({ name, type }: Column): string => `${quoted(name)} ${sqlTypeOf(type)}`;

const kindTables: Readonly<Record<string, string>> = Object.fromEntries(
  KINDS.map((kind) => [kind, makeKindTableSql(kind)]),
);

/** Names of the columns that the fields of a kind have in its table, its owner among them. */
export const columnNamesOf = (kind: Kind): ReadonlySet<string> => columnNames[kind] as ReadonlySet<string>;

const columnNames: Readonly<Record<string, ReadonlySet<string>>> = Object.fromEntries(
  KINDS.map((kind) => [
    kind,
    new Set([...columnsOf(kind).map(({ name }) => name), ...(hasOwner(kind) ? ['owner'] : [])]),
  ]),
);

/** What the sums of the hour are kept by (hour-sums.ts); its place in the list is its number in the store. Append only. */
export const HOUR_DIMENSIONS = ['peer', 'process', 'container', 'netns', 'location'] as const;
export type HourDimension = (typeof HOUR_DIMENSIONS)[number];
export const HOUR_TABLE = 'hour';
/** Made when a slice is sealed. */
export const HOUR_SQL = `CREATE TABLE IF NOT EXISTS ${HOUR_TABLE} (dimension INTEGER PRIMARY KEY, sums BLOB NOT NULL)`;

/** `blind` is a JSON array; `ran` was not there in the first release. */
export const SESSION_SQL =
  'CREATE TABLE session (id INTEGER PRIMARY KEY, bootId TEXT, losslogVersion TEXT, kernel TEXT, host TEXT, filter TEXT, started INTEGER, lastNs INTEGER, ended INTEGER, blind TEXT, ran INTEGER)';

/** The first bytes of dropped packets, by the id of the row of `drop`: apart from it, so that reading it takes no longer. */
export const PACKET_SQL = 'CREATE TABLE packet (id INTEGER PRIMARY KEY, begin INTEGER, length INTEGER, bytes BLOB)';

/** What captured bytes begin with, as the column `begin` says; append only. */
export const PACKET_BEGINS: readonly CapturedPacket['begin'][] = ['ethernet', 'ip'];

/** All statements that make an empty slice. */
export function schemaSql(): string[] {
  return [
    `PRAGMA application_id = ${APPLICATION_ID}`,
    `PRAGMA user_version = ${FORMAT_VERSION}`,
    'CREATE TABLE meta (version INTEGER, hour INTEGER, created INTEGER, sealed INTEGER, first INTEGER, last INTEGER, late INTEGER)',
    SESSION_SQL,
    'CREATE TABLE string (id INTEGER PRIMARY KEY, value TEXT NOT NULL)',
    `CREATE TABLE owner (id INTEGER PRIMARY KEY, ${SHARED_COLUMNS.map(columnSql).join(', ')})`,
    ...KINDS.map(kindTableSql),
    PACKET_SQL,
    'CREATE TABLE minute (minute INTEGER, kind INTEGER, what INTEGER, class INTEGER, events INTEGER NOT NULL, segments INTEGER NOT NULL, bytes INTEGER NOT NULL, PRIMARY KEY (minute, kind, what, class)) WITHOUT ROWID',
  ];
}

/** Columns that queries look up, indexed when a slice is sealed. */
const INDEXED = ['src', 'dst', 'owner'] as const;

export const indexName = (kind: Kind, column: string): string => `${kind}_${column}`;

/** The statements that index the table of a kind. Partial: absent values are never sought. */
export function indexSql(kind: Kind): string[] {
  const has = (column: string) =>
    column === 'owner' ? hasOwner(kind) : columnsOf(kind).some(({ name }) => name === column);
  return INDEXED.filter(has).map(
    (column) =>
      `CREATE INDEX IF NOT EXISTS ${indexName(kind, column)} ON ${quoted(kind)} (${column}) WHERE ${column} IS NOT NULL`,
  );
}

/** The integer that stands for an enum value in the store; 0, which no row has, when there is no such value. */
export function enumCode(type: FieldType, value: string): number {
  return typeof type === 'object' ? 1 + type.values.indexOf(value) : 0;
}

/** The integer that stands for a kind in the `minute` rollup. Append only, as {@link KINDS} is. */
export const kindCode = (kind: Kind): number => 1 + KINDS.indexOf(kind);
