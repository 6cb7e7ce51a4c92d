/**
 * Columns of a sealed slice, each as one value: what filters ask of and counts are made by. A cell costs a nanosecond to look at where a row of SQLite
 * costs a hundred, so that a filter and a sum over a million events take some milliseconds; and finding rows needs no index, which is larger.
 */

import { LosslogError } from '../base/errors.ts';
import { fieldsOf, type Kind } from '../event/kinds.ts';
import { type Address, PackedReader } from './packed.ts';
import { RECEIVED } from './rollup.ts';
import { hasOwner, kindCode } from './schema.ts';

/** Kinds that have packed columns: those of which there are many. */
export const PACKED_KINDS = ['retransmit', 'drop', 'reset'] as const satisfies readonly Kind[];
export const isPackedKind = (kind: Kind): boolean => (PACKED_KINDS as readonly Kind[]).includes(kind);

/** Addresses are numbered over all kinds. */
export const ADDRESSES = ['src', 'dst'];
const COLUMNS = ['sport', 'dport', 'cause', 'reason', 'location', 'class', 'direction', 'segments', 'bytes'];

/** @returns the columns of a kind that are packed, but for `id` and `skew` */
export const packedOf = (kind: Kind): readonly string[] => [
  ...(hasOwner(kind) ? ['owner'] : []),
  ...[...ADDRESSES, ...COLUMNS].filter((name) => name in fieldsOf(kind)),
];

export const PACKED_TABLE = 'packed';
/** Made when a slice is sealed. A cell is a value and `base`; where `nullable`, a cell of 0 stands for NULL. Of width 0 all cells are 0. */
export const PACKED_SQL = `CREATE TABLE IF NOT EXISTS ${PACKED_TABLE} (kind INTEGER, name TEXT, width INTEGER, base INTEGER, nullable INTEGER, cells BLOB)`;
/** What there is, without the cells, which lie on pages of their own. */
export const PACKED_LIST = `SELECT rowid, kind, name, width, base, nullable FROM ${PACKED_TABLE}`;
export const PACKED_CELLS = `SELECT cells FROM ${PACKED_TABLE} WHERE rowid = ?`;

/** Little-endian, as both architectures that losslog runs on. */
export const ARRAYS = { 1: Uint8Array, 2: Uint16Array, 4: Uint32Array, 8: Float64Array } as const;
export type Width = 0 | keyof typeof ARRAYS;

export interface Cells {
  /** Nearly always of 16 bits: a loop is several times quicker where it has only met arrays of one type. */
  readonly cells: Uint16Array | Uint32Array | Float64Array;
  /** Value of a cell: the cell less this. */
  readonly base: number;
  /** A cell of 0 stands for NULL. */
  readonly nullable: boolean;
}

/** The cell that stands for a value, or a number that no cell is. */
export function cellOf({ base, nullable }: Cells, value: number): number {
  const cell = value + base;
  return cell < Number(nullable) ? -1 : cell;
}

/** What a cell stands for. */
export const valueIn = ({ base, nullable }: Cells, cell: number): number | null =>
  nullable && cell === 0 ? null : cell - base;

/** Ids are kept as their lower half, and for each upper half as the number of rows up to its end. */
export const HALF = 2 ** 32;
export const HALVES = 'idHalves';
/** In place of a kind: of all. */
export const ANY = 0;

/** Width, base, nullable and cells of a kind and a name; undefined when there is none. */
export type ReadPacked = (kind: number, name: string) => readonly unknown[] | undefined;

/** Addresses one after the other, each its length and its bytes, numbered from 0. @throws STORE */
export const readAddressBytes = (read: ReadPacked): Uint8Array<ArrayBuffer> => bytesOf(read(ANY, 'address'));

/** @throws STORE */
export function addressesIn(bytes: Uint8Array): Address[] {
  const reader = new PackedReader(bytes);
  const addresses: Address[] = [];
  while (!reader.isAtEnd) addresses.push(reader.takeAddress() ?? new Uint8Array());
  return addresses;
}

/** The number of one address; undefined when it is not there. Node's own search tells that of most slices, and needs no warming up. */
export function numberOfAddress(bytes: Uint8Array<ArrayBuffer>, address: Uint8Array): number | undefined {
  const all = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const entry = Buffer.from([address.length, ...address]);
  let [at, number] = [0, 0];
  for (let found = all.indexOf(entry); found >= 0; found = all.indexOf(entry, found + 1)) {
    for (; at < found; number++) at += 1 + (bytes[at] as number);
    if (at === found) return number;
  }
  return undefined;
}

/** The packed columns of a kind, each read when it is first looked at. */
export class PackedColumns {
  readonly kind: Kind;
  readonly rows: number;
  readonly #source: ReadPacked;
  /** For each upper half of an id, the first row beyond it. */
  readonly #ends: Cells['cells'];
  readonly #read = new Map<string, Cells>();

  /** Undefined when the slice has no rows of the kind. @throws STORE */
  static read(read: ReadPacked, kind: Kind): PackedColumns | undefined {
    const row = read(kindCode(kind), HALVES);
    return row && new PackedColumns(read, kind, cellsOf(row, 0).cells);
  }

  private constructor(read: ReadPacked, kind: Kind, ends: Cells['cells']) {
    this.#source = read;
    this.kind = kind;
    this.#ends = ends;
    this.rows = ends.at(-1) ?? 0;
  }

  /** Memory that was read so far takes. */
  get bytes(): number {
    let bytes = this.#ends.byteLength;
    for (const { cells } of this.#read.values()) bytes += cells.byteLength;
    return bytes;
  }

  /** @throws STORE */
  cells(name: string): Cells {
    let cells = this.#read.get(name);
    if (!cells) {
      cells = cellsOf(this.#source(kindCode(this.kind), name), this.rows);
      if (cells.cells.length !== this.rows) throw damaged();
      this.#read.set(name, cells);
    }
    return cells;
  }

  /** Numbers of the peers' addresses, as {@link peerSql} tells who the peer is. */
  peers(): Cells {
    if (this.kind !== 'drop') return this.cells('dst');
    const [src, dst, direction] = [this.cells('src'), this.cells('dst'), this.cells('direction')];
    const received = cellOf(direction, RECEIVED);
    const cells = new Uint32Array(this.rows);
    for (let i = 0; i < cells.length; i++) {
      const from = direction.cells[i] === received ? src : dst;
      cells[i] = (valueIn(from, from.cells[i] as number) ?? -1) + 1;
    }
    return { cells: cells.some((cell) => cell >= 2 ** 16) ? cells : new Uint16Array(cells), base: 1, nullable: true };
  }

  /** Ids of some rows, in the order of the table. */
  ids(rows: Uint32Array): Float64Array {
    const ids = new Float64Array(rows.length);
    const { cells: lower } = this.cells('id');
    let half = 0;
    for (let i = 0; i < rows.length; i++) {
      const row = rows[i] as number;
      while (row >= (this.#ends[half] as number)) half++;
      ids[i] = half * HALF + (lower[row] as number);
    }
    return ids;
  }

  /** Their times in ns since the hour began. */
  times(rows: Uint32Array): Float64Array {
    const times = this.ids(rows);
    const { cells, base } = this.cells('skew');
    for (let i = 0; i < rows.length; i++) times[i] = (times[i] as number) + (cells[rows[i] as number] as number) - base;
    return times;
  }
}

/** @throws STORE */
function cellsOf(row: ReturnType<ReadPacked>, rows: number): Cells {
  const [width, base = 0, nullable] = (row ?? []) as [Width?, number?, number?];
  const about = { base, nullable: nullable === 1 };
  if (width === 0) return { ...about, cells: zeros(rows) };
  const array = width && ARRAYS[width];
  const bytes = bytesOf(row);
  if (!array || bytes.length % width !== 0) throw damaged();
  // A view begins where its numbers may.
  const { buffer, byteOffset } = bytes.byteOffset % width === 0 ? bytes : bytes.slice();
  const cells = new array(buffer, byteOffset, bytes.length / width);
  return { ...about, cells: cells instanceof Uint8Array ? new Uint16Array(cells) : cells };
}

let someZeros = new Uint16Array();

/** Of the same memory each time. */
function zeros(count: number): Uint16Array {
  if (someZeros.length < count) someZeros = new Uint16Array(count);
  return someZeros.subarray(0, count);
}

function bytesOf(row: ReturnType<ReadPacked>): Uint8Array<ArrayBuffer> {
  const bytes = row?.[3];
  if (!(bytes instanceof Uint8Array)) throw damaged();
  return bytes as Uint8Array<ArrayBuffer>;
}

const damaged = (): LosslogError => new LosslogError('STORE', 'its packed columns are not what was written');
