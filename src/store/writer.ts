/** The store as the recorder sees it: a sink that never throws, has a bound, and accounts for what it loses. */

import { messageOf } from '../base/errors.ts';
import { NS_PER_DAY, NS_PER_HOUR, NS_PER_S, type WallNs, wallFromMs, wallNs } from '../base/time.ts';
import type { Event } from '../event/kinds.ts';
import type { Sink } from '../event/sink.ts';
import { bootNow, isClockSynchronized } from '../linux/clock.ts';
import { openError, prepareDirectory, requireKnownVersion } from './directory.ts';
import { StoreLock } from './lock.ts';
import { coverageOf, Losses } from './losses.ts';
import { OpenSlices } from './open-slices.ts';
import type { PacketsKept } from './packets.ts';
import { expiredSlices, measureSlices, removeSlice } from './retention.ts';
import { PAGE_SIZE } from './schema.ts';
import { Sealer } from './sealer.ts';
import { SessionClock } from './session-clock.ts';
import { type Hour, hourOf, hourStart, type SliceName, sliceFileName } from './slice-name.ts';
import type { SliceWriter, StoreSession } from './slice-writer.ts';
import { isCorrupt, isRejection } from './sqlite.ts';

export interface StoreWriterOptions {
  /** Bound of the whole store in bytes; default 1 GiB. */
  maxBytes?: number;
  /** Bound of the age of a slice; default 30 days. */
  maxAgeNs?: bigint;
  /** Bound of the events of a slice; default 100,000. An open slice has no index: reading one of that size takes 20 to 40 ms. */
  maxSliceRows?: number;
  /** How long an event waits at most before it is committed; default 500 ms. */
  commitIntervalMs?: number;
  /** Which captured packets are kept; default `some`. */
  packets?: PacketsKept;
  /** The clock; default the system's. */
  now?: () => WallNs;
  /** A clock that nobody sets, in ns; default the time since boot, or none where `now` is given. */
  steady?: () => bigint;
  /** Called when the thread that seals slices has begun, and when it has ended, since nothing is left to seal. */
  onSealThread?: () => void;
}

/** Events of one transaction at most: about 20 ms, a fraction of what the ring buffers hold in a storm. */
const BATCH = 2048;
/** Events held while nothing can be stored: some 20 MB. */
const MAX_BUFFERED = 20_000;
/** Besides, sums: each stands for any number of events, and the kernel hands over 12,288 at once at most (bpf/maps.h). */
const MAX_BUFFERED_SUMS = 12_500;
/** Memory for the texts and owners of an open slice; a slice with more is full. */
const MAX_SHARED_BYTES = 16 << 20;
const MAX_SLICE_BYTES = 48 << 20;
/** Packets, where only some are kept, may take a 48th of a slice: 1 MiB of 48, some 12,000 packets, 10 bytes for each of 100,000 events. */
const PACKET_SHARE = 48;
/** An empty slice has 14 pages. */
const MIN_SLICE_BYTES = 32 * PAGE_SIZE;
/** What the open slice with its -wal, and its indexes while it is sealed, may add to the store: 1.5 times its bound. */
const RESERVE = 1.5;
const RETRY_MS = 1000;
const HEARTBEAT_MS = 10_000;
/** Heartbeats between two looks at the age and size of the store. */
const RETENTION_BEATS = 30;
/** A slice is sealed this long after its hour, for what comes late. */
const LATE_NS = 30n * NS_PER_S;
const END_OF_TIME = wallNs(2n ** 63n);

export class StoreWriter implements Sink {
  readonly #dir: string;
  readonly #options: Required<Omit<StoreWriterOptions, 'steady' | 'onSealThread'>>;
  readonly #clock: SessionClock;
  readonly #losses = new Losses();
  readonly #slices: OpenSlices;
  readonly #sealer: Sealer;
  readonly #heart: NodeJS.Timeout;
  #lock: StoreLock | undefined;
  #buffer: Event[] = [];
  #timer: NodeJS.Timeout | undefined;
  #stored = 0;
  /** Events taken in all, and of them those of which nothing is left to do: committed, or told as lost by a committed event. */
  #taken = 0;
  #settled = 0;
  #whenSettled: { upTo: number; callback: () => void }[] = [];
  #beats = 0;
  /** The last transaction, when it failed: where it was to go, how many rows were there, and how many it was to add. */
  #doubt: { path: string; rows: number; count: number } | undefined;
  /** Why storing fails; undefined while it works. */
  #failure: string | undefined;
  #isClosed = false;

  /**
   * Opens the store for writing, making the directory (mode 0700) where there is none, and begins a session.
   * @throws NOT_PERMITTED, STORE (another process writes it, it is no directory), STORE_VERSION
   */
  static open(dir: string, session: StoreSession, options: StoreWriterOptions = {}): StoreWriter {
    try {
      prepareDirectory(dir);
      requireKnownVersion(dir);
      return new StoreWriter(dir, session, options, StoreLock.acquire(dir));
    } catch (error) {
      throw openError(dir, error);
    }
  }

  private constructor(dir: string, session: StoreSession, options: StoreWriterOptions, lock: StoreLock) {
    this.#dir = dir;
    this.#lock = lock;
    this.#options = {
      maxBytes: options.maxBytes ?? 2 ** 30,
      maxAgeNs: options.maxAgeNs ?? 30n * NS_PER_DAY,
      maxSliceRows: options.maxSliceRows ?? 100_000,
      commitIntervalMs: options.commitIntervalMs ?? 500,
      packets: options.packets ?? 'some',
      now: options.now ?? (() => wallFromMs(Date.now())),
    };
    this.#sealer = new Sealer(() => this.#retain(), options.onSealThread ?? (() => {}));
    this.#clock = new SessionClock({
      now: () => this.#options.now(),
      steady: options.steady ?? (options.now ? undefined : bootNow),
      isSynchronized: isClockSynchronized,
    });
    this.#slices = new OpenSlices({
      dir,
      session,
      started: this.#clock.started,
      elapsed: () => this.#clock.elapsed,
      walPages: Math.max(8, Math.floor(this.#maxSliceBytes / PAGE_SIZE / 8)),
      packets: { keep: this.#options.packets, room: Math.floor(this.#maxSliceBytes / PACKET_SHARE) },
      isSealing: (path) => this.#sealer.holds(path),
      onRetired: (path) => this.#sealer.enqueue(path),
      onDamaged: (slice, why, rows) => this.#noteDamaged(slice, why, rows),
    });
    this.#heart = setInterval(() => this.#beat(), HEARTBEAT_MS).unref();
    this.#begin();
  }

  /** Events that were committed. */
  get stored(): number {
    return this.#stored;
  }

  /** Events that were given up. Coverage tells of them once something can be stored again. */
  get unstored(): number {
    return this.#losses.total;
  }

  /** Of {@link unstored} what nothing in the store tells of, as after a {@link close} that could not store; undefined when there is none. */
  get untold(): { count: number; why: string } | undefined {
    return this.#losses.untold;
  }

  /** Events taken and neither committed nor given up. */
  get pending(): number {
    return this.#buffer.length;
  }

  /** How many events can be taken now and none given up: no bound while storing works. */
  get room(): number {
    return this.#failure === undefined ? Number.POSITIVE_INFINITY : MAX_BUFFERED - this.#buffer.length;
  }

  write(events: readonly Event[]): void {
    for (const event of events) {
      this.#taken++;
      if (this.#isClosed) this.#losses.add([event], 'the store is closed');
      else if (hourOf(event.time as WallNs) === undefined) this.#losses.add([event], 'time outside of 1970 to 9999');
      else if (this.#buffer.length >= bufferFor(event)) this.#losses.add([event], this.#failure ?? 'too many events');
      else if (this.#buffer.push(event) >= BATCH && this.#failure === undefined) this.flush();
    }
    this.#arm();
  }

  /** Calls back once every event that was written so far is committed, as itself or in the count of a loss. */
  afterStored(callback: () => void): void {
    if (this.#settled === this.#taken) callback();
    else this.#whenSettled.push({ upTo: this.#taken, callback });
  }

  /** Commits now. What {@link pending} no longer counts after it survives a crash and a power cut. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const byHour = Map.groupBy(this.#buffer, (event) => hourOf(event.time as WallNs) as Hour);
    this.#buffer = [];
    this.#failure = undefined;
    for (const [hour, events] of byHour) this.#buffer.push(...this.#storeHour(hour, events));
    if (this.#failure === undefined) this.#storeLosses();
    this.#settle();
    this.#guard(() => this.#slices.retireBefore(wallNs(this.#options.now() - LATE_NS)));
    this.#arm();
  }

  #settle(): void {
    if (this.#buffer.length > 0 || !this.#losses.isEmpty) return;
    this.#settled = this.#taken;
    while ((this.#whenSettled[0]?.upTo ?? Number.POSITIVE_INFINITY) <= this.#settled)
      this.#whenSettled.shift()?.callback();
  }

  /** Flushes and marks the session as ended. The open slice stays unsealed; the next session goes on with it. */
  close(): void {
    if (this.#isClosed) return;
    this.flush();
    this.#losses.add(this.#buffer, this.#failure ?? 'the store was closed');
    this.#buffer = [];
    this.#isClosed = true;
    clearTimeout(this.#timer);
    clearInterval(this.#heart);
    this.#sealer.stop();
    for (const slice of this.#slices.all) {
      this.#guard(() => slice.heartbeat(this.#options.now(), true));
      this.#slices.discard(slice);
    }
    this.#lock?.release();
  }

  /** Ends the session in every slice and seals them: for a store of the past, which nobody goes on writing. */
  async sealAll(): Promise<void> {
    this.flush();
    for (const slice of this.#slices.all) this.#guard(() => slice.heartbeat(this.#options.now(), true));
    this.#slices.retireBefore(END_OF_TIME);
    await this.sealed();
  }

  /** Resolves when no slice is being sealed any more. */
  sealed(): Promise<void> {
    return this.#sealer.idle();
  }

  /** Bound of the database of an open slice: an eighth of a small store, so that retention has something to remove. */
  get #maxSliceBytes(): number {
    return Math.min(MAX_SLICE_BYTES, Math.max(MIN_SLICE_BYTES, this.#options.maxBytes / 8));
  }

  #begin(): void {
    this.#retain();
    const hour = hourOf(this.#options.now());
    this.#guard(() => hour !== undefined && this.#slices.at(hour, this.#options.now()));
    this.#guard(() => {
      for (const path of this.#slices.leftOver(hour)) this.#sealer.enqueue(path);
    });
  }

  #arm(): void {
    if (this.#isClosed || this.#timer || (this.#buffer.length === 0 && this.#losses.isEmpty)) return;
    const ms = this.#failure === undefined ? this.#options.commitIntervalMs : RETRY_MS;
    this.#timer = setTimeout(() => this.flush(), ms).unref();
  }

  /** Stores events of an hour. @returns those that it could not store and that are worth another try. */
  #storeHour(hour: Hour, events: readonly Event[]): readonly Event[] {
    for (let at = 0; at < events.length; ) {
      const batch = events.slice(at, at + BATCH);
      try {
        at += this.#append(hour, batch);
      } catch (error) {
        if (!isRejection(error)) {
          this.#failure = messageOf(error);
          return events.slice(at);
        }
        this.#isolate(hour, batch, messageOf(error));
        at += batch.length;
      }
    }
    return [];
  }

  /** Stores what it can of a batch in which some event can never be stored, and gives up the rest. */
  #isolate(hour: Hour, batch: readonly Event[], why: string): void {
    if (batch.length === 1) {
      this.#losses.add(batch, why);
      return;
    }
    const middle = batch.length >> 1;
    for (const half of [batch.slice(0, middle), batch.slice(middle)]) this.#buffer.push(...this.#storeHour(hour, half));
  }

  /** Stores as many of the events as the slice has room for, in one transaction. @returns how many. */
  #append(hour: Hour, events: readonly Event[]): number {
    this.#requirePresent();
    const now = this.#options.now();
    const slice = this.#slices.at(hour, now);
    const found = this.#foundStored(slice);
    if (found > 0) return found;
    const fitting = events.slice(0, Math.max(1, this.#options.maxSliceRows - slice.rows));
    try {
      slice.append(fitting, now);
    } catch (error) {
      if (isCorrupt(error)) this.#slices.setAside(slice.name, messageOf(error));
      else this.#slices.discard(slice);
      this.#doubt = { path: slice.path, rows: slice.rows, count: fitting.length };
      throw error;
    }
    this.#stored += fitting.length;
    if (this.#isFull(slice)) this.#slices.retire(slice);
    return fitting.length;
  }

  /**
   * How many events a transaction stored although it failed: when the disk did not answer to the last write, the transaction may be
   * there all the same when the slice is opened again. These are the first of those that are tried again.
   */
  #foundStored(slice: SliceWriter): number {
    const doubt = this.#doubt;
    this.#doubt = undefined;
    if (doubt?.path !== slice.path || slice.rows !== doubt.rows + doubt.count) return 0;
    this.#stored += doubt.count;
    return doubt.count;
  }

  #isFull(slice: SliceWriter): boolean {
    const { maxSliceRows } = this.#options;
    return slice.rows >= maxSliceRows || slice.sharedBytes >= MAX_SHARED_BYTES || slice.bytes >= this.#maxSliceBytes;
  }

  /** Tells in coverage what was lost, now that storing works. */
  #storeLosses(): void {
    this.#losses.endStretch();
    if (this.#losses.isEmpty) return;
    const now = this.#options.now();
    const stretches = this.#losses.take();
    const left = this.#storeHour(
      hourOf(now) as Hour,
      stretches.map((stretch) => coverageOf(stretch, now)),
    );
    this.#stored -= stretches.length - left.length;
    this.#losses.restore(stretches.slice(stretches.length - left.length));
  }

  /** Notices when somebody removed the directory or a slice that is being written: SQLite would write on unseen. */
  #requirePresent(): void {
    for (const slice of this.#slices.all) if (!slice.isPresent()) this.#noteRemoved(slice);
    if (this.#lock?.isPresent()) return;
    this.#lock?.release();
    this.#lock = undefined;
    prepareDirectory(this.#dir);
    this.#lock = StoreLock.acquire(this.#dir);
  }

  #noteRemoved(slice: SliceWriter): void {
    this.#slices.discard(slice);
    const why = `${sliceFileName(slice.name)} was removed by another program while it was written`;
    if (slice.rows > 0) this.#losses.addGone(slice.rows, slice.first, slice.last, why);
  }

  /** @param rows how many events it held; 0 when that is not known */
  #noteDamaged(name: SliceName, why: string, rows: number): void {
    const from = hourStart(name.hour);
    const file = sliceFileName(name);
    const what = `${file} is damaged (${why.replaceAll(/\s+/g, ' ')}); set aside as ${file}.damaged`;
    this.#losses.addGone(rows, from, wallNs(from + NS_PER_HOUR), what);
  }

  #beat(): void {
    this.#guard(() => {
      this.#requirePresent();
      const now = this.#options.now();
      this.#slices.retireBefore(wallNs(now - LATE_NS));
      const hour = hourOf(now);
      const home = this.#slices.all.at(-1) ?? (hour === undefined ? undefined : this.#slices.at(hour, now));
      home?.heartbeat(now, false);
    });
    if (++this.#beats % RETENTION_BEATS === 0) this.#retain();
  }

  /** Removes what is too old or too much. A slice that cannot be removed is tried again at the next occasion. */
  #retain(): void {
    this.#guard(() => {
      const isBusy = (path: string) => this.#slices.isOpen(path) || this.#sealer.isSealing(path);
      const { maxAgeNs } = this.#options;
      const maxBytes = this.#options.maxBytes - RESERVE * this.#maxSliceBytes;
      const expired = expiredSlices(measureSlices(this.#dir, isBusy), { maxBytes, maxAgeNs }, this.#clock.forAges);
      for (const { path } of expired) removeSlice(path);
    });
  }

  /** Runs upkeep that must not end the recording; when it fails, it is due again at the next occasion. */
  #guard(upkeep: () => void): void {
    try {
      upkeep();
    } catch (error) {
      if (isCorrupt(error)) for (const slice of this.#slices.all) this.#slices.discard(slice);
    }
  }
}

const bufferFor = ({ kind }: Event): number =>
  kind === 'summary' || kind === 'coverage' ? MAX_BUFFERED + MAX_BUFFERED_SUMS : MAX_BUFFERED;
