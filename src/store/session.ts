/** Sessions as a slice knows them: one run of the recorder, from its start to its last heartbeat. */

import { type WallNs, wallNs } from '../base/time.ts';
import type { SliceReader } from './slice-reader.ts';
import type { StoreSession } from './slice-writer.ts';

export interface Session extends StoreSession {
  readonly started: WallNs;
  /** When it last committed or said that it lives (every 10 s). */
  readonly lastNs: WallNs;
  /** Whether it was closed as it should; false also while it runs. */
  readonly ended: boolean;
}

/** What tells sessions apart, in whatever slice they are noted. */
export const sessionKey = ({ bootId, started }: Session): string => `${bootId} ${started}`;

export function readSessions(slice: SliceReader): Session[] {
  const rows = slice.all(
    `SELECT bootId, losslogVersion, kernel, host, filter, CAST(started AS TEXT), CAST(lastNs AS TEXT), ended FROM session`,
  );
  return rows.map(([bootId, losslogVersion, kernel, host, filter, started, lastNs, ended]) => ({
    bootId: bootId as string,
    losslogVersion: losslogVersion as string,
    kernel: kernel as string,
    host: host as string,
    ...(filter === null ? {} : { filter: filter as string }),
    started: wallNs(BigInt(started as string)),
    lastNs: wallNs(BigInt(lastNs as string)),
    ended: ended === 1,
  }));
}

/** Since when a slice holds history: when it was made, or its first event where that is earlier. */
export function beginOf(slice: SliceReader): WallNs {
  const [[created] = []] = slice.all('SELECT CAST(created AS TEXT) FROM meta');
  const time = wallNs(BigInt(created as string));
  return slice.first !== undefined && slice.first < time ? slice.first : time;
}
