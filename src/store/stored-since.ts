/**
 * What this boot's recorders stored since a moment, for whoever takes over from one that was killed between storing an event and
 * saying so: an event that is here is not to be stored again.
 */

import { join } from 'node:path';
import { type BootNs, bootNs } from '../base/time.ts';
import { type Event, KINDS, type Kind } from '../event/kinds.ts';
import { quoted } from './schema.ts';
import { listSlices, type SliceFile } from './slice-name.ts';
import { SliceReader } from './slice-reader.ts';
import { isWalFile, sqliteCode } from './sqlite.ts';

/** Slices looked at besides those that are open. What the rings hold fills less than one. */
const NEWEST = 4;

/** Times since boot. */
export interface Since {
  readonly events: BootNs;
  /** These carry the time of the first event that they count. */
  readonly summaries: BootNs;
  readonly losses: BootNs;
}

export class StoredSince {
  /** By kind and time since boot: how many such events are stored. */
  readonly #counts = new Map<string, number>();
  readonly #losses = new Map<string, number>();

  static read(dir: string, bootId: string, since: Since): StoredSince {
    const stored = new StoredSince();
    for (const slice of recentSlices(dir)) stored.#readSlice(dir, slice, bootId, since);
    return stored;
  }

  /** How many events were told as lost, by the sentence that says why. */
  get losses(): ReadonlyMap<string, number> {
    return this.#losses;
  }

  /** Whether an event is stored; each stored one answers for one event. */
  claim({ kind, bootNs: stamp }: Event): boolean {
    const key = keyOf(kind, stamp);
    const count = this.#counts.get(key) ?? 0;
    if (count > 0) this.#counts.set(key, count - 1);
    return count > 0;
  }

  #readSlice(dir: string, file: SliceFile, bootId: string, { events, summaries, losses }: Since): void {
    const slice = openSlice(dir, file);
    if (!slice) return;
    try {
      for (const kind of slice.kinds.keys()) {
        if (kind === 'coverage') this.#addLosses(slice, [bootId, losses]);
        else this.#addEvents(slice, kind, [bootId, kind === 'summary' ? summaries : events]);
      }
    } finally {
      slice.close();
    }
  }

  #addEvents(slice: SliceReader, kind: Kind, since: [string, bigint]): void {
    const rows = slice.all(
      `SELECT CAST(bootNs AS TEXT), count(*) FROM ${quoted(kind)} AS event JOIN session ON session.id = event.session
       WHERE bootId = ? AND bootNs >= ? GROUP BY bootNs`,
      since,
    );
    for (const [stamp, count] of rows) {
      const key = keyOf(kind, bootNs(BigInt(stamp as string)));
      this.#counts.set(key, (this.#counts.get(key) ?? 0) + (count as number));
    }
  }

  #addLosses(slice: SliceReader, since: [string, bigint]): void {
    const rows = slice.all(
      `SELECT string.value, sum(event.count) FROM coverage AS event JOIN session ON session.id = event.session
       JOIN string ON string.id = event.why WHERE bootId = ? AND bootNs > ? AND event.count > 0 GROUP BY 1`,
      since,
    );
    for (const [why, count] of rows) {
      this.#losses.set(why as string, (this.#losses.get(why as string) ?? 0) + (count as number));
    }
  }
}

const keyOf = (kind: Kind, stamp: BootNs | bigint | undefined): string => `${KINDS.indexOf(kind)} ${stamp}`;

/** The newest, and whatever an earlier run left open: after a step of the clock that may be an old hour. */
function recentSlices(dir: string): SliceFile[] {
  const sound = listSlices(dir).filter(({ damaged }) => !damaged);
  return sound.filter((slice, i) => i >= sound.length - NEWEST || isWalFile(join(dir, slice.file)));
}

/** A slice that cannot be read holds nothing that could be claimed; its writer finds out what is wrong with it. */
function openSlice(dir: string, file: SliceFile): SliceReader | undefined {
  try {
    return SliceReader.open(dir, file);
  } catch (error) {
    if (sqliteCode(error) === undefined) throw error;
    return undefined;
  }
}
