/** Wall time for the stamps of a trace log, which count from a boot. */

import { NS_PER_S, type WallNs, wallNs } from '../../base/time.ts';
import type { CoverageEvent, Event, UntimedEvent } from '../../event/kinds.ts';
import type { LogEvent } from './log-event.ts';
import type { LostEvents } from './lost-stretches.ts';

/** What a stamp may be beyond the moment at which the log was written: clocks of a file system are coarse. */
const SLACK_NS = NS_PER_S;

/**
 * Whether a log can be of the boot that this host runs in.
 * @param bootedAt when this boot began
 * @param writtenAt when the log was last written to
 */
export function fitsBoot(firstNs: bigint, bootedAt: WallNs, writtenAt: WallNs): boolean {
  return writtenAt >= bootedAt && firstNs <= writtenAt - bootedAt + SLACK_NS;
}

/** A copy of the event with its times, as far as they are known. */
export function timed(event: LogEvent, time: WallNs | undefined, atNs: bigint | undefined): Event | UntimedEvent {
  const stamped = { ...event } as Event;
  if (atNs !== undefined) stamped.bootNs = atNs;
  if (time !== undefined) stamped.time = time;
  return stamped;
}

/** 9999-12-31T23:59:59.999999999Z: RFC 3339 has four digits for the year. */
const MAX_WALL = 253_402_300_799_999_999_999n;

/**
 * Wall time of a stamp; undefined where it is not known, before 1970 and after 9999.
 * @param bootedAt wall time of the stamp 0
 */
export function wallAt(bootedAt: WallNs | undefined, atNs: bigint | undefined): WallNs | undefined {
  if (bootedAt === undefined || atNs === undefined) return undefined;
  const time = bootedAt + atNs;
  return time >= 0n && time <= MAX_WALL ? wallNs(time) : undefined;
}

/** Lost events as coverage; without its stretch where times are not known. */
export function lostCoverage(lost: LostEvents, bootedAt: WallNs | undefined): CoverageEvent | UntimedEvent {
  const { count, fromNs = lost.untilNs, untilNs = lost.fromNs } = lost;
  const coverage = {
    kind: 'coverage',
    state: 'lost',
    ...(untilNs === undefined ? {} : { bootNs: untilNs }),
    ...(count === undefined ? {} : { count }),
    why: 'the trace buffer overflowed: events of any kind are missing in the log',
  };
  if (bootedAt === undefined || fromNs === undefined || untilNs === undefined)
    return coverage as unknown as UntimedEvent;
  const [from, until] = [wallAt(bootedAt, fromNs), wallAt(bootedAt, untilNs)];
  if (from === undefined || until === undefined) return coverage as unknown as UntimedEvent;
  return { ...coverage, time: until, from, until } as CoverageEvent;
}
