/**
 * Names of slice files: `2026-11-22T20.db`, then `2026-11-22T20.2.db`, … for further parts of that hour (UTC).
 * A slice found damaged by the writer carries `.damaged` behind that.
 */

import { readdirSync } from 'node:fs';
import { floorDiv, NS_PER_HOUR, type WallNs, wallNs } from '../base/time.ts';

/** Hours since 1970-01-01T00Z. */
export type Hour = number;

export interface SliceName {
  readonly hour: Hour;
  /** 1 for the first file of the hour. */
  readonly part: number;
}

export interface SliceFile extends SliceName {
  readonly file: string;
  readonly damaged: boolean;
}

/** The first hour that a slice name cannot hold: 10000-01-01T00Z. */
const HOUR_END = 70_389_528;

const MS_PER_HOUR = 3_600_000;
const NAME = /^(\d{4}-\d\d-\d\dT\d\d)(?:\.(\d{1,9}))?\.db(\.damaged)?$/;

/** The hour that was asked for last: nearly every event is of the same as the one before, and a division takes ten times a comparison. */
let recent: { readonly hour: Hour | undefined; readonly begin: bigint; readonly end: bigint } = {
  hour: 0,
  begin: 0n,
  end: NS_PER_HOUR,
};

/** The hour in which `time` lies, or undefined where a name cannot hold it (before 1970, after 9999). */
export function hourOf(time: WallNs): Hour | undefined {
  if (time < recent.begin || time >= recent.end) {
    const hour = floorDiv(time, NS_PER_HOUR);
    const begin = hour * NS_PER_HOUR;
    recent = { hour: hour >= 0 && hour < HOUR_END ? Number(hour) : undefined, begin, end: begin + NS_PER_HOUR };
  }
  return recent.hour;
}

/** The first nanosecond of an hour. */
export const hourStart = (hour: Hour): WallNs => wallNs(BigInt(hour) * NS_PER_HOUR);

export function sliceFileName({ hour, part }: SliceName): string {
  const stem = new Date(hour * MS_PER_HOUR).toISOString().slice(0, 13);
  return part === 1 ? `${stem}.db` : `${stem}.${part}.db`;
}

/** What a file name says, or undefined when it is not one of a slice. */
export function parseSliceName(file: string): SliceFile | undefined {
  const match = NAME.exec(file);
  if (!match) return undefined;
  const hour = Date.parse(`${match[1]}:00:00Z`) / MS_PER_HOUR;
  if (Number.isNaN(hour)) return undefined;
  return { file, hour, part: match[2] === undefined ? 1 : Number(match[2]), damaged: match[3] !== undefined };
}

/** All slice files of a directory, oldest first. @throws what readdir throws. */
export function listSlices(dir: string): SliceFile[] {
  return readdirSync(dir)
    .map(parseSliceName)
    .filter((slice) => slice !== undefined)
    .sort(byAge);
}

const byAge = (a: SliceName, b: SliceName): number => a.hour - b.hour || a.part - b.part;
