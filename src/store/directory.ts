/** The directory of a store: made, checked, and refused with a reason. */

import { accessSync, constants, existsSync, mkdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { errnoOf, LosslogError, messageOf } from '../base/errors.ts';
import { FORMAT_VERSION } from './schema.ts';
import { listSlices } from './slice-name.ts';
import { openForReading, sqliteCode, userVersionOf } from './sqlite.ts';

const FORBIDDEN: ReadonlySet<string | undefined> = new Set(['EACCES', 'EPERM', 'EROFS']);

/**
 * Node's own recursive mkdir says ENOENT for a file system that is read-only, and never returns below /proc, where a parent that is
 * there refuses with ENOENT (both seen with 24.21).
 */
function makeDirectory(dir: string, mode: number): void {
  const found = statSync(dir, { throwIfNoEntry: false });
  if (found?.isDirectory()) return;
  const parent = dirname(dir);
  if (parent !== dir) makeDirectory(parent, 0o755);
  try {
    mkdirSync(dir, { mode });
  } catch (error) {
    // Another process may have made it meanwhile.
    if (errnoOf(error) !== 'EEXIST' || !statSync(dir).isDirectory()) throw error;
  }
}

/** Makes the directory (mode 0700) where there is none. @throws NOT_PERMITTED, STORE */
export function prepareDirectory(dir: string): void {
  try {
    makeDirectory(dir, 0o700);
    accessSync(dir, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (error) {
    if (FORBIDDEN.has(errnoOf(error))) {
      throw new LosslogError('NOT_PERMITTED', `cannot write to the store ${dir}: ${messageOf(error)}`, {
        hint: 'run as root, or give a directory that you may write to with --store DIR',
        cause: error,
      });
    }
    const isFile = errnoOf(error) === 'EEXIST' || errnoOf(error) === 'ENOTDIR';
    throw new LosslogError(
      'STORE',
      `cannot make the store ${dir}: ${isFile ? 'it is not a directory' : messageOf(error)}`,
      {
        hint: 'give another directory with --store DIR',
        cause: error,
      },
    );
  }
}

/** @throws NOT_FOUND, NOT_PERMITTED, STORE when there is no store that can be read. */
export function requireDirectory(dir: string): void {
  const found = statSync(dir, { throwIfNoEntry: false });
  if (!found) {
    throw new LosslogError('NOT_FOUND', `there is no store at ${dir}`, {
      hint: 'record first with `losslog record`, or say where the store is with --store DIR',
    });
  }
  if (!found.isDirectory()) {
    throw new LosslogError('STORE', `${dir} is not a directory`, { hint: 'say where the store is with --store DIR' });
  }
  try {
    accessSync(dir, constants.R_OK | constants.X_OK);
  } catch (error) {
    throw new LosslogError('NOT_PERMITTED', `cannot read the store ${dir}: ${messageOf(error)}`, {
      hint: 'run as the user that records, or as root',
      cause: error,
    });
  }
}

/** @throws STORE_VERSION when the newest slice is of a later format than this build knows. */
export function requireKnownVersion(dir: string): void {
  const newest = listSlices(dir)
    .filter(({ damaged }) => !damaged)
    .at(-1);
  if (!newest) return;
  const path = join(dir, newest.file);
  const version = versionOf(path);
  if (version !== undefined && version > FORMAT_VERSION) throw versionError(path, version);
}

/** Undefined when it cannot be read: whoever reads or writes the slice finds out what is wrong with it and says so. */
function versionOf(path: string): number | undefined {
  try {
    // To read the header takes a tenth of the time that opening a database does.
    if (!existsSync(`${path}-wal`)) return userVersionOf(path);
    const [db, version] = openForReading(
      path,
      true,
      (open) => open.prepare('PRAGMA user_version').get()?.user_version as number,
    );
    db.close();
    return version;
  } catch (error) {
    if (sqliteCode(error) === undefined && errnoOf(error) === undefined) throw error;
    return undefined;
  }
}

export const versionError = (path: string, version: number): LosslogError =>
  new LosslogError('STORE_VERSION', `${path} has store format ${version}; this losslog knows up to ${FORMAT_VERSION}`, {
    hint: 'update losslog, or give another store with --store DIR',
  });

/** What an error that SQLite raised while a store was opened for writing means to the user. */
export function openError(dir: string, error: unknown): unknown {
  if (error instanceof LosslogError || sqliteCode(error) === undefined) return error;
  return new LosslogError('STORE', `cannot write to the store ${dir}: ${messageOf(error)}`, {
    hint: 'look at the rights and the free space of the directory, or give another one with --store DIR',
    cause: error,
  });
}
