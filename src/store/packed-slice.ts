/** The packed columns of a sealed slice, and what was selected by them, as far as it was read. */

import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { Lru } from '../base/lru.ts';
import { getOrMake } from '../base/map.ts';
import type { Kind } from '../event/kinds.ts';
import type { Address } from './packed.ts';
import {
  addressesIn,
  isPackedKind,
  numberOfAddress,
  PACKED_CELLS,
  PACKED_LIST,
  PackedColumns,
  type ReadPacked,
  readAddressBytes,
} from './packed-columns.ts';
import type { Selection } from './selection.ts';

/** Selections that are remembered: what a filter selects of each kind, with benign drops and without. */
const MAX_SELECTIONS = 4;
/** What an address takes in memory, roughly. */
const ADDRESS_BYTES = 16;

export class PackedSlice {
  readonly #db: DatabaseSync;
  readonly #columns = new Map<Kind, PackedColumns>();
  readonly #selections = new Lru<string, Selection | 'none'>(MAX_SELECTIONS);
  #addresses: readonly Address[] | undefined;
  #addressBytes: Uint8Array<ArrayBuffer> | undefined;
  #select: StatementSync | undefined;
  #list: ReadonlyMap<string, readonly unknown[]> | undefined;

  constructor(db: DatabaseSync) {
    this.#db = db;
  }

  /** The columns of a kind; undefined when it has none, or no rows. */
  of(kind: Kind): PackedColumns | undefined {
    const known = this.#columns.get(kind);
    if (known || !isPackedKind(kind)) return known;
    const columns = PackedColumns.read(this.#read, kind);
    if (columns) this.#columns.set(kind, columns);
    return columns;
  }

  /** Addresses by their numbers. @throws STORE */
  addresses(): readonly Address[] {
    this.#addresses ??= addressesIn(this.#packedAddresses());
    return this.#addresses;
  }

  /** The number of an address; undefined when the slice does not have it. @throws STORE */
  numberOf(address: Uint8Array): number | undefined {
    return numberOfAddress(this.#packedAddresses(), address);
  }

  #packedAddresses(): Uint8Array<ArrayBuffer> {
    this.#addressBytes ??= readAddressBytes(this.#read);
    return this.#addressBytes;
  }

  /** What `select` selects, remembered. */
  selectOnce(key: string, select: () => Selection | 'none'): Selection | 'none' {
    return getOrMake(this.#selections, key, select);
  }

  /** Memory that all of it takes. */
  get bytes(): number {
    let bytes = ADDRESS_BYTES * (this.#addresses?.length ?? 0) + (this.#addressBytes?.length ?? 0);
    for (const columns of this.#columns.values()) bytes += columns.bytes;
    for (const selection of this.#selections.values()) if (selection !== 'none') bytes += selection.rows.byteLength;
    return bytes;
  }

  /** Frees it: it is quickly read again. */
  forget(): void {
    this.#columns.clear();
    this.#selections.clear();
    this.#addresses = undefined;
    this.#addressBytes = undefined;
  }

  readonly #read: ReadPacked = (kind, name) => {
    const [rowid, ...about] = this.#listed().get(`${kind} ${name}`) ?? [];
    if (rowid === undefined) return undefined;
    if (!this.#select) {
      this.#select = this.#db.prepare(PACKED_CELLS);
      this.#select.setReturnArrays(true);
    }
    const [cells] = (this.#select.get(rowid as number) ?? []) as unknown as readonly unknown[];
    return [...about, cells];
  };

  /** Row id, width, base and nullable by kind and name. */
  #listed(): ReadonlyMap<string, readonly unknown[]> {
    if (this.#list) return this.#list;
    const select = this.#db.prepare(PACKED_LIST);
    select.setReturnArrays(true);
    const rows = select.all() as unknown as readonly unknown[][];
    this.#list = new Map(rows.map(([rowid, kind, name, ...about]) => [`${kind} ${name}`, [rowid, ...about]]));
    return this.#list;
  }
}
