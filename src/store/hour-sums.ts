/**
 * What an hour lost by peer, process, container, namespace and place: made when the slice is sealed (keeping it as events come took a third of the time of
 * storing), and packed, since to read thousands of peers in each of many slices row by row takes ten times as long.
 */

import type { DatabaseSync } from 'node:sqlite';
import { LosslogError } from '../base/errors.ts';
import type { Kind } from '../event/kinds.ts';
import { PackedReader, PackedWriter } from './packed.ts';
import { BENIGN, isOf, peerSql } from './rollup.ts';
import { HOUR_DIMENSIONS, HOUR_SQL, HOUR_TABLE, type HourDimension, quoted } from './schema.ts';
import type { SliceReader } from './slice-reader.ts';

/** What is counted for a key, in this order. */
const COLUMNS = ['retransmissions', 'segments', 'bytes', 'drops', 'benign', 'resets'] as const;
type Column = (typeof COLUMNS)[number];

/** What was lost under a key; `benign` drops are not in `drops`. */
export interface HourSum extends Record<Column, number> {
  /** Address of a peer, IPv4 as a signed number of 32 bits; else the key of a text or the inode of a namespace. Absent where unknown. */
  readonly key: Uint8Array | number | undefined;
}

const COUNTED_KINDS = ['retransmit', 'drop', 'reset', 'summary'] as const satisfies readonly Kind[];
type CountedKind = (typeof COUNTED_KINDS)[number];

/** What one row of a kind adds to each column; nothing, where it is not named. */
const ADDED: Record<CountedKind, Partial<Record<Column, string>>> = {
  retransmit: { retransmissions: '1', segments: 'ifnull(segments, 0)', bytes: 'ifnull(bytes, 0)' },
  drop: { drops: `class IS NOT ${BENIGN}`, benign: `class IS ${BENIGN}` },
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

const IPV4_BYTES = 4;
/** As a key that is a number; packed, such keys are counted from it. */
const UNKNOWN = -1;
const SUMS = COLUMNS.map((name) => `sum(${name}) AS ${name}`).join();
const BY_OWNER = 'temp.lost_by_owner';

/** The keys of a dimension with their sums, as SQL; those of owners from {@link BY_OWNER}. */
const SELECTED: Record<HourDimension, string> = {
  peer: summed(COUNTED_KINDS, (kind) => `ifnull(${peerSql(kind)}, x'')`),
  process: ofOwners('process'),
  container: ofOwners('container'),
  netns: ofOwners('netns'),
  location: summed(['drop', 'summary'], () => `ifnull(location, ${UNKNOWN})`, `AND ${isOf('drop')}`),
};

function summed(kinds: readonly CountedKind[], key: (kind: CountedKind) => string, ofSummaries = ''): string {
  const counted = kinds.map((kind) => {
    const counts = COLUMNS.map((name) => `${ADDED[kind][name] ?? '0'} AS ${name}`).join();
    const where = kind === 'summary' ? `WHERE events > 0 ${ofSummaries}` : '';
    return `SELECT ${key(kind)} AS key, ${counts} FROM ${quoted(kind)} ${where}`;
  });
  return `SELECT key, ${SUMS} FROM (${counted.join(' UNION ALL ')}) GROUP BY key`;
}

function ofOwners(field: string): string {
  return `SELECT ifnull(owner.${field}, ${UNKNOWN}), ${SUMS} FROM ${BY_OWNER} LEFT JOIN owner ON owner.id = key GROUP BY 1`;
}

/** Sums up the events of a slice, within the transaction of the caller. */
export function sumUpHour(db: DatabaseSync): void {
  db.exec(`${HOUR_SQL}; CREATE TABLE ${BY_OWNER} AS ${summed(COUNTED_KINDS, () => 'owner')}`);
  const insert = db.prepare(`INSERT OR REPLACE INTO ${HOUR_TABLE} VALUES (?, ?)`);
  for (const dimension of HOUR_DIMENSIONS) insert.run(codeOf(dimension), packed(db, SELECTED[dimension]));
  db.exec(`DROP TABLE ${BY_OWNER}`);
}

const codeOf = (dimension: HourDimension): number => 1 + HOUR_DIMENSIONS.indexOf(dimension);

/** One by one: a hundred thousand peers shall not be in memory at once. */
function packed(db: DatabaseSync, sql: string): Uint8Array {
  const select = db.prepare(sql);
  select.setReturnArrays(true);
  const writer = new PackedWriter();
  for (const row of select.iterate() as unknown as Iterable<[Uint8Array | number, ...number[]]>) {
    const [key, ...sums] = row;
    if (key instanceof Uint8Array) {
      writer.addNumber(key.length);
      writer.addBytes(key);
    } else writer.addNumber(key - UNKNOWN);
    for (const sum of sums) writer.addNumber(sum);
  }
  return writer.bytes();
}

/** Whether a slice has the sums: before it is sealed it has none. */
export const hasHourSums = ({ indexes }: SliceReader): boolean => indexes.has(HOUR_TABLE);

/** The sums of a slice by a dimension. @throws STORE when they are not what {@link sumUpHour} wrote. */
export function hourSums(slice: SliceReader, dimension: HourDimension): HourSum[] {
  const [[sums] = []] = slice.all(`SELECT sums FROM ${HOUR_TABLE} WHERE dimension = ${codeOf(dimension)}`);
  if (!(sums instanceof Uint8Array)) throw new LosslogError('STORE', `there are no sums of the hour by ${dimension}`);
  const reader = new PackedReader(sums);
  const rows: HourSum[] = [];
  while (!reader.isAtEnd) {
    rows.push({
      key: dimension === 'peer' ? takeAddress(reader) : takeKey(reader),
      retransmissions: reader.takeNumber(),
      segments: reader.takeNumber(),
      bytes: reader.takeNumber(),
      drops: reader.takeNumber(),
      benign: reader.takeNumber(),
      resets: reader.takeNumber(),
    });
  }
  return rows;
}

function takeAddress(reader: PackedReader): HourSum['key'] {
  const length = reader.takeNumber();
  if (length === IPV4_BYTES) return reader.takeInt32();
  return length === 0 ? undefined : reader.takeBytes(length);
}

function takeKey(reader: PackedReader): HourSum['key'] {
  const key = reader.takeNumber() + UNKNOWN;
  return key === UNKNOWN ? undefined : key;
}
