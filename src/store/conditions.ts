/** What a filter asks of the columns of a kind: as SQL, and as the values that fulfil it. */

import { type Cidr, cidrContains, cidrRange } from '../base/ip.ts';
import type { Filter } from '../event/filter.ts';
import { fieldsOf, type Kind } from '../event/kinds.ts';
import { type Address, IPV4_BYTES } from './packed.ts';
import type { PackedSlice } from './packed-slice.ts';
import { enumCode, quoted } from './schema.ts';
import type { SliceReader } from './slice-reader.ts';
import type { Bindable } from './sqlite.ts';

export interface Sql {
  readonly sql: string;
  readonly parameters: readonly Bindable[];
}

export interface Condition {
  /** The columns that it is about: all must exist, and one of them must fulfil it. */
  readonly columns: readonly string[];
  /** Tests one column, named `?` in the text. */
  readonly test: (column: string) => string;
  readonly parameters: readonly Bindable[];
  /** The values that fulfil it, those of addresses as their numbers among the packed columns. */
  readonly values: (packed: PackedSlice) => readonly number[];
}

/** The unary + keeps SQLite from using an index here: whether that pays has been found out before. */
export function anyOf({ columns, test, parameters }: Condition): Sql {
  return {
    sql: `(${columns.map((column) => test(`+${quoted(column)}`)).join(' OR ')})`,
    parameters: columns.flatMap(() => parameters),
  };
}

/** What the filter asks of the columns, or undefined when no row of this slice can fulfil it. */
export function conditionsOf(slice: SliceReader, kind: Kind, filter: Filter): Condition[] | undefined {
  const reason = textCondition(slice, 'reason', 'value = ? COLLATE NOCASE', filter.reason);
  const location = textCondition(
    slice,
    'location',
    "value = ?1 OR substr(value, 1, length(?1) + 1) = ?1 || '+'",
    filter.location,
  );
  const owner = ownerCondition(slice, filter);
  if (reason === 'none' || location === 'none' || owner === 'none') return undefined;
  return [
    owner,
    filter.peer && peerCondition(filter.peer),
    reason,
    location,
    equals(['sport', 'dport'], filter.port),
    equals(['cause'], filter.cause === undefined ? undefined : causeCode(kind, filter.cause)),
  ].filter((condition) => condition !== undefined);
}

/** What is asked of where and whose; 'none' when no owner of this slice is such. */
function ownerCondition(slice: SliceReader, filter: Filter): Condition | 'none' | undefined {
  const texts = [
    textCondition(slice, 'process', 'value = ?', filter.process),
    textCondition(slice, 'container', 'substr(value, 1, length(?1)) = ?1', filter.container),
  ];
  if (texts.includes('none')) return 'none';
  const conditions = [
    equals(['pid'], filter.pid),
    equals(['netns'], filter.netns),
    ...(texts as (Condition | undefined)[]),
  ]
    .filter((condition) => condition !== undefined)
    .map(anyOf);
  if (conditions.length === 0) return undefined;
  const owners = `SELECT id FROM owner WHERE ${conditions.map(({ sql }) => sql).join(' AND ')}`;
  const parameters = conditions.flatMap((condition) => condition.parameters);
  return {
    columns: ['owner'],
    test: (column) => `${column} IN (${owners})`,
    parameters,
    values: () => slice.all(owners, parameters).map(([id]) => id as number),
  };
}

function equals(columns: readonly string[], value: number | undefined): Condition | undefined {
  if (value === undefined) return undefined;
  return { columns, test: (column) => `${column} = ?`, parameters: [value], values: () => [value] };
}

function causeCode(kind: Kind, cause: string): number {
  const { cause: field } = fieldsOf(kind);
  return field ? enumCode(field.type, cause) : 0;
}

/** Equality with one of the texts of the dictionary; 'none' when the slice has no such text at all. */
function textCondition(
  slice: SliceReader,
  column: string,
  condition: string,
  text: string | undefined,
): Condition | 'none' | undefined {
  if (text === undefined) return undefined;
  const keys = slice.keysWhere(condition, [text]);
  if (keys.length === 0) return 'none';
  return { columns: [column], test: (name) => `${name} IN (${keys.join()})`, parameters: [], values: () => keys };
}

function peerCondition(peer: Cidr): Condition {
  const columns = ['src', 'dst'];
  if (peer.prefixLength === peer.address.length * 8) {
    const values = (packed: PackedSlice) => [packed.numberOf(peer.address)].filter((number) => number !== undefined);
    return { columns, test: (column) => `${column} = ?`, parameters: [peer.address], values };
  }
  const values = (packed: PackedSlice) =>
    packed.addresses().flatMap((address, number) => (isIn(peer, address) ? [number] : []));
  const { first, last } = cidrRange(peer);
  // BLOBs compare byte by byte, so addresses of the other family may lie between the two.
  const test = (column: string) => `(${column} BETWEEN ? AND ? AND length(${column}) = ${first.length})`;
  return { columns, test, parameters: [first, last], values };
}

function isIn(peer: Cidr, address: Address): boolean {
  if (typeof address !== 'number') return cidrContains(peer, address);
  if (peer.address.length !== IPV4_BYTES) return false;
  const block = new DataView(peer.address.buffer, peer.address.byteOffset).getInt32(0);
  return peer.prefixLength === 0 || (address ^ block) >>> (8 * IPV4_BYTES - peer.prefixLength) === 0;
}
