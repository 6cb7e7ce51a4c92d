/** What is said on stderr after an answer: how far it can be trusted, and what it leaves out. */

import { type WallNs, wallFromMs } from '../base/time.ts';
import type { Filter } from '../event/filter.ts';
import { localTime } from '../event/local-time.ts';
import type { StoreReader } from '../store/store.ts';
import { trustText } from './trust.ts';

export interface Answer {
  /** Nothing was found. */
  empty: boolean;
  /** Only so many of what was found is shown. */
  cutTo?: number;
  /** With `cutTo`: the time of the oldest that is shown, where the answer begins. */
  from?: WallNs;
}

/** Benign events counted at most. */
const MAX_BENIGN = 1000;

/** The lines to say, in order. To be called after the answer: it is then known which slices could not be read. */
export function remarks(reader: StoreReader, filter: Filter, { empty, cutTo, from }: Answer): string[] {
  const parts = [];
  const begins = reader.begins();
  if (cutTo !== undefined) parts.push(`only the newest ${cutTo} are shown (--limit 0 shows all)`);
  for (const kind of ['drop', 'counter'] as const) {
    const benign = reader.countBenign(filter, MAX_BENIGN, kind);
    const howMany = benign === MAX_BENIGN ? `at least ${benign}` : String(benign);
    if (benign > 0)
      parts.push(`${howMany} benign ${benign === 1 ? `${kind} is` : `${kind}s are`} left out (--all shows them)`);
  }
  parts.push(begins === undefined ? nothing(reader) : `history begins ${localTime(begins, 0)}`);
  const skipped = reader.skipped.map(({ file, why }) => `${file} could not be read and is left out: ${why}`);
  const trust = begins === undefined ? [] : [trustLine(reader, filter, from ?? begins, empty)];
  return [...skipped, ...trust, parts.join('; ')];
}

/** Whether the answer is all that happened; for the time asked for, or where that has no begin, since `begins`. */
export function trustLine(reader: StoreReader, { since, until }: Filter, begins: WallNs, empty: boolean): string {
  const now = wallFromMs(Date.now());
  const trust = trustText(reader, { from: since ?? begins, until: until ?? now }, now);
  return empty ? `nothing found: ${trust}` : trust;
}

const nothing = ({ skipped }: StoreReader): string =>
  skipped.length === 0 ? 'the store holds nothing yet' : 'nothing in the store could be read';
