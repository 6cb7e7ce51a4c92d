/** A filter as SQL on the table of one kind in one slice. */

import { type Cidr, cidrRange } from '../base/ip.ts';
import { floorDiv, NS_PER_HOUR } from '../base/time.ts';
import type { Filter } from '../event/filter.ts';
import { fieldsOf, KINDS, type Kind } from '../event/kinds.ts';
import { BENIGN, isOf } from './rollup.ts';
import { enumCode, indexName, quoted } from './schema.ts';
import type { KindTable, SliceReader } from './slice-reader.ts';
import type { Bindable } from './sqlite.ts';

/** `FROM … WHERE …` with its parameters. Further conditions may be added with AND. */
export interface Plan {
  readonly kind: Kind;
  readonly from: string;
  readonly parameters: readonly Bindable[];
}

interface Condition {
  /** The columns that it is about: all must exist. */
  readonly columns: readonly string[];
  /** Tests one column, named `?` in the text; with several columns, one of them must fulfil it. */
  readonly test: (column: string) => string;
  readonly parameters: readonly Bindable[];
}

/**
 * As many rows are fetched one by one through an index; beyond that reading the table in its order is quicker
 * (a fetch through an index costs some 3 µs, a row of a scan 0.1 µs).
 */
const MAX_LOOKUP = 4000;

/** Kinds of which some events do no harm. */
const BENIGN_KINDS: readonly Kind[] = KINDS.filter((kind) => 'class' in fieldsOf(kind));

/** How to find the rows of a kind that pass the filter, or undefined when none can. */
export function planOf(slice: SliceReader, kind: Kind, filter: Filter): Plan | undefined {
  const table = slice.kinds.get(kind);
  const wanted = wantedOf(kind, filter);
  if (!table || wanted === 'none') return undefined;
  // Releases that wrote no summaries made the table with fewer columns.
  if (kind === 'summary' && !table.columns.has('lacks')) return undefined;
  const conditions = conditionsOf(slice, kind, filter);
  if (!conditions?.every(({ columns }) => columns.every((column) => table.columns.has(column)))) return undefined;
  const ids = idRange(slice, table, filter);
  const lookup = lookupOf(slice, kind, conditions, ids);
  if (lookup === 'none') return undefined;
  const parts = [ids, lookup, timeRange(slice, filter), wanted, benignOf(kind, filter), ...conditions.map(anyOf)];
  const used = parts.filter((part) => part !== undefined);
  return {
    kind,
    from: `FROM ${quoted(kind)} WHERE ${used.map(({ sql }) => sql).join(' AND ')}`,
    parameters: used.flatMap(({ parameters }) => parameters),
  };
}

interface Sql {
  readonly sql: string;
  readonly parameters: readonly Bindable[];
}

/** The unary + keeps SQLite from using an index here: whether that pays has been found out by {@link lookupOf}. */
function anyOf({ columns, test, parameters }: Condition): Sql {
  return {
    sql: `(${columns.map((column) => test(`+${quoted(column)}`)).join(' OR ')})`,
    parameters: columns.flatMap(() => parameters),
  };
}

/** The ids that can hold the times asked for: an id is never before the time of its row and at most `late` beyond it. */
function idRange(slice: SliceReader, { maxId }: KindTable, { since, until }: Filter): Sql {
  const from = since === undefined ? 0 : clamp(since - slice.start);
  const to = until === undefined ? maxId : clamp(until - slice.start) + slice.extent.late - 1;
  return { sql: 'id >= ? AND id <= ?', parameters: [from, Math.min(maxId, to)] };
}

/** The exact times, where an id may differ from the time of its row. */
function timeRange(slice: SliceReader, { since, until }: Filter): Sql | undefined {
  if (slice.extent.late === 0 || (since === undefined && until === undefined)) return undefined;
  const from = since === undefined ? 0 : clamp(since - slice.start);
  const to = until === undefined ? Number(NS_PER_HOUR) : clamp(until - slice.start);
  return { sql: 'id + skew >= ? AND id + skew < ?', parameters: [from, to] };
}

/** A time since the begin of the hour as a number within the hour and its end. */
function clamp(ns: bigint): number {
  if (ns < 0n) return 0;
  return floorDiv(ns, NS_PER_HOUR) > 0n ? Number(NS_PER_HOUR) : Number(ns);
}

/** Who asks for a kind gets what was only counted of it, too; 'none' when nothing of this table is asked for. */
function wantedOf(kind: Kind, { kinds }: Filter): Sql | 'none' | undefined {
  if (kinds === undefined || kinds.includes(kind)) return undefined;
  const isAsked = kinds.map(isOf);
  return kind === 'summary' && isAsked.length > 0 ? { sql: `(${isAsked.join(' OR ')})`, parameters: [] } : 'none';
}

/** What is benign is left out unless asked for. */
function benignOf(kind: Kind, { all }: Filter): Sql | undefined {
  const isBenign = benignIn(kind);
  return all || isBenign === undefined ? undefined : { sql: `NOT (${isBenign})`, parameters: [] };
}

/** The condition under which a row is about something benign; undefined for a kind that never is. */
export function benignIn(kind: Kind): string | undefined {
  if (kind === 'summary') return `${isOf('drop')} AND class IS ${BENIGN}`;
  return BENIGN_KINDS.includes(kind) ? `class IS ${BENIGN}` : undefined;
}

/** What the filter asks of the columns, or undefined when no row of this slice can fulfil it. */
function conditionsOf(slice: SliceReader, kind: Kind, filter: Filter): Condition[] | undefined {
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
  return { columns: ['owner'], test: (column) => `${column} IN (${owners})`, parameters };
}

function equals(columns: readonly string[], value: number | undefined): Condition | undefined {
  return value === undefined ? undefined : { columns, test: (column) => `${column} = ?`, parameters: [value] };
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
  return { columns: [column], test: (name) => `${name} IN (${keys.join()})`, parameters: [] };
}

function peerCondition(peer: Cidr): Condition {
  const columns = ['src', 'dst'];
  if (peer.prefixLength === peer.address.length * 8) {
    return { columns, test: (column) => `${column} = ?`, parameters: [peer.address] };
  }
  const { first, last } = cidrRange(peer);
  // BLOBs compare byte by byte, so addresses of the other family may lie between the two.
  const test = (column: string) => `(${column} BETWEEN ? AND ? AND length(${column}) = ${first.length})`;
  return { columns, test, parameters: [first, last] };
}

/** The ids found through an index, where a condition has one and few rows fulfil it; 'none' when no row does. */
function lookupOf(
  slice: SliceReader,
  kind: Kind,
  conditions: readonly Condition[],
  ids: Sql,
): Sql | 'none' | undefined {
  for (const { columns, test, parameters } of conditions) {
    if (!columns.every((column) => slice.indexes.has(indexName(kind, column)))) continue;
    const sql = columns
      .map(
        (column) =>
          `SELECT id FROM ${quoted(kind)} INDEXED BY ${indexName(kind, column)} WHERE ${test(column)} AND ${ids.sql}`,
      )
      .join(' UNION ALL ');
    const lookup = { sql: `id IN (${sql})`, parameters: columns.flatMap(() => [...parameters, ...ids.parameters]) };
    const count = slice.countOnce(`SELECT count(*) FROM (${sql} LIMIT ${MAX_LOOKUP + 1})`, lookup.parameters);
    if (count === 0) return 'none';
    if (count <= MAX_LOOKUP) return lookup;
  }
  return undefined;
}
