/** Queries on a store. Works while another process writes it, and without any right to write. */

import { type WallNs, wallNs } from '../base/time.ts';
import type { Filter, TopDimension } from '../event/filter.ts';
import { type Event, KINDS, type Kind } from '../event/kinds.ts';
import { requireDirectory, requireKnownVersion } from './directory.ts';
import { merged, type Source } from './merge.ts';
import { aloneIn, NOTED_AFTER, type Noted, Notes } from './notes.ts';
import { type Pair, Pairs } from './pairs.ts';
import { benignIn, type Plan, planOf, selectionOf } from './plan.ts';
import { BENIGN } from './rollup.ts';
import { type Order, type Row, timeOrdered } from './rows.ts';
import { inOrder, ScanSource, type Selection } from './scan.ts';
import { kindCode } from './schema.ts';
import { countBenign } from './selection.ts';
import { countMinutes, countSteps, type Grid, gridEnd, isWholeMinutes, Series, type SeriesRow } from './series.ts';
import { beginOf, mergedSession, readSessions, type Session, type Stretch, sessionKey } from './session.ts';
import type { SliceFile } from './slice-name.ts';
import type { SliceReader } from './slice-reader.ts';
import { type SkippedSlice, Slices, type StoreReaderOptions } from './slices.ts';
import { addEvents, addRollups, hasRollup, Tally, type TopRow } from './tally.ts';
import { type SliceTotals, type TotalsBy, totalsOf } from './totals.ts';

export interface StoreCoverage {
  /** Since when the store has a history; absent when it is empty. */
  begins?: WallNs;
  /** Oldest first. */
  sessions: Session[];
}

export interface EventsOptions {
  readonly limit?: number;
  readonly order: Order;
  /** With the first bytes of dropped packets, where they were kept. */
  readonly packets?: boolean;
}

export class StoreReader {
  readonly #slices: Slices;

  /** @throws NOT_FOUND, NOT_PERMITTED, STORE, STORE_VERSION */
  static open(dir: string, options: StoreReaderOptions = {}): StoreReader {
    requireDirectory(dir);
    requireKnownVersion(dir);
    return new StoreReader(dir, options);
  }

  private constructor(dir: string, options: StoreReaderOptions) {
    this.#slices = new Slices(dir, options);
  }

  /** Damaged slices met so far. Everything else was answered. */
  get skipped(): readonly SkippedSlice[] {
    return this.#slices.skipped;
  }

  /**
   * Events that pass the filter, by time; read as they are taken.
   * @throws STORE_VERSION
   */
  *events(filter: Filter, options: EventsOptions): Generator<Event> {
    let left = options.limit ?? Number.POSITIVE_INFINITY;
    if (left <= 0) return;
    for (const slices of this.#slices.hours(filter, options.order)) {
      for (const event of this.#hourEvents(slices, filter, options)) {
        yield event;
        if (--left === 0) return;
      }
    }
  }

  /**
   * A few columns of many events, in batches: each is in order of time, and no later one has an earlier row.
   * @param period what the filters of the selections lie in
   * @param base the time that `at` counts from
   */
  *scan<T extends { at: number }>(
    selections: readonly Selection<T>[],
    period: Pick<Filter, 'since' | 'until'>,
    base: WallNs,
  ): Generator<T[]> {
    for (const files of this.#slices.hours(period, 'oldest')) {
      const open = files.map((file) => this.#slices.open(file)).filter((slice) => slice !== undefined);
      const sources = open.flatMap((slice) => selections.map((selection) => new ScanSource(slice, selection, base)));
      try {
        yield* inOrder(sources, (source) => {
          const done = this.#slices.guard(source.slice.slice, () => source.fetch() ?? true);
          if (!done) source.isDone = true;
        });
      } finally {
        for (const slice of open) this.#slices.release(slice);
      }
    }
  }

  /**
   * How many benign events of a kind the filter leaves out that it would else let through.
   * @param atMost where counting ends: over a million events it would take longer than the answer itself
   */
  countBenign(filter: Filter, atMost = Number.MAX_SAFE_INTEGER, kind: 'drop' | 'counter' = 'drop'): number {
    const { kinds } = filter;
    if (filter.all) return 0;
    const canRollUp = kind === 'drop' && isTimeOnly(filter) && (kinds === undefined || kinds.includes('drop'));
    let count = 0;
    this.#slices.visit(filter, (slice) => {
      if (count >= atMost) return;
      const rolledUp = canRollUp && isWhole(slice, filter);
      count += rolledUp ? benignRolledUp(slice) : benignCounted(slice, filter, kind, atMost - count);
    });
    return Math.min(count, atMost);
  }

  /** Who lost most. Connections and coverage do not count. */
  top(filter: Filter, by: TopDimension, limit: number): TopRow[] {
    const tally = new Tally();
    const canRollUp = isTimeOnly(filter) && filter.kinds === undefined;
    this.#slices.visit(filter, (slice) => {
      const useRollups = canRollUp && hasRollup(slice, by) && isWhole(slice, filter);
      if (useRollups) addRollups(tally, slice, by, filter.all === true);
      else addEvents(tally, slice, filter, by);
    });
    return tally.top(limit);
  }

  /**
   * What was lost by time and cause or reason, in the whole steps of the grid: `since` and `until` of the filter do not count.
   * Connections and coverage do not count.
   */
  series(filter: Filter, grid: Grid): SeriesRow[] {
    const series = new Series(grid.points);
    const within = { ...filter, since: grid.from, until: gridEnd(grid) };
    const useRollups = isTimeOnly(filter) && isWholeMinutes(grid);
    this.#slices.visit(within, (slice) => {
      const own = new Series(grid.points);
      if (useRollups) countMinutes(slice, within, grid, own);
      else countSteps(slice, within, grid, own);
      series.addAll(own);
    });
    return series.rows();
  }

  /** Who lost packets with these peers, in no order. */
  pairs(filter: Filter, peers: readonly Uint8Array[]): Pair[] {
    const pairs = new Pairs(peers);
    this.#slices.visit(filter, (slice) => pairs.add(slice, filter));
    return pairs.all();
  }

  /** Texts of the inodes of namespaces that have a name somewhere in the slices of the time asked for; most have none. */
  namedNamespaces(filter: Filter): Set<string> {
    const named = new Set<string>();
    this.#slices.visit(filter, (slice) => {
      const rows = slice.all('SELECT DISTINCT netns FROM owner WHERE netns IS NOT NULL AND netnsName IS NOT NULL');
      for (const [netns] of rows) named.add(String(netns));
    });
    return named;
  }

  /** What slices count in all. @param known files that are left out */
  totals(known: ReadonlySet<string>, by: readonly TotalsBy[]): SliceTotals[] {
    const totals: SliceTotals[] = [];
    for (const slices of this.#slices.hours({}, 'oldest')) {
      const unknown = slices.filter(({ file }) => !known.has(file));
      this.#slices.visitFiles(unknown, (slice) => totals.push(totalsOf(slice, by)));
    }
    return totals;
  }

  /** Since when the store has a history: what it held before has been removed, or was never recorded. */
  begins(): WallNs | undefined {
    for (const slices of this.#slices.hours({}, 'oldest')) {
      let begins: WallNs | undefined;
      this.#slices.visitFiles(slices, (slice) => {
        const own = beginOf(slice);
        if (begins === undefined || own < begins) begins = own;
      });
      if (begins !== undefined) return begins;
    }
    return undefined;
  }

  /** The last run of the recorder, by the newest slice that tells of one. */
  latestSession(): Session | undefined {
    for (const slices of this.#slices.hours({}, 'newest')) {
      let latest: Session | undefined;
      this.#slices.visitFiles(slices, (slice) => {
        for (const session of readSessions(slice)) if (!latest || session.lastNs > latest.lastNs) latest = session;
      });
      if (latest) return latest;
    }
    return undefined;
  }

  /**
   * Sessions of all slices that are left, or of those that may know of the time asked for.
   * @param asked absent: reads every slice
   */
  coverage(asked?: Stretch): StoreCoverage {
    const sessions = new Map<string, Session>();
    for (const slices of this.#slices.around(asked)) {
      this.#slices.visitFiles(slices, (slice) => {
        for (const session of readSessions(slice)) {
          const known = sessions.get(sessionKey(session));
          sessions.set(sessionKey(session), known ? mergedSession(known, session) : session);
        }
      });
    }
    const begins = this.begins();
    const sorted = [...sessions.values()].sort((a, b) => Number(a.started - b.started));
    return begins === undefined ? { sessions: sorted } : { begins, sessions: sorted };
  }

  /** Stretches in which the kernel recorded without a recorder; each was noted when the next one began. */
  aloneSince(since: WallNs): Stretch[] {
    const alone: Stretch[] = [];
    this.#slices.visit({ since }, (slice) => alone.push(...aloneIn(slice)));
    return alone;
  }

  /** What was noted of the time asked for, summed up: losses, comparisons with the kernel, steps of the clock. */
  noted(asked: Stretch): Noted[] {
    const notes = new Notes();
    const filter = { since: asked.from, until: wallNs(asked.until + NOTED_AFTER) };
    this.#slices.visit(filter, (slice) => notes.add(slice, asked));
    return notes.sums();
  }

  /** Releases everything, also what a generator of {@link events} that was not taken to its end still holds. */
  close(): void {
    this.#slices.close();
  }

  *#hourEvents(slices: readonly SliceFile[], filter: Filter, options: EventsOptions): Generator<Event> {
    const open = slices.map((slice) => this.#slices.open(slice)).filter((slice) => slice !== undefined);
    try {
      yield* merged(
        open.flatMap((slice) => this.#slices.guard(slice.slice, () => this.#sources(slice, filter, options)) ?? []),
        options.order,
      );
    } finally {
      for (const slice of open) this.#slices.release(slice);
    }
  }

  #sources(slice: SliceReader, filter: Filter, { order, packets }: EventsOptions): Source[] {
    const { first, last } = slice.extent;
    if (first === null || last === null) return [];
    return KINDS.map((kind) => planOf(slice, kind, filter))
      .filter((plan) => plan !== undefined)
      .map((plan) => ({
        part: slice.slice.part,
        kind: plan.kind,
        bound: order === 'oldest' ? first : last,
        rows: () => this.#guardedRows(slice, plan, order),
        decode: (row) => this.#slices.guard(slice.slice, () => slice.decode(plan.kind, row.values, packets)),
      }));
  }

  *#guardedRows(slice: SliceReader, plan: Plan, order: Order): Generator<Row> {
    try {
      yield* timeOrdered(slice, plan, order);
    } catch (error) {
      this.#slices.skip(slice.slice, error);
    }
  }
}

/** Whether the filter takes all of the slice's time. */
function isWhole({ first, last }: SliceReader, { since, until }: Filter): boolean {
  if (first === undefined || last === undefined) return true;
  return (since === undefined || since <= first) && (until === undefined || until > last);
}

/** Whether a filter asks for nothing but time (and benign drops, and kinds). */
function isTimeOnly({ since, until, kinds, all, ...rest }: Filter): boolean {
  return Object.values(rest).every((value) => value === undefined);
}

function benignRolledUp(slice: SliceReader): number {
  const [[count] = []] = slice.all(
    `SELECT ifnull(sum(events), 0) FROM minute WHERE kind = ${kindCode('drop')} AND class = ${BENIGN}`,
  );
  return count as number;
}

function benignCounted(slice: SliceReader, filter: Filter, kind: Kind, atMost: number): number {
  const selection = selectionOf(slice, kind, { ...filter, all: true });
  const plan = selection ? undefined : planOf(slice, kind, { ...filter, all: true });
  let count = 0;
  if (selection && selection !== 'none') count += Math.min(atMost, countBenign(selection));
  if (plan) {
    const rows = `SELECT 1 ${plan.from} AND ${benignIn(kind)} LIMIT ${atMost}`;
    count += slice.all(`SELECT count(*) FROM (${rows})`, plan.parameters)[0]?.[0] as number;
  }
  const summaries = kind === 'drop' ? planOf(slice, 'summary', { ...filter, all: true }) : undefined;
  if (summaries) {
    const sum = `SELECT ifnull(sum(events), 0) ${summaries.from} AND ${benignIn('summary')}`;
    count += slice.all(sum, summaries.parameters)[0]?.[0] as number;
  }
  return count;
}
