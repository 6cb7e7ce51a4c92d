/**
 * What an hour lost by peer, process, container, namespace and place: made when the slice is sealed (keeping it as events come took a third of the time of
 * storing), and packed, since to read thousands of peers in each of many slices row by row takes ten times as long.
 */

import type { DatabaseSync } from 'node:sqlite';
import { LosslogError } from '../base/errors.ts';
import type { Kind } from '../event/kinds.ts';
import type { Addresses } from './addresses.ts';
import { PackedReader, PackedWriter } from './packed.ts';
import { type Cells, cellOf, PACKED_KINDS, type PackedColumns, valueIn } from './packed-columns.ts';
import { PackedSlice } from './packed-slice.ts';
import { BENIGN, isOf, peerSql } from './rollup.ts';
import { HOUR_DIMENSIONS, HOUR_SQL, HOUR_TABLE, type HourDimension } from './schema.ts';
import type { SliceReader } from './slice-reader.ts';

/** What is counted for a key, in this order. */
const COLUMNS = ['retransmissions', 'segments', 'bytes', 'drops', 'benign', 'resets'] as const;
type Column = (typeof COLUMNS)[number];

/** What was lost under a key; `benign` drops are not in `drops`. */
export interface HourSum extends Record<Column, number> {
  /** Address of a peer, IPv4 as a signed number of 32 bits; else the key of a text or the inode of a namespace. Absent where unknown. */
  readonly key: Uint8Array | number | undefined;
}

/** As a key; packed, keys that are numbers are counted from it. */
const UNKNOWN = -1;
const SIZE = COLUMNS.length;

/** Sums under keys that are numbers, in one array: a slice may have a hundred thousand peers. */
class Sums {
  readonly #places = new Map<number, number>();
  #counts = new Float64Array(64 * SIZE);

  /** @param added what is added to each of {@link COLUMNS} */
  add(key: number, added: ArrayLike<number>): void {
    let place = this.#places.get(key);
    if (place === undefined) {
      place = this.#places.size * SIZE;
      this.#places.set(key, place);
      if (place === this.#counts.length) {
        const longer = new Float64Array(2 * place);
        longer.set(this.#counts);
        this.#counts = longer;
      }
    }
    for (let at = 0; at < SIZE; at++) {
      this.#counts[place + at] = (this.#counts[place + at] as number) + (added[at] as number);
    }
  }

  *rows(): Generator<[key: number, counts: Float64Array]> {
    for (const [key, place] of this.#places) yield [key, this.#counts.subarray(place, place + SIZE)];
  }
}

/** Sums up the events of a slice whose columns are packed, within the transaction of the caller. */
export function sumUpHour(db: DatabaseSync, addresses: Addresses): void {
  const [peers, owners, locations] = [new Sums(), new Sums(), new Sums()];
  const packed = new PackedSlice(db);
  for (const columns of PACKED_KINDS.map((kind) => packed.of(kind)).filter((one) => one !== undefined)) {
    addColumns(peers, columns, columns.peers());
    addColumns(owners, columns, columns.cells('owner'));
    if (columns.kind === 'drop') addColumns(locations, columns, columns.cells('location'));
  }
  addSummaries(db, peers, peerSql('summary'), (bytes) => addresses.numberOf(bytes as Uint8Array));
  addSummaries(db, owners, 'owner', Number);
  addSummaries(db, locations, 'location', Number, `AND ${isOf('drop')}`);
  db.exec(HOUR_SQL);
  const insert = db.prepare(`INSERT OR REPLACE INTO ${HOUR_TABLE} VALUES (?, ?)`);
  const addPeer = (to: PackedWriter, key: number): void =>
    to.addAddress(key === UNKNOWN ? new Uint8Array() : addresses.at(key));
  const addKey = (to: PackedWriter, key: number): void => to.addNumber(key - UNKNOWN);
  insert.run(codeOf('peer'), packedSums(peers, addPeer));
  for (const field of ['process', 'container', 'netns'] as const) {
    insert.run(codeOf(field), packedSums(byField(db, owners, field), addKey));
  }
  insert.run(codeOf('location'), packedSums(locations, addKey));
}

const codeOf = (dimension: HourDimension): number => 1 + HOUR_DIMENSIONS.indexOf(dimension);

function addColumns(sums: Sums, columns: PackedColumns, keys: Cells): void {
  const added = new Float64Array(SIZE);
  const put = (column: Column, value: number): void => {
    added[COLUMNS.indexOf(column)] = value;
  };
  const [segments, bytes] = columns.kind === 'retransmit' ? [columns.cells('segments'), columns.cells('bytes')] : [];
  const dropClass = columns.kind === 'drop' ? columns.cells('class') : undefined;
  const benign = dropClass && cellOf(dropClass, BENIGN);
  put('retransmissions', Number(columns.kind === 'retransmit'));
  put('resets', Number(columns.kind === 'reset'));
  for (let row = 0; row < columns.rows; row++) {
    if (segments) put('segments', valueIn(segments, segments.cells[row] as number) ?? 0);
    if (bytes) put('bytes', valueIn(bytes, bytes.cells[row] as number) ?? 0);
    if (dropClass) {
      const isBenign = dropClass.cells[row] === benign;
      put('drops', Number(!isBenign));
      put('benign', Number(isBenign));
    }
    sums.add(valueIn(keys, keys.cells[row] as number) ?? UNKNOWN, added);
  }
}

/** What one `summary` adds to each column. */
const SUMMED: Record<Column, string> = {
  retransmissions: ofSummary('retransmit', 'events'),
  segments: ofSummary('retransmit', 'ifnull(segments, 0)'),
  bytes: ofSummary('retransmit', 'ifnull(bytes, 0)'),
  drops: ofSummary('drop', `iif(class IS ${BENIGN}, 0, events)`),
  benign: ofSummary('drop', `iif(class IS ${BENIGN}, events, 0)`),
  resets: ofSummary('reset', 'events'),
};

function ofSummary(kind: Kind, count: string): string {
  return `CASE WHEN ${isOf(kind)} THEN ${count} ELSE 0 END`;
}

/** @param keyOf what stands for a value of `expression`, where that is not NULL */
function addSummaries(
  db: DatabaseSync,
  sums: Sums,
  expression: string,
  keyOf: (value: unknown) => number,
  condition = '',
): void {
  const select = db.prepare(
    `SELECT ${expression}, ${COLUMNS.map((name) => SUMMED[name])} FROM summary WHERE events > 0 ${condition}`,
  );
  select.setReturnArrays(true);
  for (const [value, ...counts] of select.iterate() as unknown as Iterable<[unknown, ...number[]]>) {
    sums.add(value === null ? UNKNOWN : keyOf(value), counts);
  }
}

/** Sums by owner as sums by one of its fields. */
function byField(db: DatabaseSync, owners: Sums, field: string): Sums {
  const select = db.prepare(`SELECT id, ${field} FROM owner`);
  select.setReturnArrays(true);
  const fields = new Map(select.all() as unknown as [number, number | null][]);
  const sums = new Sums();
  for (const [owner, counts] of owners.rows()) sums.add(fields.get(owner) ?? UNKNOWN, counts);
  return sums;
}

function packedSums(sums: Sums, addKey: (to: PackedWriter, key: number) => void): Uint8Array {
  const writer = new PackedWriter();
  for (const [key, counts] of sums.rows()) {
    addKey(writer, key);
    for (const count of counts) writer.addNumber(count);
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
      key: dimension === 'peer' ? reader.takeAddress() : takeKey(reader),
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

function takeKey(reader: PackedReader): HourSum['key'] {
  const key = reader.takeNumber() + UNKNOWN;
  return key === UNKNOWN ? undefined : key;
}
