/** Retention: whole slices go, the oldest first. */

import { renameSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { NS_PER_HOUR, type WallNs } from '../base/time.ts';
import { hourStart, listSlices, type SliceName } from './slice-name.ts';

export interface StoredSlice extends SliceName {
  readonly path: string;
  /** With -wal and -shm. */
  readonly bytes: number;
  /** Being written or sealed: not to be removed. */
  readonly busy: boolean;
}

export interface RetentionLimits {
  readonly maxBytes: number;
  readonly maxAgeNs: bigint;
}

/**
 * The slices to remove: those whose last moment is older than `maxAgeNs`, then as many of the oldest as bring the
 * sum under `maxBytes`.
 * @param slices oldest first.
 */
export function expiredSlices(slices: readonly StoredSlice[], limits: RetentionLimits, now: WallNs): StoredSlice[] {
  let bytes = slices.reduce((sum, slice) => sum + slice.bytes, 0);
  return slices.filter((slice) => {
    const isOld = hourStart(slice.hour) + NS_PER_HOUR <= now - limits.maxAgeNs;
    if (slice.busy || !(isOld || bytes > limits.maxBytes)) return false;
    bytes -= slice.bytes;
    return true;
  });
}

/** The files of a slice, the database last: a -wal must not outlive its database, as SQLite would play it into the next of that name. */
const sliceFiles = (path: string): string[] => [`${path}-shm`, `${path}-wal`, path];

/** Sizes of the slices of a directory, oldest first. @throws what readdir throws. */
export function measureSlices(dir: string, isBusy: (path: string) => boolean): StoredSlice[] {
  return listSlices(dir).map(({ hour, part, file }) => {
    const path = join(dir, file);
    const bytes = sliceFiles(path).reduce((sum, name) => sum + sizeOf(name), 0);
    return { hour, part, path, bytes, busy: isBusy(path) };
  });
}

const sizeOf = (path: string): number => statSync(path, { throwIfNoEntry: false })?.size ?? 0;

/** Removes a slice with all that lies beside it. @throws what unlink throws. */
export function removeSlice(path: string): void {
  for (const file of sliceFiles(path)) rmSync(file, { force: true });
}

/** Sets a damaged slice aside as `NAME.damaged`, with all that lies beside it. @throws what rename throws. */
export function setAside(path: string): void {
  for (const suffix of ['-shm', '-wal', '']) {
    if (statSync(`${path}${suffix}`, { throwIfNoEntry: false }))
      renameSync(`${path}${suffix}`, `${path}.damaged${suffix}`);
  }
}
