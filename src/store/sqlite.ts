/** What losslog knows about SQLite's errors and files beyond `node:sqlite`. */

import { closeSync, openSync, readSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { pathToFileURL } from 'node:url';

/** A value that can be bound to a parameter. */
export type Bindable = null | number | bigint | string | Uint8Array;

/** Primary result codes (https://sqlite.org/rescode.html). */
const [BUSY, READONLY, CORRUPT, CANTOPEN, NOTADB] = [5, 8, 11, 14, 26];
/** TOOBIG, CONSTRAINT, MISMATCH, RANGE: what the value is to blame for. */
const OF_VALUE: ReadonlySet<number | undefined> = new Set([18, 19, 20, 25]);

/** The primary result code of an error that SQLite raised, or undefined for any other error. */
export function sqliteCode(error: unknown): number | undefined {
  const { code, errcode } = (error ?? {}) as { code?: unknown; errcode?: unknown };
  return code === 'ERR_SQLITE_ERROR' && typeof errcode === 'number' ? errcode & 0xff : undefined;
}

/** The row can never be stored, however often it is tried: a value has a wrong type. Anything else may be mended. */
export const isRejection = (error: unknown): boolean =>
  error instanceof TypeError || error instanceof RangeError || OF_VALUE.has(sqliteCode(error));

/** Another connection holds the lock. */
export const isBusy = (error: unknown): boolean => sqliteCode(error) === BUSY;

/** The bytes of the file are not what SQLite wrote. */
export const isCorrupt = (error: unknown): boolean => {
  const code = sqliteCode(error);
  return code === CORRUPT || code === NOTADB;
};

/**
 * Opens a database for reading, also where no file may be created beside it.
 *
 * One that has left WAL mode is a sealed slice: nobody writes it, and told so (`immutable=1`) SQLite neither locks nor looks for journals, half of
 * the system calls of a short query. A WAL database needs its `-shm`; in a directory that the caller may not write SQLite can only do without when
 * told the same, which is so when there is no `-wal`.
 *
 * @param hasWal whether a `-wal` file lies beside it.
 * @param probe reads something: SQLite opens lazily and says only then what is wrong.
 */
export function openForReading<T>(path: string, hasWal: boolean, probe: (db: DatabaseSync) => T): [DatabaseSync, T] {
  if (hasLeftWal(path)) return probed(openImmutable(path), probe);
  try {
    return probed(new DatabaseSync(path, { readOnly: true, timeout: 2000 }), probe);
  } catch (error) {
    // CANTOPEN on a read-only file system, READONLY in a directory of somebody else.
    const code = sqliteCode(error);
    if (hasWal || (code !== CANTOPEN && code !== READONLY)) throw error;
    return probed(openImmutable(path), probe);
  }
}

const openImmutable = (path: string): DatabaseSync =>
  new DatabaseSync(`${pathToFileURL(path).href}?immutable=1`, { readOnly: true });

/** False also for what cannot be read: SQLite says why. */
function hasLeftWal(path: string): boolean {
  try {
    return headerOf(path)?.getUint8(READ_VERSION) === ROLLBACK;
  } catch {
    return false;
  }
}

function probed<T>(db: DatabaseSync, probe: (db: DatabaseSync) => T): [DatabaseSync, T] {
  try {
    return [db, probe(db)];
  } catch (error) {
    db.close();
    throw error;
  }
}

/** Offsets in the header of a database file (https://sqlite.org/fileformat2.html#the_database_header). */
const [READ_VERSION, USER_VERSION, HEADER] = [19, 60, 100];
const MAGIC = Buffer.from('SQLite format 3\0');
const [ROLLBACK, WAL] = [1, 2];

/**
 * Whether the header of a database file says WAL; false when the file has no such header. A slice is in WAL mode until it
 * is sealed.
 */
export const isWalFile = (path: string): boolean => headerOf(path)?.getUint8(READ_VERSION) === WAL;

/** `PRAGMA user_version` as the file itself has it: not of what only a `-wal` holds. Undefined when the file has no header. */
export const userVersionOf = (path: string): number | undefined => headerOf(path)?.getInt32(USER_VERSION);

function headerOf(path: string): DataView | undefined {
  const header = new Uint8Array(HEADER);
  const fd = openSync(path, 'r');
  try {
    if (readSync(fd, header, 0, HEADER, 0) < HEADER) return undefined;
    return MAGIC.every((byte, at) => header[at] === byte) ? new DataView(header.buffer) : undefined;
  } finally {
    closeSync(fd);
  }
}
