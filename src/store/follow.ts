/** Follows a store that another process writes: what was committed since the last look. */

import { statSync } from 'node:fs';
import { join } from 'node:path';
import type { Event, Kind } from '../event/kinds.ts';
import { quoted } from './schema.ts';
import { listSlices, type SliceFile } from './slice-name.ts';
import { SliceReader } from './slice-reader.ts';

/** Rows of a kind that are read of a slice at once; what is beyond is passed over, so that a look is bounded in time and memory. */
const MAX_ROWS = 4096;

const TICK_MS = 50;

/** How far a slice was read: the last id of each kind. */
interface Place {
  readonly seen: Map<Kind, number>;
  /** When the slice or its -wal was written last, so that an unchanged one is not opened again. */
  written: number;
}

export interface Followed {
  /** In the order of their times. */
  events: Event[];
  /** Events that came too fast to be read one by one. */
  passedOver: number;
}

export class StoreFollower {
  readonly #dir: string;
  readonly #places = new Map<string, Place>();
  /** Sealed slices that were read to their end. */
  readonly #done = new Set<string>();

  /** Follows from now on. @throws what reading the directory throws, unless it does not exist yet */
  constructor(dir: string) {
    this.#dir = dir;
    this.#eachChanged((slice, place) => {
      for (const [kind, { maxId }] of slice.kinds) place.seen.set(kind, maxId);
    });
  }

  /** What was stored since the last call. A slice that cannot be read now is tried again. */
  read(): Followed {
    const followed: Followed = { events: [], passedOver: 0 };
    this.#eachChanged((slice, { seen }) => {
      for (const [kind, { maxId }] of slice.kinds) {
        const from = seen.get(kind) ?? -1;
        if (maxId <= from) continue;
        readNew(slice, kind, from, followed);
        seen.set(kind, maxId);
      }
    });
    followed.events.sort((a, b) => Number(a.time - b.time));
    return followed;
  }

  #eachChanged(visit: (slice: SliceReader, place: Place) => void): void {
    const files = this.#slices();
    const names = new Set(files.map(({ file }) => file));
    for (const file of [...this.#done, ...this.#places.keys()]) {
      if (names.has(file)) continue;
      this.#done.delete(file);
      this.#places.delete(file);
    }
    for (const file of files) {
      if (!this.#done.has(file.file)) this.#visit(file, visit);
    }
  }

  #visit(file: SliceFile, visit: (slice: SliceReader, place: Place) => void): void {
    const written = writtenAt(join(this.#dir, file.file));
    const place = this.#places.get(file.file) ?? { seen: new Map(), written: -1 };
    if (place.written === written) return;
    try {
      const slice = SliceReader.open(this.#dir, file);
      if (!slice) return;
      try {
        visit(slice, place);
        if (slice.extent.sealed === 1) this.#done.add(file.file);
      } finally {
        slice.close();
      }
      // Times of files go by ticks of the kernel: one just written may be written again at the same time.
      place.written = Date.now() - written > TICK_MS ? written : -1;
      this.#places.set(file.file, place);
    } catch {
      // Being sealed, or damaged: a query on the store says which.
    }
  }

  #slices(): SliceFile[] {
    try {
      return listSlices(this.#dir).filter(({ damaged }) => !damaged);
    } catch {
      return [];
    }
  }
}

function readNew(slice: SliceReader, kind: Kind, from: number, followed: Followed): void {
  const rows = slice.all(
    `SELECT ${slice.select(kind)} FROM ${quoted(kind)} WHERE id > ? AND id <= ? ORDER BY id DESC LIMIT ?`,
    [from, slice.kinds.get(kind)?.maxId ?? from, MAX_ROWS],
  );
  for (const row of rows) followed.events.push(slice.decode(kind, row));
  const first = rows.at(-1)?.[0] as number | undefined;
  if (rows.length < MAX_ROWS || first === undefined) return;
  const [[count] = []] = slice.all(`SELECT count(*) FROM ${quoted(kind)} WHERE id > ? AND id < ?`, [from, first]);
  followed.passedOver += count as number;
}

/** The later of the times of the file and its -wal, in ms. */
const writtenAt = (path: string): number =>
  Math.max(...[path, `${path}-wal`].map((file) => statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0));
