/** The slices of a store for one reader: which of them lie in a time, opened when they are needed, the damaged ones noted and left out. */

import { LosslogError, messageOf } from '../base/errors.ts';
import { NS_PER_HOUR, type WallNs } from '../base/time.ts';
import type { Filter } from '../event/filter.ts';
import type { Order } from './rows.ts';
import type { Stretch } from './session.ts';
import { SliceCache } from './slice-cache.ts';
import { type Hour, hourStart, listSlices, type SliceFile } from './slice-name.ts';
import { SliceReader } from './slice-reader.ts';
import { sqliteCode } from './sqlite.ts';

/** A slice that could not be read, or not to its end. */
export interface SkippedSlice {
  file: string;
  why: string;
}

export interface StoreReaderOptions {
  /** Slices kept open from one reader to the next; else this one's own. */
  cache?: SliceCache;
  /** Called before each slice is read, some tens of milliseconds apart at most; may throw to end a query. */
  checkpoint?: () => void;
}

export class Slices {
  readonly #dir: string;
  readonly #skipped = new Map<string, string>();
  readonly #open = new Set<SliceReader>();
  readonly #cache: SliceCache;
  readonly #ownsCache: boolean;
  readonly #checkpoint: () => void;

  constructor(dir: string, { cache, checkpoint }: StoreReaderOptions) {
    this.#dir = dir;
    this.#cache = cache ?? new SliceCache();
    this.#ownsCache = cache === undefined;
    this.#checkpoint = checkpoint ?? (() => undefined);
  }

  get skipped(): readonly SkippedSlice[] {
    return [...this.#skipped].map(([file, why]) => ({ file, why }));
  }

  /** Also those that were not released. */
  close(): void {
    for (const slice of this.#open) slice.close();
    this.#open.clear();
    if (this.#ownsCache) this.#cache.close();
  }

  /** Slices of the time asked for, by hour. Damaged ones are noted and left out. */
  hours({ since, until }: Filter, order: Order): SliceFile[][] {
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
  around(asked: Stretch | undefined): SliceFile[][] {
    const hours = this.hours({}, 'oldest');
    if (!asked) return hours;
    const hourAt = (slices: readonly SliceFile[]): WallNs => hourStart((slices[0] as SliceFile).hour);
    const first = hours.findIndex((slices) => hourAt(slices) + NS_PER_HOUR > asked.from);
    const beyond = hours.findIndex((slices) => hourAt(slices) >= asked.until);
    return hours.slice(Math.max(0, (first < 0 ? hours.length : first) - 1), beyond < 0 ? hours.length : beyond + 1);
  }

  /** Visits the slices of the time asked for, as {@link visitFiles} does. */
  visit(filter: Filter, visit: (slice: SliceReader) => void): void {
    for (const slices of this.hours(filter, 'oldest')) this.visitFiles(slices, visit);
  }

  /** Visits slices one after the other. `visit` must take over its result at its end: it may fail half-way. */
  visitFiles(slices: readonly SliceFile[], visit: (slice: SliceReader) => void): void {
    for (const file of slices) {
      const slice = this.open(file);
      if (!slice) continue;
      this.guard(file, () => visit(slice));
      this.release(slice);
    }
  }

  /** Undefined when it is gone, empty, or damaged, which is noted. To be given to {@link release}. */
  open(file: SliceFile): SliceReader | undefined {
    this.#checkpoint();
    const slice = this.#cache.take(this.#dir, file) ?? this.guard(file, () => SliceReader.open(this.#dir, file));
    if (slice) this.#open.add(slice);
    return slice;
  }

  release(slice: SliceReader): void {
    if (this.#open.delete(slice)) this.#cache.keep(slice);
  }

  /** Runs a step of a query; when the slice is to blame for its failure, notes that and goes on without. */
  guard<T>(slice: SliceFile, step: () => T): T | undefined {
    try {
      return step();
    } catch (error) {
      this.skip(slice, error);
      return undefined;
    }
  }

  /** @throws the error, when the slice is not to blame for it. */
  skip({ file }: SliceFile, error: unknown): void {
    const isOfSlice = sqliteCode(error) !== undefined || (error instanceof LosslogError && error.code === 'STORE');
    if (!isOfSlice) throw error;
    if (!this.#skipped.has(file)) this.#skipped.set(file, messageOf(error));
  }
}
