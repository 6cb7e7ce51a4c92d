/** Reading a few fields of very many events: what `events()` does, without making an object of thirty fields of each. */

import { fieldsOf, type Kind } from '../event/kinds.ts';
import type { RawRow } from './row.ts';
import { quoted } from './schema.ts';
import type { SliceReader } from './slice-reader.ts';

/** A value as {@link Scan} hands it over: numbers, enums and texts as in events, addresses as hexadecimal text. */
export type Cell = number | string | undefined;

/** What is wanted of the events of one kind. */
export interface Scan<T> {
  readonly kind: Kind;
  /** Names of fields of `int`, `text`, `ip` or an enum; 64-bit ones do not fit. */
  readonly fields: readonly string[];
  /** A further condition as SQL, or undefined for none. */
  readonly where?: (slice: SliceReader) => string;
  /**
   * @param cells the values, in the order of `fields`
   * @param ns time in ns since the hour of the slice began
   */
  make(cells: readonly Cell[], ns: number, slice: SliceReader): T;
}

/** The columns of the SELECT that {@link scanDecoder} understands. */
export function scanColumns(slice: SliceReader, { kind, fields }: Scan<unknown>): string {
  const present = slice.kinds.get(kind)?.columns ?? new Set();
  const columns = fields.map((name) => {
    if (!present.has(name)) return 'NULL';
    // nullif: hex() of NULL is ''
    return fieldsOf(kind)[name]?.type === 'ip' ? `nullif(hex(${quoted(name)}), '')` : quoted(name);
  });
  return ['id', 'skew', ...columns].join(', ');
}

type CellDecoder = (value: number | string) => Cell;

/** Turns rows of that SELECT into cells. The array is reused: it holds until the next call. */
export function scanDecoder(slice: SliceReader, { kind, fields }: Scan<unknown>): (row: RawRow) => readonly Cell[] {
  const decoders = fields.map((name) => cellDecoder(slice, kind, name));
  const cells: Cell[] = fields.map(() => undefined);
  return (row) => {
    for (let i = 0; i < decoders.length; i++) {
      const value = row[i + 2] as number | string | null;
      const decode = decoders[i];
      cells[i] = value === null ? undefined : decode ? decode(value) : value;
    }
    return cells;
  };
}

/** Undefined where the stored value is the value. */
function cellDecoder(slice: SliceReader, kind: Kind, name: string): CellDecoder | undefined {
  const type = fieldsOf(kind)[name]?.type;
  if (type === 'text') return (key) => slice.stringOf(key as number);
  if (typeof type === 'object') return (code) => type.values[(code as number) - 1];
  return undefined;
}
