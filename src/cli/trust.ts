/** How far an answer can be trusted, in one line: what the recorder could see of the time that was asked for. */

import { formatDuration } from '../base/duration.ts';
import type { WallNs } from '../base/time.ts';
import type { Noted } from '../store/notes.ts';
import type { Session, StoreReader } from '../store/store.ts';
import { gapsIn, type Stretch, sessionStretches } from '../store/stretches.ts';
import { coverageText } from './history.ts';

/** Sentences told one by one; of the rest the number. */
const NAMED = 2;

/** For `show`, `top` and `why`. @param asked the time that the answer is about */
export function trustText(reader: StoreReader, asked: Stretch, now: WallNs): string {
  if (isBeforeHistory(asked)) return BEFORE_HISTORY;
  const sessions = meeting(reader.coverage(asked).sessions, asked, now);
  const ran = sessions.flatMap((session) => sessionStretches(session, now));
  // Looked for only where it matters: it may stand anywhere after the time asked for.
  const alone = gapsIn(asked, ran).length === 0 ? [] : reader.aloneSince(asked.from);
  const gaps = gapsIn(asked, [...ran, ...alone]);
  const filters = new Set(sessions.flatMap(({ filter }) => filter ?? []));
  const notes = reader.noted(asked);
  const parts = [
    coverageText(gaps),
    filters.size === 0 ? '' : `it was told to record only: ${[...filters].join(' / ')}`,
    ...notedTexts(notes),
    blindText(sessions, notes),
  ];
  return parts.filter(Boolean).join(', ');
}

export const BEFORE_HISTORY = 'all of that time is before history begins: nothing is known of it';

/** Whether a time without a begin, which is then that of history, ends before it. */
export const isBeforeHistory = ({ from, until }: Stretch): boolean => until <= from;

/** The sessions that ran in some of the time asked for. */
export const meeting = (sessions: readonly Session[], asked: Stretch, now: WallNs): Session[] =>
  sessions.filter((session) => sessionStretches(session, now).some((ran) => meets(ran, asked)));

/** What the hosts of these sessions do not show, or what was not looked at for once; empty when nothing is missing. */
export function blindText(sessions: readonly Session[], notes: readonly Noted[]): string {
  const noted = notes.flatMap(({ state, counter, why }) => (state === 'blind' && !counter && why ? why : []));
  const blind = new Set([...sessions.flatMap((session) => session.blind ?? []), ...noted]);
  return blind.size === 0 ? '' : `not seen here: ${someOf([...blind])}`;
}

const meets = (ran: Stretch, asked: Stretch): boolean => ran.from < asked.until && ran.until > asked.from;

const someOf = (texts: readonly string[]): string =>
  texts.length <= NAMED ? texts.join('; ') : `${texts.slice(0, NAMED).join('; ')}, and ${texts.length - NAMED} more`;

/** What was lost, only counted or compared; `coverage` says the same of its own period. */
export function notedTexts(notes: readonly Noted[]): string[] {
  const sumOf = (of: readonly Noted[], field: 'count' | 'records' | 'recorded' | 'kernel'): number =>
    of.reduce((sum, noted) => sum + noted[field], 0);
  const plain = notes.filter(({ counter }) => counter === undefined);
  const state = (name: Noted['state']): Noted[] => plain.filter((noted) => noted.state === name);
  const [lost, limited] = [state('lost'), state('limited')];
  // With a count it is not the clock, but a stretch that the kernel recorded alone.
  const steps = state('recording').filter(({ count, why = '' }) => count === 0 && why.startsWith('the wall clock'));
  const compared = notes.filter(({ counter }) => counter === 'TcpRetransSegs');
  return [
    lost.length === 0 ? '' : lostText(sumOf(lost, 'count')),
    limited.length === 0 ? '' : `${sumOf(limited, 'count')} events only counted`,
    steps.length === 0 ? '' : `the clock was set ${times(sumOf(steps, 'records'))}`,
    compared.length === 0 ? '' : comparedText(sumOf(compared, 'recorded'), sumOf(compared, 'kernel')),
  ].filter(Boolean);
}

const lostText = (count: number): string =>
  count === 0 ? 'an unknown number of events lost' : `${count} ${count === 1 ? 'event' : 'events'} lost`;

const times = (count: number): string => (count === 1 ? 'once' : `${count} times`);

function comparedText(recorded: number, kernel: number): string {
  const segments = kernel === 1 ? 'segment' : 'segments';
  if (recorded === kernel) return `${recorded} of the ${kernel} ${segments} that the kernel resent are recorded`;
  return `only ${recorded} of the ${kernel} ${segments} that the kernel resent are recorded`;
}

/** `the recorder was running all that time`, or for how long it was not. */
export const downText = (downNs: bigint, wholeNs: bigint): string =>
  downNs === 0n
    ? 'the recorder was running all that time'
    : `the recorder was not running for ${formatDuration(downNs)} of ${formatDuration(wholeNs)}`;
