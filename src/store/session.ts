/** Sessions as a slice knows them: one run of the recorder, from its start to its last heartbeat. */

import { NS_PER_HOUR, NS_PER_MINUTE, type WallNs, wallNs } from '../base/time.ts';
import type { SliceReader } from './slice-reader.ts';
import type { StoreSession } from './slice-writer.ts';

/** Since `from`, before `until`. */
export interface Stretch {
  from: WallNs;
  until: WallNs;
}

export interface Session extends StoreSession {
  readonly started: WallNs;
  /** When it last committed or said that it lives (every 10 s). */
  readonly lastNs: WallNs;
  /** Whether it was closed as it should; false also while it runs. */
  readonly ended: boolean;
  /** When it was running, as far as is known: where the wall clock was set meanwhile, not all of the time from start to end. */
  readonly ran: readonly Stretch[];
}

/** What tells sessions apart, in whatever slice they are noted. */
export const sessionKey = ({ bootId, started }: Session): string => `${bootId} ${started}`;

/** What two slices know of the same session. */
export function mergedSession(one: Session, other: Session): Session {
  const latest = one.lastNs > other.lastNs ? one : other;
  return { ...latest, ran: [...one.ran, ...other.ran] };
}

export function readSessions(slice: SliceReader): Session[] {
  const hasAll = slice.sessionSql.includes('ran INTEGER');
  const [blind, ran] = hasAll ? ['blind', 'ran'] : ['NULL', 'NULL'];
  const rows = slice.all(
    `SELECT bootId, losslogVersion, kernel, host, filter, CAST(started AS TEXT), CAST(lastNs AS TEXT), ended, ${blind}, CAST(${ran} AS TEXT)
     FROM session`,
  );
  return rows.map((row) => {
    const [bootId, losslogVersion, kernel, host, filter, startedText, lastText, ended, blindText, ranText] = row;
    const started = wallNs(BigInt(startedText as string));
    const lastNs = wallNs(BigInt(lastText as string));
    return {
      bootId: bootId as string,
      losslogVersion: losslogVersion as string,
      kernel: kernel as string,
      host: host as string,
      ...(filter === null ? {} : { filter: filter as string }),
      ...(blindText === null ? {} : { blind: JSON.parse(blindText as string) as string[] }),
      started,
      lastNs,
      ended: ended === 1,
      ran: ranIn(slice, started, lastNs, ranText === null ? undefined : BigInt(ranText as string)),
    };
  });
}

/** What the wall clock may have been slewed by (NTP: 500 ppm at most) or set in small. */
const SLEW_PARTS = 1000n;

/**
 * When a session ran, as the slice knows it. Where the wall clock went much further than a clock that nobody sets, or went back, only the hour of the slice
 * itself is vouched for.
 */
function ranIn(slice: SliceReader, started: WallNs, lastNs: WallNs, ranNs: bigint | undefined): Stretch[] {
  const step = ranNs === undefined ? 0n : lastNs - started - ranNs;
  if (lastNs >= started && abs(step) <= NS_PER_MINUTE + (ranNs ?? 0n) / SLEW_PARTS)
    return [{ from: started, until: lastNs }];
  const hour = { from: slice.start, until: wallNs(slice.start + NS_PER_HOUR) };
  const begin = lastNs >= started ? started : createdOf(slice);
  const from = begin > hour.from ? begin : hour.from;
  const until = lastNs < hour.until ? lastNs : hour.until;
  return until > from ? [{ from, until }] : [];
}

const abs = (value: bigint): bigint => (value < 0n ? -value : value);

function createdOf(slice: SliceReader): WallNs {
  const [[created] = []] = slice.all('SELECT CAST(created AS TEXT) FROM meta');
  return wallNs(BigInt(created as string));
}

/** Since when a slice holds history: when it was made, or its first event where that is earlier. */
export function beginOf(slice: SliceReader): WallNs {
  const time = createdOf(slice);
  return slice.first !== undefined && slice.first < time ? slice.first : time;
}
