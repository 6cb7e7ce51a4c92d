/**
 * Reading a few columns of many events: what takes a million of them into account cannot afford whole events
 * (an event of thirty fields costs some 10 µs, a row of a scan 1 µs).
 */

import type { StatementSync } from 'node:sqlite';
import { LosslogError } from '../base/errors.ts';
import type { WallNs } from '../base/time.ts';
import type { FieldType } from '../event/field.ts';
import type { Filter } from '../event/filter.ts';
import { fieldsOf, type Kind } from '../event/kinds.ts';
import { planOf } from './plan.ts';
import type { RawRow } from './row.ts';
import { enumCode, quoted } from './schema.ts';
import type { Owner, SliceReader } from './slice-reader.ts';
import type { Bindable } from './sqlite.ts';

/** A column of a scan: any field but a 64-bit number or an address, or {@link FLOW}, {@link SOURCE}, {@link OWNER}. Times are as `at`. */
export type ScanColumn = string;

/** Stands for both addresses: their bytes in hexadecimal, source first; empty unless both are known. */
export const FLOW = 'flow';

/** Stands for the source address: its bytes in hexadecimal, empty when absent. */
export const SOURCE = 'source';

/** Stands for where and whose: an object with the fields that events share (schema.ts), the same one for equal values. */
export const OWNER = 'owner';

/** Time in ns since the base of the scan, whether it passes the mark, then a value for each column; null when absent. */
export type ScanRow = [at: number, isMarked: boolean, ...values: ScanValue[]];
export type ScanValue = string | number | Owner | null;

export interface Selection<T> {
  kind: Kind;
  columns: readonly ScanColumn[];
  /** Which rows; its `kinds` are not looked at. */
  filter: Filter;
  /** Benign drops of these reasons are read too, though the filter leaves benign ones out. */
  benignReasons?: readonly string[];
  /** Which of them are marked; all, when absent. */
  mark?: Filter;
  /** Makes of a row what the scan yields. */
  make: (row: ScanRow) => T;
}

/** Few enough that their objects are gone before the collector moves them. */
const PAGE = 2048;

interface Query {
  readonly statement: StatementSync;
  readonly parameters: readonly Bindable[];
}

/** Rows of one kind in one slice, fetched in pages. */
export class ScanSource<T extends { at: number }> {
  /** Fetched and not taken yet, by time. */
  rows: T[] = [];
  isDone = false;
  readonly slice: SliceReader;
  readonly #selection: Selection<T>;
  readonly #offset: number;
  readonly #decoders: ((value: string | number) => string | number | Owner)[];
  /** Times that pass the mark. */
  readonly #markedFrom: number;
  readonly #markedUntil: number;
  #query: Query | undefined;
  #edge = -1;

  /** @param base the time that `at` counts from */
  constructor(slice: SliceReader, selection: Selection<T>, base: WallNs) {
    this.slice = slice;
    this.#selection = selection;
    this.#offset = Number(slice.start - base);
    const { since, until } = selection.mark ?? {};
    this.#markedFrom = since === undefined ? Number.NEGATIVE_INFINITY : Number(since - base);
    this.#markedUntil = until === undefined ? Number.POSITIVE_INFINITY : Number(until - base);
    this.#decoders = selection.columns.map((name) => decoderOf(slice, selection.kind, name, this.#offset));
  }

  /** No row that is still to be fetched comes before this time. */
  get settled(): number {
    return this.isDone ? Number.POSITIVE_INFINITY : this.#offset + this.#edge - this.slice.extent.late;
  }

  /** Fetches one more page. */
  fetch(): void {
    const query = this.#begin();
    if (!query) {
      this.isDone = true;
      return;
    }
    const page = query.statement.all(...query.parameters, this.#edge) as unknown as RawRow[];
    const last = page.at(-1)?.[0] as number | undefined;
    const marked = this.#markedIds(this.#edge, last);
    for (const row of page) this.rows.push(this.#selection.make(this.#decode(row as (ScanValue | boolean)[], marked)));
    this.isDone = page.length < PAGE;
    this.#edge = last ?? this.#edge;
    if (this.slice.extent.late > 0) this.rows.sort((a, b) => a.at - b.at);
  }

  /** The query, prepared when it is first needed; undefined when the slice has no such rows. */
  #begin(): Query | undefined {
    if (this.#query) return this.#query;
    const { kind, filter, columns } = this.#selection;
    const plan = planOf(this.slice, kind, { ...filter, kinds: [kind], all: true });
    if (!plan) return undefined;
    const list = ['id', 'id + skew', ...columns.map((name) => expressionOf(this.slice, kind, name))].join(', ');
    const sql = `SELECT ${list} ${plan.from}${this.#classSql()} AND id > ? ORDER BY id LIMIT ${PAGE}`;
    const statement = this.slice.db.prepare(sql);
    statement.setReturnArrays(true);
    this.#query = { statement, parameters: plan.parameters };
    return this.#query;
  }

  /** Turns a row of the query into one of the scan, in place. */
  #decode(row: (ScanValue | boolean)[], marked: ReadonlySet<number> | undefined): ScanRow {
    const id = row[0] as number;
    row[0] = this.#offset + (row[1] as number);
    const at = row[0];
    row[1] = marked ? marked.has(id) : at >= this.#markedFrom && at < this.#markedUntil;
    for (let i = 0; i < this.#decoders.length; i++) {
      const value = row[i + 2];
      if (value !== null) row[i + 2] = (this.#decoders[i] as (value: unknown) => ScanValue)(value);
    }
    return row as ScanRow;
  }

  /** The ids of a page that pass the mark; undefined where the times alone tell. */
  #markedIds(after: number, upTo: number | undefined): Set<number> | undefined {
    const { kind, mark } = this.#selection;
    if (!mark || isTimeOnly(mark)) return undefined;
    const plan = planOf(this.slice, kind, { ...mark, all: true });
    if (!plan || upTo === undefined) return new Set();
    const rows = this.slice.all(`SELECT id ${plan.from} AND id > ? AND id <= ?`, [...plan.parameters, after, upTo]);
    return new Set(rows.map(([id]) => id as number));
  }

  #classSql(): string {
    const { kind, filter, benignReasons = [] } = this.#selection;
    if (kind !== 'drop' || filter.all) return '';
    const benign = enumCode((fieldsOf('drop').class as { type: FieldType }).type, 'benign');
    const keys = this.slice.keysWhere(`value IN (${benignReasons.map(() => '?').join()})`, benignReasons);
    return ` AND (class <> ${benign} OR reason IN (${keys.join()}))`;
  }
}

/** Whether a filter asks for times, and for what every scan reads. */
const isTimeOnly = ({ since, until, kinds, all, ...rest }: Filter): boolean =>
  Object.values(rest).every((value) => value === undefined);

function expressionOf(slice: SliceReader, kind: Kind, name: ScanColumn): string {
  if (name === FLOW) return 'hex(src || dst)';
  if (name === SOURCE) return 'hex(src)';
  if (!slice.kinds.get(kind)?.columns.has(name)) return 'NULL';
  return fieldsOf(kind)[name]?.type === 'wall' ? `${quoted(name)} - ${slice.start}` : quoted(name);
}

function decoderOf(
  slice: SliceReader,
  kind: Kind,
  name: ScanColumn,
  offset: number,
): (value: string | number) => string | number | Owner {
  if (name === OWNER) return ownersOf(slice);
  const type = name === FLOW || name === SOURCE ? 'int' : fieldsOf(kind)[name]?.type;
  if (type === 'wall') return (ns) => offset + (ns as number);
  if (type === 'int' || type === 'ratio') return (value) => value;
  if (type === 'text') return (key) => slice.stringOf(key as number);
  if (typeof type === 'object') return (code) => type.values[(code as number) - 1] as string;
  throw new LosslogError('INTERNAL', `${kind}.${name} cannot be scanned`);
}

/** Owners of a slice by key, kept while it is read: the slice's own cache is bounded, and slower for it. */
function ownersOf(slice: SliceReader): (key: string | number) => Owner {
  const owners = new Map<number, Owner>();
  return (key) => {
    let owner = owners.get(key as number);
    if (owner === undefined) {
      owner = slice.ownerOf(key as number);
      owners.set(key as number, owner);
    }
    return owner;
  };
}

/** @yields the rows of all sources, in batches: each batch is in order, and no later one has an earlier row. */
export function* inOrder<T extends { at: number }>(
  sources: readonly ScanSource<T>[],
  fetch: (source: ScanSource<T>) => void,
): Generator<T[]> {
  for (;;) {
    for (const source of sources) if (source.rows.length === 0 && !source.isDone) fetch(source);
    const settled = Math.min(...sources.map((source) => source.settled));
    const batch = sources.flatMap((source) => takeUntil(source, settled));
    if (batch.length > 0) yield batch.sort((a, b) => a.at - b.at);
    else if (settled === Number.POSITIVE_INFINITY) return;
    else for (const source of sources) if (source.settled === settled) fetch(source);
  }
}

/** Takes the rows of a source that are not after a time. */
function takeUntil<T extends { at: number }>(source: ScanSource<T>, settled: number): T[] {
  const { rows } = source;
  if (rows.length === 0 || (rows.at(-1) as T).at <= settled) {
    source.rows = [];
    return rows;
  }
  let count = 0;
  while ((rows[count] as T).at <= settled) count++;
  source.rows = rows.slice(count);
  return rows.slice(0, count);
}
