/** One event as the values of a row, and back. */

import { type WallNs, wallNs } from '../base/time.ts';
import type { FieldType } from '../event/field.ts';
import type { Event, Kind } from '../event/kinds.ts';
import { type Column, columnsOf, quoted } from './schema.ts';
import type { Bindable } from './sqlite.ts';

/** Key of a text in the dictionary of the slice. */
export type StringKey = (text: string) => number;
/** The text of a key. */
export type StringOf = (key: number) => string;

/**
 * Writes the columns of `event` to `out` from `at` on.
 * @throws TypeError when a value does not have the type of its field.
 */
export function encodeRow(columns: readonly Column[], event: Event, key: StringKey, out: Bindable[], at: number): void {
  const values = event as unknown as Record<string, unknown>;
  for (let i = 0; i < columns.length; i++) {
    const { name, type } = columns[i] as Column;
    const value = values[name];
    out[at + i] = value === undefined ? null : encodeValue(name, type, value, key);
  }
}

function encodeValue(name: string, type: FieldType, value: unknown, key: StringKey): Bindable {
  switch (type) {
    case 'int':
      if (Number.isSafeInteger(value)) return value as number;
      break;
    case 'ratio':
      if (Number.isFinite(value)) return value as number;
      break;
    case 'u64':
    case 'wall':
      if (typeof value === 'bigint') return BigInt.asIntN(64, value);
      break;
    case 'ip':
      if (value instanceof Uint8Array) return value;
      break;
    case 'text':
      if (typeof value === 'string') return key(value);
      break;
    default: {
      const code = 1 + type.values.indexOf(value as string);
      if (code > 0) return code;
    }
  }
  throw new TypeError(`${name} cannot be ${String(value)}`);
}

/** A row as read by {@link selectList}: id, skew, owner, then the columns. */
export type RawRow = readonly (null | number | string | Uint8Array)[];

const is64 = (type: FieldType): boolean => type === 'u64' || type === 'wall';

/**
 * The columns of a SELECT that {@link decodeRow} understands. 64-bit integers come as two halves, because a number
 * cannot hold them and asking node:sqlite for bigints would turn every column of the row into one.
 *
 * @param present names of the columns that the table has; others read as NULL.
 */
export function selectList(columns: readonly Column[], present: ReadonlySet<string>): string {
  const expressions = columns.flatMap(({ name, type }) => {
    const column = present.has(name) ? quoted(name) : 'NULL';
    return is64(type) ? [`${column} >> 32`, `${column} & 4294967295`] : [column];
  });
  return ['id', 'skew', present.has('owner') ? 'owner' : 'NULL', ...expressions].join(', ');
}

/** Columns that {@link selectList} puts before those of the fields. */
const HEAD = 3;

/**
 * The event of a row.
 * @param start the first nanosecond of the slice's hour.
 * @param owner the fields that its owner has.
 */
export function decodeRow(
  kind: Kind,
  row: RawRow,
  start: WallNs,
  owner: Readonly<Record<string, unknown>> | undefined,
  stringOf: StringOf,
): Event {
  const time = wallNs(start + BigInt((row[0] as number) + (row[1] as number)));
  const event: Record<string, unknown> = { kind, time, ...owner };
  decodeColumns(columnsOf(kind), row, HEAD, stringOf, event);
  return event as unknown as Event;
}

/** Adds to `fields` those that a row has from `at` on, where they are not NULL. */
export function decodeColumns(
  columns: readonly Column[],
  row: RawRow,
  at: number,
  stringOf: StringOf,
  fields: Record<string, unknown>,
): void {
  for (const { name, type } of columns) {
    const value = row[at++] as RawRow[number];
    const low = is64(type) ? row[at++] : undefined;
    if (value !== null) fields[name] = decodeValue(type, value, low as number, stringOf);
  }
}

function decodeValue(type: FieldType, value: number | string | Uint8Array, low: number, stringOf: StringOf): unknown {
  switch (type) {
    case 'int':
    case 'ratio':
    case 'ip':
      return value;
    case 'u64':
      return BigInt.asUintN(64, (BigInt(value as number) << 32n) | BigInt(low));
    case 'wall':
      return (BigInt(value as number) << 32n) | BigInt(low);
    case 'text':
      return stringOf(value as number);
    default:
      return type.values[(value as number) - 1];
  }
}
