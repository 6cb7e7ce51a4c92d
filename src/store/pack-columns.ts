/** Packs the columns of a slice when it is sealed (packed-columns.ts). */

import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { Kind } from '../event/kinds.ts';
import type { Addresses } from './addresses.ts';
import { numbersOf } from './kind-sums.ts';
import { PackedWriter } from './packed.ts';
import {
  ADDRESSES,
  ANY,
  ARRAYS,
  HALF,
  HALVES,
  PACKED_KINDS,
  PACKED_SQL,
  PACKED_TABLE,
  packedOf,
  type Width,
} from './packed-columns.ts';
import { kindCode, quoted } from './schema.ts';

/** Packs the columns of a slice, within the transaction of the caller. */
export function packColumns(db: DatabaseSync, addresses: Addresses): void {
  db.exec(`${PACKED_SQL}; DELETE FROM ${PACKED_TABLE}`);
  const insert = db.prepare(`INSERT INTO ${PACKED_TABLE} VALUES (?, ?, ?, ?, ?, ?)`);
  for (const kind of PACKED_KINDS) packKind(db, kind, addresses, insert);
  const packed = new PackedWriter();
  for (let number = 0; number < addresses.size; number++) packed.addAddress(addresses.at(number));
  insert.run(ANY, 'address', 1, 0, 0, packed.bytes());
}

function packKind(db: DatabaseSync, kind: Kind, addresses: Addresses, insert: StatementSync): void {
  const ids = columnOf(db, kind, 'id') as number[];
  if (ids.length === 0) return;
  const lower = Uint32Array.from(ids, (id) => id % HALF);
  for (const [name, cells] of [
    ['id', lower],
    [HALVES, halfEnds(ids)],
  ] as const) {
    insert.run(kindCode(kind), name, cells.BYTES_PER_ELEMENT, 0, 0, new Uint8Array(cells.buffer));
  }
  // Another release may have made the table with fewer columns.
  const rows = db.prepare(`SELECT name FROM pragma_table_info('${kind}')`).all() as { name: string }[];
  const present = new Set(rows.map(({ name }) => name));
  for (const name of ['skew', ...packedOf(kind)].filter((name) => present.has(name))) {
    const values = ADDRESSES.includes(name) ? addressesOf(db, kind, name, addresses) : columnOf(db, kind, name);
    const { width, base, nullable, bytes } = packedCells(values);
    insert.run(kindCode(kind), name, width, base, Number(nullable), bytes);
  }
}

/** One column at a time: a hundred thousand rows shall not be in memory at once. */
function columnOf(db: DatabaseSync, kind: Kind, name: string): (number | null)[] {
  return numbersOf(textOf(db, kind, `ifnull(${quoted(name)}, 'null')`, ','));
}

/** Read as a length and so many bytes each, in hexadecimal: no text of its own for each of a hundred thousand. */
function addressesOf(db: DatabaseSync, kind: Kind, name: string, addresses: Addresses): (number | null)[] {
  const address = quoted(name);
  const length = `ifnull(length(${address}), 0)`;
  // printf() takes as long as all the rest.
  const prefix = `CASE ${length} WHEN 4 THEN '04' WHEN 16 THEN '10' ELSE printf('%02x', ${length}) END`;
  const all = Buffer.from(textOf(db, kind, `${prefix} || hex(${address})`, ''), 'hex');
  const numbers: (number | null)[] = [];
  for (let at = 0; at < all.length; ) {
    const begin = at + 1;
    at = begin + (all[at] as number);
    numbers.push(at === begin ? null : addresses.numberOf(all.subarray(begin, at)));
  }
  return numbers;
}

function textOf(db: DatabaseSync, kind: Kind, expression: string, between: string): string {
  const rows = `SELECT ${expression} AS value FROM ${quoted(kind)} ORDER BY id`;
  const { text } = db.prepare(`SELECT group_concat(value, '${between}') AS text FROM (${rows})`).get() as {
    text: string | null;
  };
  return text ?? '';
}

function halfEnds(ids: readonly number[]): Uint32Array {
  const ends: number[] = [];
  for (let at = 0; at < ids.length; ends.push(at)) {
    while (at < ids.length && (ids[at] as number) < (ends.length + 1) * HALF) at++;
  }
  return Uint32Array.from(ends);
}

function packedCells(values: readonly (number | null)[]): {
  width: Width;
  base: number;
  nullable: boolean;
  bytes: Uint8Array;
} {
  let [least, most, nullable] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, false];
  for (const value of values) {
    if (value === null) nullable = true;
    else {
      if (value > most) most = value;
      if (value < least) least = value;
    }
  }
  const base = most < least ? 0 : Number(nullable) - least;
  const width = ([0, 1, 2, 4] as const).find((bytes) => most + base < 2 ** (8 * bytes)) ?? 8;
  if (width === 0) return { width, base, nullable, bytes: new Uint8Array() };
  const cells = new ARRAYS[width](values.length);
  for (let i = 0; i < values.length; i++) {
    const value = values[i] as number | null;
    if (value !== null) cells[i] = value + base;
  }
  return { width, base, nullable, bytes: new Uint8Array(cells.buffer) };
}
