/** Queries on a store. Works while another process writes it, and without any right to write. */

import { LosslogError, messageOf } from '../base/errors.ts';
import { NS_PER_HOUR, type WallNs, wallNs } from '../base/time.ts';
import type { Filter, TopDimension } from '../event/filter.ts';
import { type Event, KINDS, type Kind } from '../event/kinds.ts';
import { requireDirectory, requireKnownVersion } from './directory.ts';
import { merged, type Source } from './merge.ts';
import { aloneIn, NOTED_AFTER, type Noted, Notes } from './notes.ts';
import { type Pair, Pairs } from './pairs.ts';
import { benignIn, type Plan, planOf } from './plan.ts';
import { BENIGN } from './rollup.ts';
import { type Order, type Row, timeOrdered } from './rows.ts';
import { inOrder, ScanSource, type Selection } from './scan.ts';
import { kindCode } from './schema.ts';
import { countMinutes, countSteps, type Grid, gridEnd, isWholeMinutes, Series, type SeriesRow } from './series.ts';
import { beginOf, mergedSession, readSessions, type Session, type Stretch, sessionKey } from './session.ts';
import { SliceCache } from './slice-cache.ts';
import { type Hour, hourStart, listSlices, type SliceFile } from './slice-name.ts';
import { SliceReader } from './slice-reader.ts';
import { sqliteCode } from './sqlite.ts';
import { addEvents, addRollups, hasRollup, Tally, type TopRow } from './tally.ts';
import { type SliceTotals, type TotalsBy, totalsOf } from './totals.ts';

/** A slice that could not be read, or not to its end. */
export interface SkippedSlice {
  file: string;
  why: string;
}

export interface StoreCoverage {
  /** Since when the store has a history; absent when it is empty. */
  begins?: WallNs;
  /** Oldest first. */
  sessions: Session[];
}

export interface StoreReaderOptions {
  /** Slices kept open from one reader to the next; else this one's own. */
  cache?: SliceCache;
  /** Called before each slice is read, some tens of milliseconds apart at most; may throw to end a query. */
  checkpoint?: () => void;
}

export class StoreReader {
  readonly #dir: string;
  readonly #skipped = new Map<string, string>();
  readonly #open = new Set<SliceReader>();
  readonly #cache: SliceCache;
  readonly #ownsCache: boolean;
  readonly #checkpoint: () => void;

  /** @throws NOT_FOUND, NOT_PERMITTED, STORE, STORE_VERSION */
  static open(dir: string, options: StoreReaderOptions = {}): StoreReader {
    requireDirectory(dir);
    requireKnownVersion(dir);
    return new StoreReader(dir, options);
  }

  private constructor(dir: string, { cache, checkpoint }: StoreReaderOptions) {
    this.#dir = dir;
    this.#cache = cache ?? new SliceCache();
    this.#ownsCache = cache === undefined;
    this.#checkpoint = checkpoint ?? (() => undefined);
  }

  /** Damaged slices met so far. Everything else was answered. */
  get skipped(): readonly SkippedSlice[] {
    return [...this.#skipped].map(([file, why]) => ({ file, why }));
  }

  /**
   * Events that pass the filter, by time; read as they are taken.
   * @throws STORE_VERSION
   */
  *events(filter: Filter, { limit, order }: { limit?: number; order: Order }): Generator<Event> {
    let left = limit ?? Number.POSITIVE_INFINITY;
    if (left <= 0) return;
    for (const slices of this.#hours(filter, order)) {
      for (const event of this.#hourEvents(slices, filter, order)) {
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
    for (const files of this.#hours(period, 'oldest')) {
      const open = files.map((file) => this.#openSlice(file)).filter((slice) => slice !== undefined);
      const sources = open.flatMap((slice) => selections.map((selection) => new ScanSource(slice, selection, base)));
      try {
        yield* inOrder(sources, (source) => {
          const done = this.#guard(source.slice.slice, () => source.fetch() ?? true);
          if (!done) source.isDone = true;
        });
      } finally {
        for (const slice of open) this.#closeSlice(slice);
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
    this.#eachSlice(filter, (slice) => {
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
    this.#eachSlice(filter, (slice) => {
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
    this.#eachSlice(within, (slice) => {
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
    this.#eachSlice(filter, (slice) => pairs.add(slice, filter));
    return pairs.all();
  }

  /** What slices count in all. @param known files that are left out */
  totals(known: ReadonlySet<string>, by: readonly TotalsBy[]): SliceTotals[] {
    const totals: SliceTotals[] = [];
    for (const slices of this.#hours({}, 'oldest')) {
      const unknown = slices.filter(({ file }) => !known.has(file));
      this.#each(unknown, (slice) => totals.push(totalsOf(slice, by)));
    }
    return totals;
  }

  /** Since when the store has a history: what it held before has been removed, or was never recorded. */
  begins(): WallNs | undefined {
    for (const slices of this.#hours({}, 'oldest')) {
      let begins: WallNs | undefined;
      this.#each(slices, (slice) => {
        const own = beginOf(slice);
        if (begins === undefined || own < begins) begins = own;
      });
      if (begins !== undefined) return begins;
    }
    return undefined;
  }

  /** The last run of the recorder, by the newest slice that tells of one. */
  latestSession(): Session | undefined {
    for (const slices of this.#hours({}, 'newest')) {
      let latest: Session | undefined;
      this.#each(slices, (slice) => {
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
    for (const slices of this.#around(asked)) {
      this.#each(slices, (slice) => {
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
    this.#eachSlice({ since }, (slice) => alone.push(...aloneIn(slice)));
    return alone;
  }

  /** What was noted of the time asked for, summed up: losses, comparisons with the kernel, steps of the clock. */
  noted(asked: Stretch): Noted[] {
    const notes = new Notes();
    const filter = { since: asked.from, until: wallNs(asked.until + NOTED_AFTER) };
    this.#eachSlice(filter, (slice) => notes.add(slice, asked));
    return notes.sums();
  }

  /** Releases everything, also what a generator of {@link events} that was not taken to its end still holds. */
  close(): void {
    for (const slice of this.#open) slice.close();
    this.#open.clear();
    if (this.#ownsCache) this.#cache.close();
  }

  *#hourEvents(slices: readonly SliceFile[], filter: Filter, order: Order): Generator<Event> {
    const open = slices.map((slice) => this.#openSlice(slice)).filter((slice) => slice !== undefined);
    try {
      yield* merged(
        open.flatMap((slice) => this.#guard(slice.slice, () => this.#sources(slice, filter, order)) ?? []),
        order,
      );
    } finally {
      for (const slice of open) this.#closeSlice(slice);
    }
  }

  #sources(slice: SliceReader, filter: Filter, order: Order): Source[] {
    const { first, last } = slice.extent;
    if (first === null || last === null) return [];
    return KINDS.map((kind) => planOf(slice, kind, filter))
      .filter((plan) => plan !== undefined)
      .map((plan) => ({
        part: slice.slice.part,
        kind: plan.kind,
        bound: order === 'oldest' ? first : last,
        rows: () => this.#guardedRows(slice, plan, order),
        decode: (row) => this.#guard(slice.slice, () => slice.decode(plan.kind, row.values)),
      }));
  }

  *#guardedRows(slice: SliceReader, plan: Plan, order: Order): Generator<Row> {
    try {
      yield* timeOrdered(slice, plan, order);
    } catch (error) {
      this.#skip(slice.slice, error);
    }
  }

  /** Slices of the time asked for, by hour. Damaged ones are noted and left out. */
  #hours({ since, until }: Filter, order: Order): SliceFile[][] {
    const present = listSlices(this.#dir);
    this.#cache.forgetAllBut(present);
    const all = present.filter(
      ({ hour }) =>
        (since === undefined || hourStart(hour + 1) > since) && (until === undefined || hourStart(hour) < until),
    );
    for (const { file } of all.filter(({ damaged }) => damaged)) this.#skipped.set(file, 'set aside by the recorder');
    const sound = all.filter(({ damaged }) => !damaged);
    const hours = [...Map.groupBy(sound, ({ hour }): Hour => hour).values()];
    return order === 'oldest' ? hours : hours.reverse();
  }

  /** The hours of the time asked for and those next to them: a session says in the last slice that it wrote to when it last lived. */
  #around(asked: Stretch | undefined): SliceFile[][] {
    const hours = this.#hours({}, 'oldest');
    if (!asked) return hours;
    const hourAt = (slices: readonly SliceFile[]): WallNs => hourStart((slices[0] as SliceFile).hour);
    const first = hours.findIndex((slices) => hourAt(slices) + NS_PER_HOUR > asked.from);
    const beyond = hours.findIndex((slices) => hourAt(slices) >= asked.until);
    return hours.slice(Math.max(0, (first < 0 ? hours.length : first) - 1), beyond < 0 ? hours.length : beyond + 1);
  }

  #eachSlice(filter: Filter, visit: (slice: SliceReader) => void): void {
    for (const slices of this.#hours(filter, 'oldest')) this.#each(slices, visit);
  }

  /** Visits slices one after the other. `visit` must take over its result at its end: it may fail half-way. */
  #each(slices: readonly SliceFile[], visit: (slice: SliceReader) => void): void {
    for (const file of slices) {
      const slice = this.#openSlice(file);
      if (!slice) continue;
      this.#guard(file, () => visit(slice));
      this.#closeSlice(slice);
    }
  }

  #openSlice(file: SliceFile): SliceReader | undefined {
    this.#checkpoint();
    const slice = this.#cache.take(this.#dir, file) ?? this.#guard(file, () => SliceReader.open(this.#dir, file));
    if (slice) this.#open.add(slice);
    return slice;
  }

  #closeSlice(slice: SliceReader): void {
    if (this.#open.delete(slice)) this.#cache.keep(slice);
  }

  /** Runs a step of a query; when the slice is to blame for its failure, notes that and goes on without. */
  #guard<T>(slice: SliceFile, step: () => T): T | undefined {
    try {
      return step();
    } catch (error) {
      this.#skip(slice, error);
      return undefined;
    }
  }

  /** @throws the error, when the slice is not to blame for it. */
  #skip({ file }: SliceFile, error: unknown): void {
    const isOfSlice = sqliteCode(error) !== undefined || (error instanceof LosslogError && error.code === 'STORE');
    if (!isOfSlice) throw error;
    if (!this.#skipped.has(file)) this.#skipped.set(file, messageOf(error));
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
  const plan = planOf(slice, kind, { ...filter, all: true });
  let count = 0;
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
