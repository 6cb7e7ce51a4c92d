/** What is said on stderr after an answer: how far it can be trusted, and what it leaves out. */

import { type WallNs, wallFromMs } from '../base/time.ts';
import type { Filter } from '../event/filter.ts';
import { localTime } from '../event/local-time.ts';
import type { StoreReader } from '../store/store.ts';
import { gapsIn, recordedAlone, type Stretch, sessionStretch } from '../store/stretches.ts';
import { coverageText } from './history.ts';

export interface Answer {
  /** Nothing was found. */
  empty: boolean;
  /** Only so many of what was found is shown. */
  cutTo?: number;
}

/** Benign events counted at most. */
const MAX_BENIGN = 1000;
/** Coverage records counted at most. */
const MAX_COUNTED = 1000;

/** The lines to say, in order. To be called after the answer: it is then known which slices could not be read. */
export function remarks(reader: StoreReader, filter: Filter, { empty, cutTo }: Answer): string[] {
  const parts = [];
  const begins = reader.begins();
  if (empty && begins !== undefined) parts.push(`nothing found: ${trust(reader, filter, begins)}`);
  if (cutTo !== undefined) parts.push(`only the newest ${cutTo} are shown (--limit 0 shows all)`);
  for (const kind of ['drop', 'counter'] as const) {
    const benign = reader.countBenign(filter, MAX_BENIGN, kind);
    const howMany = benign === MAX_BENIGN ? `at least ${benign}` : String(benign);
    if (benign > 0)
      parts.push(`${howMany} benign ${benign === 1 ? `${kind} is` : `${kind}s are`} left out (--all shows them)`);
  }
  parts.push(begins === undefined ? nothing(reader) : `history begins ${localTime(begins, 0)}`);
  const skipped = reader.skipped.map(({ file, why }) => `${file} could not be read and is left out: ${why}`);
  return [...skipped, parts.join('; ')];
}

const nothing = ({ skipped }: StoreReader): string =>
  skipped.length === 0 ? 'the store holds nothing yet' : 'nothing in the store could be read';

/** Whether an empty answer means that nothing happened. */
function trust(reader: StoreReader, filter: Filter, begins: WallNs): string {
  const now = wallFromMs(Date.now());
  const asked: Stretch = { from: filter.since ?? begins, until: filter.until ?? now };
  const sessions = reader
    .coverage()
    .sessions.map((session) => ({ ...sessionStretch(session, now), filter: session.filter }))
    .filter(({ from, until }) => from < asked.until && until > asked.from);
  const alone = recordedAlone(reader, asked) as unknown as Stretch[];
  const parts = [coverageText(gapsIn(asked, [...sessions, ...alone]))];
  const limits = new Set(sessions.map((session) => session.filter).filter((text) => text !== undefined));
  if (limits.size > 0) parts.push(`it was told to record only: ${[...limits].join(' / ')}`);
  const missed = countMissed(reader, asked);
  if (missed > 0)
    parts.push(`${missed} ${missed === 1 ? 'record tells' : 'records tell'} what it missed (--kind coverage shows it)`);
  return parts.join(', ');
}

function countMissed(reader: StoreReader, { from, until }: Stretch): number {
  const records = reader.events({ since: from, until, kinds: ['coverage'] }, { order: 'newest', limit: MAX_COUNTED });
  let count = 0;
  for (const event of records) if (event.kind === 'coverage' && event.state !== 'recording') count++;
  return count;
}
