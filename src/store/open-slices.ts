/** The slices that are open for writing, at most two: the present one, and one for what comes late or early. */

import { readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { messageOf } from '../base/errors.ts';
import type { WallNs } from '../base/time.ts';
import type { PacketOptions } from './packets.ts';
import { setAside } from './retention.ts';
import {
  type Hour,
  hourStart,
  listSlices,
  parseSliceName,
  type SliceFile,
  type SliceName,
  sliceFileName,
} from './slice-name.ts';
import { DamagedSlice, NotAppendable, SliceWriter, type StoreSession } from './slice-writer.ts';
import { isCorrupt, isWalFile } from './sqlite.ts';

const MAX_OPEN = 2;

export interface OpenSlicesOptions {
  readonly dir: string;
  readonly session: StoreSession;
  readonly started: WallNs;
  readonly walPages: number;
  readonly packets: PacketOptions;
  /** See {@link SliceOrigin}. */
  readonly elapsed: () => bigint | undefined;
  /** Whether a slice is to be sealed, so that nothing may be added to it. */
  readonly isSealing: (path: string) => boolean;
  /** Takes the path of a slice that was closed for good. */
  readonly onRetired: (path: string) => void;
  /** Told of a slice found damaged; it has been renamed. */
  readonly onDamaged: (slice: SliceName, why: string, rows: number) => void;
}

export class OpenSlices {
  readonly #options: OpenSlicesOptions;
  /** Least recently used first. */
  #slices: readonly SliceWriter[] = [];
  /** Paths of slices that had to make room for another. They may go on until they are sealed. */
  readonly #parked = new Map<string, SliceName>();
  /** Files opened lately, which need no check when they are opened again after an error. */
  #checked: ReadonlySet<string> = new Set();

  constructor(options: OpenSlicesOptions) {
    this.#options = options;
  }

  /** Least recently used first. */
  get all(): readonly SliceWriter[] {
    return this.#slices;
  }

  isOpen(path: string): boolean {
    return this.#slices.some((slice) => slice.path === path);
  }

  /** The slice that takes events of an hour: the open one, the last unsealed file of that hour, or a new part. */
  at(hour: Hour, now: WallNs): SliceWriter {
    const slice = this.#slices.find((open) => open.name.hour === hour) ?? this.#open(hour, now);
    this.#slices = [...this.#slices.filter((open) => open !== slice), slice];
    this.#parked.delete(slice.path);
    while (this.#slices.length > MAX_OPEN) this.#park(this.#slices[0] as SliceWriter);
    return slice;
  }

  /** Closes a slice for good. */
  retire(slice: SliceWriter): void {
    this.discard(slice);
    this.#options.onRetired(slice.path);
  }

  /** Retires the slices of hours that end before `end`, but for an empty one: it is a home for heartbeats. */
  retireBefore(end: WallNs): void {
    const isOver = ({ hour }: SliceName) => hourStart(hour + 1) <= end;
    for (const slice of this.#slices) if (isOver(slice.name) && slice.rows > 0) this.retire(slice);
    for (const [path, name] of this.#parked) {
      if (!isOver(name)) continue;
      this.#parked.delete(path);
      this.#options.onRetired(path);
    }
  }

  #park(slice: SliceWriter): void {
    this.discard(slice);
    this.#parked.set(slice.path, slice.name);
  }

  /** Closes a slice; the next event of its hour opens it again. */
  discard(slice: SliceWriter): void {
    slice.close();
    this.#slices = this.#slices.filter((open) => open !== slice);
  }

  /** Slices that an earlier run left unsealed, but for the last part of the present hour, which goes on. */
  leftOver(presentHour: Hour | undefined): string[] {
    const { dir } = this.#options;
    const files = listSlices(dir).filter(({ damaged }) => !damaged);
    return files
      .filter(({ hour }, i) => hour !== presentHour || files[i + 1]?.hour === hour)
      .map(({ file }) => join(dir, file))
      .filter((path) => isWalFile(path) && !this.isOpen(path));
  }

  /** Sets aside a slice whose bytes are not what SQLite wrote. */
  setAside(name: SliceName, why: string): void {
    const path = join(this.#options.dir, sliceFileName(name));
    const open = this.#slices.find((slice) => slice.path === path);
    if (open) this.discard(open);
    setAside(path);
    this.#options.onDamaged(name, why, open?.rows ?? 0);
  }

  #open(hour: Hour, now: WallNs): SliceWriter {
    const { dir, isSealing } = this.#options;
    const last = lastPart(dir, hour);
    if (last && !last.damaged && !isSealing(join(dir, last.file))) {
      try {
        return this.#openPart(last, now);
      } catch (error) {
        if (isCorrupt(error) || error instanceof DamagedSlice) this.setAside(last, messageOf(error));
        else if (!(error instanceof NotAppendable)) throw error;
      }
    }
    return this.#openPart({ hour, part: (last?.part ?? 0) + 1 }, now);
  }

  #openPart({ hour, part }: SliceName, now: WallNs): SliceWriter {
    const { dir, session, started, walPages, packets, elapsed } = this.#options;
    const name = { hour, part };
    const file = sliceFileName(name);
    const slice = SliceWriter.open(dir, name, {
      session,
      started,
      now,
      check: !this.#checked.has(file),
      walPages,
      packets,
      elapsed,
    });
    this.#checked = new Set([...this.#checked, file].slice(-MAX_OPEN));
    return slice;
  }
}

function lastPart(dir: string, hour: Hour): SliceFile | undefined {
  const stem = basename(sliceFileName({ hour, part: 1 }), '.db');
  return readdirSync(dir)
    .filter((file) => file.startsWith(stem))
    .map(parseSliceName)
    .filter((slice) => slice !== undefined)
    .sort((a, b) => a.part - b.part || Number(a.damaged) - Number(b.damaged))
    .at(-1);
}
