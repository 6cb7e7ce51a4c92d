/** A filter as SQL on the table of one kind in one slice. */

import type { Filter } from '../event/filter.ts';
import { fieldsOf, KINDS, type Kind } from '../event/kinds.ts';
import { anyOf, type Condition, conditionsOf, type Sql } from './conditions.ts';
import { BENIGN, isOf } from './rollup.ts';
import { indexName, quoted } from './schema.ts';
import { type Selection, selected, timesWithin } from './selection.ts';
import type { KindTable, SliceReader } from './slice-reader.ts';
import type { Bindable } from './sqlite.ts';

/** `FROM … WHERE …` with its parameters. Further conditions may be added with AND. */
export interface Plan {
  readonly kind: Kind;
  readonly from: string;
  readonly parameters: readonly Bindable[];
}

/**
 * As many rows are fetched one by one; beyond that reading the table in its order is quicker
 * (to fetch a row costs some 3 µs, a row of a scan 0.1 µs).
 */
const MAX_LOOKUP = 4000;

/** Kinds of which some events do no harm. */
const BENIGN_KINDS: readonly Kind[] = KINDS.filter((kind) => 'class' in fieldsOf(kind));

/** How to find the rows of a kind that pass the filter, or undefined when none can. */
export function planOf(slice: SliceReader, kind: Kind, filter: Filter): Plan | undefined {
  const table = slice.kinds.get(kind);
  const wanted = wantedOf(kind, filter);
  const conditions = askedOf(slice, kind, filter);
  if (!table || !conditions || wanted === 'none') return undefined;
  const ids = idRange(slice, table, filter);
  const lookup = slice.packed?.of(kind)
    ? packedLookup(slice, kind, conditions, filter)
    : lookupOf(slice, kind, conditions, ids);
  if (lookup === 'none') return undefined;
  const parts = [ids, lookup, timeRange(slice, filter), wanted, benignOf(kind, filter), ...conditions.map(anyOf)];
  const used = parts.filter((part) => part !== undefined);
  return {
    kind,
    from: `FROM ${quoted(kind)} WHERE ${used.map(({ sql }) => sql).join(' AND ')}`,
    parameters: used.flatMap(({ parameters }) => parameters),
  };
}

/**
 * The rows of a kind that pass the filter, by the packed columns; 'none' when none can.
 * @returns undefined where the slice has no packed columns of the kind: {@link planOf} then tells how to find the rows
 */
export function selectionOf(slice: SliceReader, kind: Kind, filter: Filter): Selection | 'none' | undefined {
  const { packed } = slice;
  const columns = packed?.of(kind);
  if (!packed || !columns) return undefined;
  const conditions = wantedOf(kind, filter) === 'none' ? undefined : askedOf(slice, kind, filter);
  return conditions ? selected(slice, packed, columns, conditions, filter) : 'none';
}

/** What the filter asks of the columns of a kind, or undefined when no row of the slice can be such. */
function askedOf(slice: SliceReader, kind: Kind, filter: Filter): Condition[] | undefined {
  const table = slice.kinds.get(kind);
  // Releases that wrote no summaries made the table with fewer columns.
  if (!table || (kind === 'summary' && !table.columns.has('lacks'))) return undefined;
  const conditions = conditionsOf(slice, kind, filter);
  return conditions?.every(({ columns }) => columns.every((column) => table.columns.has(column)))
    ? conditions
    : undefined;
}

/** As {@link lookupOf}, by the packed columns. */
function packedLookup(
  slice: SliceReader,
  kind: Kind,
  conditions: readonly Condition[],
  filter: Filter,
): Sql | 'none' | undefined {
  if (conditions.length === 0) return undefined;
  const selection = selectionOf(slice, kind, filter);
  if (!selection || selection === 'none') return selection;
  const { columns, rows } = selection;
  if (rows.length > MAX_LOOKUP) return undefined;
  return { sql: 'id IN (SELECT value FROM json_each(?))', parameters: [`[${columns.ids(rows).join()}]`] };
}

/** The ids that can hold the times asked for: an id is never before the time of its row and at most `late` beyond it. */
function idRange(slice: SliceReader, { maxId }: KindTable, filter: Filter): Sql {
  const [from, end] = timesWithin(slice, filter);
  const to = filter.until === undefined ? maxId : end + slice.extent.late - 1;
  return { sql: 'id >= ? AND id <= ?', parameters: [from, Math.min(maxId, to)] };
}

/** The exact times, where an id may differ from the time of its row. */
function timeRange(slice: SliceReader, filter: Filter): Sql | undefined {
  const { since, until } = filter;
  if (slice.extent.late === 0 || (since === undefined && until === undefined)) return undefined;
  return { sql: 'id + skew >= ? AND id + skew < ?', parameters: timesWithin(slice, filter) };
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
