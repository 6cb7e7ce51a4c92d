/** When a recorder was running, and what it could not see: the history of a store as coverage events. */

import { NS_PER_S, type WallNs } from '../base/time.ts';
import type { CoverageEvent } from '../event/kinds.ts';
import type { StoreReader } from './reader.ts';
import type { Session, Stretch } from './session.ts';

export type { Stretch } from './session.ts';

/** A running recorder notes every 10 s that it lives (writer.ts); what is older than this is a dead one. */
const ALIVE_NS = 15n * NS_PER_S;

/** Whether the recorder of a session runs at `now`, as far as the store knows. */
export const isAlive = ({ lastNs, ended }: Session, now: WallNs): boolean =>
  !ended && lastNs <= now && now - lastNs < ALIVE_NS;

/** When a recorder ran, as far as the store knows: until now, if it still lives. Stretches that meet are one. */
export function sessionStretches(session: Session, now: WallNs): Stretch[] {
  const alive = isAlive(session, now) ? [{ from: session.lastNs, until: now }] : [];
  const joined: Stretch[] = [];
  for (const { from, until } of [...session.ran, ...alive].sort((a, b) => Number(a.from - b.from))) {
    const last = joined.at(-1);
    if (last && from <= last.until) last.until = later(last.until, until);
    else joined.push({ from, until });
  }
  return joined;
}

/** The parts of `asked` that lie in none of the `covered` stretches, in order */
export function gapsIn(asked: Stretch, covered: readonly Stretch[]): Stretch[] {
  const gaps: Stretch[] = [];
  let from = asked.from;
  const addGap = (until: WallNs): void => {
    if (until > from) gaps.push({ from, until });
  };
  for (const stretch of covered.toSorted((a, b) => (a.from < b.from ? -1 : 1))) {
    if (stretch.until <= from) continue;
    if (stretch.from >= asked.until) break;
    addGap(stretch.from);
    from = stretch.until;
  }
  addGap(asked.until);
  return gaps;
}

/** Everything that bears on whether `asked` can be trusted, in order of time. */
export function coverageEvents(
  reader: StoreReader,
  sessions: readonly Session[],
  asked: Stretch,
  now: WallNs,
): CoverageEvent[] {
  const alone = recordedAlone(reader, asked);
  const others = told(reader, asked).filter((one) => !isRecordedAlone(one));
  return [...running(sessions, alone, asked, now), ...alone, ...others].sort(byTime);
}

/** A stretch in which the kernel recorded without a recorder, and whose events came to the store later (src/recorder/inheritance.ts). */
const isRecordedAlone = ({ state, count }: CoverageEvent): boolean => state === 'recording' && count !== undefined;

/** The stretches of `asked` in which the kernel recorded alone; each is told at its end. */
export function recordedAlone(reader: StoreReader, asked: Stretch): CoverageEvent[] {
  const events = reader.events({ since: asked.from, kinds: ['coverage'] }, { order: 'oldest' });
  return [...events].filter(
    (one): one is CoverageEvent =>
      one.kind === 'coverage' && isRecordedAlone(one) && one.from < asked.until && one.until > asked.from,
  );
}

const byTime = (a: CoverageEvent, b: CoverageEvent): number => Number(a.from - b.from) || Number(a.until - b.until);

/** Stretches in which a recorder ran, and those between them. */
function running(
  sessions: readonly Session[],
  alone: readonly CoverageEvent[],
  asked: Stretch,
  now: WallNs,
): CoverageEvent[] {
  const ran = sessions
    .flatMap((session) => sessionStretches(session, now).map((ran) => ({ ...ran, filter: session.filter })))
    .filter(({ from, until }) => from < asked.until && until > asked.from)
    .map(({ from, until, filter }) => ({
      ...event('recording', { from: later(from, asked.from), until: earlier(until, asked.until) }),
      ...(filter === undefined ? {} : { why: `only: ${filter}` }),
    }));
  const covered = [...ran, ...alone] as unknown as Stretch[];
  const down = gapsIn(asked, covered).map((gap) => event('down', gap));
  return [...ran, ...down.map((stretch) => ({ ...stretch, why: 'the recorder was not running' }))];
}

const event = (state: CoverageEvent['state'], { from, until }: Stretch): CoverageEvent => ({
  kind: 'coverage',
  time: from,
  from,
  until,
  state,
});

const later = (a: WallNs, b: WallNs): WallNs => (a > b ? a : b);
const earlier = (a: WallNs, b: WallNs): WallNs => (a < b ? a : b);

/** What the recorder itself noted: losses, blind spots, steps of the clock. */
function told(reader: StoreReader, { from, until }: Stretch): CoverageEvent[] {
  const events = reader.events({ since: from, until, kinds: ['coverage'] }, { order: 'oldest' });
  return [...events].filter((one): one is CoverageEvent => one.kind === 'coverage');
}
