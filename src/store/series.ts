/** Counts by time: what was lost in each step of a grid, by cause or reason, from the rollups or from the events. */

import { floorDiv, NS_PER_MINUTE, type WallNs, wallNs } from '../base/time.ts';
import type { Filter } from '../event/filter.ts';
import { CAUSES, DROP_CLASSES, fieldsOf, KINDS, type Kind } from '../event/kinds.ts';
import { valueIn } from './packed-columns.ts';
import { type Plan, planOf, selectionOf } from './plan.ts';
import { BENIGN, isOf, NO_STRING } from './rollup.ts';
import type { RawRow } from './row.ts';
import { kindCode } from './schema.ts';
import type { Selection } from './selection.ts';
import type { SliceReader } from './slice-reader.ts';

/** Steps of equal length. */
export interface Grid {
  readonly from: WallNs;
  readonly stepNs: bigint;
  readonly points: number;
}

export const gridEnd = ({ from, stepNs, points }: Grid): WallNs => wallNs(from + stepNs * BigInt(points));

/** Whether each step is made of whole minutes, so that the rollups can answer. */
export const isWholeMinutes = ({ from, stepNs }: Grid): boolean =>
  from % NS_PER_MINUTE === 0n && stepNs % NS_PER_MINUTE === 0n;

export type DropClass = (typeof DROP_CLASSES)[number];

export interface SeriesRow {
  /** What was counted; what a `summary` counted is in it. */
  kind: CountedKind;
  /** Cause of a retransmission, reason of a drop or reset, name of a counter; absent where it is not known. */
  what?: string;
  /** Of drops and counters. */
  class?: DropClass;
  /** For each step: segments of retransmissions, packets of drops, resets, growth of counters. */
  counts: number[];
}

const COUNTED = ['retransmit', 'drop', 'reset', 'counter'] as const satisfies readonly Kind[];
type CountedKind = (typeof COUNTED)[number];

interface Sums {
  readonly row: Omit<SeriesRow, 'counts'>;
  readonly events: Float64Array;
  readonly segments: Float64Array;
}

/** Sums by kind, cause or reason, and class, to which slices are added. */
export class Series {
  readonly #points: number;
  readonly #sums = new Map<string, Sums>();

  constructor(points: number) {
    this.#points = points;
  }

  add(row: Omit<SeriesRow, 'counts'>, step: number, events: number, segments: number): void {
    if (events === 0) return;
    const sums = this.#sumsOf(row);
    sums.events[step] = (sums.events[step] as number) + events;
    sums.segments[step] = (sums.segments[step] as number) + segments;
  }

  addAll(other: Series): void {
    for (const { row, events, segments } of other.#sums.values()) {
      const sums = this.#sumsOf(row);
      for (let i = 0; i < this.#points; i++) {
        sums.events[i] = (sums.events[i] as number) + (events[i] as number);
        sums.segments[i] = (sums.segments[i] as number) + (segments[i] as number);
      }
    }
  }

  /** By kind, those with the most first. */
  rows(): SeriesRow[] {
    const total = ({ counts }: SeriesRow): number => counts.reduce((sum, count) => sum + count, 0);
    return [...this.#sums.values()]
      .map(({ row, events, segments }) => ({
        ...row,
        // A retransmission whose segments are not known is at least one.
        counts: Array.from(events, (count, i) => Math.max(count, segments[i] as number)),
      }))
      .map((row): [SeriesRow, number] => [row, total(row)])
      .sort(
        ([a, most], [b, least]) => COUNTED.indexOf(a.kind) - COUNTED.indexOf(b.kind) || least - most || byWhat(a, b),
      )
      .map(([row]) => row);
  }

  #sumsOf(row: Omit<SeriesRow, 'counts'>): Sums {
    const id = `${row.kind} ${row.class ?? ''} ${row.what === undefined ? '' : `=${row.what}`}`;
    let sums = this.#sums.get(id);
    if (!sums) {
      sums = { row, events: new Float64Array(this.#points), segments: new Float64Array(this.#points) };
      this.#sums.set(id, sums);
    }
    return sums;
  }
}

/** Of equals, by name and class, the unknown one last. */
function byWhat(a: SeriesRow, b: SeriesRow): number {
  return byText(a.what, b.what) || byText(a.class, b.class);
}

function byText(a: string | undefined, b: string | undefined): number {
  if (a === undefined || b === undefined) return Number(a === undefined) - Number(b === undefined);
  return a < b ? -1 : Number(a > b);
}

/** Counts from the rollup of minutes. The filter asks for time, kinds and benign drops at most. */
export function countMinutes(slice: SliceReader, filter: Filter, grid: Grid, series: Series): void {
  const kinds = COUNTED.filter((kind) => filter.kinds?.includes(kind) ?? true);
  const rows = slice.all(
    `SELECT kind, what, class, minute, events, segments FROM minute
     WHERE kind IN (${kinds.map(kindCode).join()}) ${filter.all ? '' : `AND class <> ${BENIGN}`}`,
  );
  for (const [kind, what, dropClass, minute, events, segments] of rows as number[][]) {
    const at = slice.start + BigInt(minute as number) * NS_PER_MINUTE - grid.from;
    const step = Number(at / grid.stepNs);
    if (at < 0n || step >= grid.points) continue;
    const text = what === NO_STRING ? undefined : slice.stringOf(what as number);
    series.add(
      rowOf(KINDS[(kind as number) - 1] as CountedKind, text, dropClass as number),
      step,
      events as number,
      segments as number,
    );
  }
}

function rowOf(kind: CountedKind, what: string | undefined, dropClass: number | null): Omit<SeriesRow, 'counts'> {
  return {
    kind,
    ...(what === undefined ? {} : { what }),
    ...(dropClass ? { class: DROP_CLASSES[dropClass - 1] as DropClass } : {}),
  };
}

/** What is read of each kind: what, class, events, segments. */
const SELECTED: Record<CountedKind, string> = {
  retransmit: 'cause, 0, count(*), ifnull(sum(segments), 0)',
  drop: 'reason, class, count(*), 0',
  reset: 'reason, 0, count(*), 0',
  counter: 'counter, class, sum(max("count", 0)), 0',
};

/** Counts the events themselves. The filter's times are those of the grid. */
export function countSteps(slice: SliceReader, filter: Filter, grid: Grid, series: Series): void {
  for (const kind of COUNTED) {
    for (const [step, what, dropClass, events, segments] of countsOf(slice, kind, filter, grid)) {
      const text = kind === 'retransmit' ? CAUSES[(what as number) - 1] : textOf(slice, what);
      series.add(rowOf(kind, text, dropClass as number), step as number, events as number, segments as number);
    }
  }
  countSummaries(slice, filter, grid, series);
}

/** Step, what, class, events and segments of each that has any. */
function countsOf(slice: SliceReader, kind: CountedKind, filter: Filter, grid: Grid): readonly RawRow[] {
  const selection = selectionOf(slice, kind, filter);
  if (selection) return selection === 'none' ? [] : selectedSteps(slice, selection, grid);
  const plan = planOf(slice, kind, filter);
  return plan ? stepsOf(slice, plan, grid, SELECTED[kind]) : [];
}

/** A class as a cell of its packed column is less than this. */
const CLASS_CELLS = 8;

/** As {@link stepsOf}, by the packed columns. */
function selectedSteps(slice: SliceReader, { columns, rows }: Selection, grid: Grid): RawRow[] {
  const isResent = columns.kind === 'retransmit';
  const what = columns.cells(isResent ? 'cause' : 'reason');
  const dropClass = columns.kind === 'drop' ? columns.cells('class') : undefined;
  const resent = isResent ? columns.cells('segments') : undefined;
  const times = columns.times(rows);
  const stepOf = stepper(slice, grid);
  const groups = new Map<number, Float64Array>();
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i] as number;
    const group = (what.cells[row] as number) * CLASS_CELLS + (dropClass ? (dropClass.cells[row] as number) : 0);
    const counts = groups.get(group) ?? madeIn(groups, group, 2 * grid.points);
    const at = 2 * stepOf(times[i] as number);
    counts[at] = (counts[at] as number) + 1;
    if (resent) counts[at + 1] = (counts[at + 1] as number) + (valueIn(resent, resent.cells[row] as number) ?? 0);
  }
  const found: RawRow[] = [];
  for (const [group, counts] of groups) {
    const whatKey = valueIn(what, Math.floor(group / CLASS_CELLS));
    const classCode = dropClass ? valueIn(dropClass, group % CLASS_CELLS) : 0;
    for (let step = 0; step < grid.points; step++) {
      const [events, segments] = [counts[2 * step] as number, counts[2 * step + 1] as number];
      if (events > 0) found.push([step, whatKey, classCode, events, segments]);
    }
  }
  return found;
}

function madeIn(groups: Map<number, Float64Array>, group: number, length: number): Float64Array {
  const counts = new Float64Array(length);
  groups.set(group, counts);
  return counts;
}

/** The step of the grid that a time of the slice lies in, in ns since the hour began: exact also where the grid begins long before. */
function stepper({ start }: SliceReader, { from, stepNs }: Grid): (time: number) => number {
  const first = floorDiv(start - from, stepNs);
  const firstEnd = Number((first + 1n) * stepNs - (start - from));
  const [step, length] = [Number(first), Number(stepNs)];
  return (time) => (time < firstEnd ? step : step + 1 + Math.floor((time - firstEnd) / length));
}

const SUMMARY_OF = (fieldsOf('summary').of as { type: { values: readonly string[] } }).type;
/** Classes of drops, and none, as a digit. */
const CLASSES = 1 + DROP_CLASSES.length;

function countSummaries(slice: SliceReader, filter: Filter, grid: Grid, series: Series): void {
  const kinds = COUNTED.filter((kind) => filter.kinds?.includes(kind) ?? true);
  const plan = planOf(slice, 'summary', { ...filter, kinds });
  if (!plan) return;
  const what = `CASE WHEN ${isOf('retransmit')} THEN cause ELSE reason END`;
  const ofAndClass = `"of" * ${CLASSES} + CASE WHEN ${isOf('drop')} THEN ifnull(class, 0) ELSE 0 END`;
  const counted = { ...plan, from: `${plan.from} AND events > 0` };
  const rows = stepsOf(slice, counted, grid, `${what}, ${ofAndClass}, sum(events), ifnull(sum(segments), 0)`);
  for (const [step, key, code, events, segments] of rows) {
    const kind = SUMMARY_OF.values[Math.floor((code as number) / CLASSES) - 1] as CountedKind;
    const text = kind === 'retransmit' ? CAUSES[(key as number) - 1] : textOf(slice, key);
    series.add(rowOf(kind, text, (code as number) % CLASSES), step as number, events as number, segments as number);
  }
}

const textOf = (slice: SliceReader, key: RawRow[number] | undefined): string | undefined =>
  key === null || key === undefined ? undefined : slice.stringOf(key as number);

function stepsOf(slice: SliceReader, { from, parameters }: Plan, grid: Grid, selected: string): RawRow[] {
  const step = `(id + skew + ?) / ?`;
  return slice.all(`SELECT ${step}, ${selected} ${from} GROUP BY 1, 2, 3`, [
    slice.start - grid.from,
    grid.stepNs,
    ...parameters,
  ]);
}
