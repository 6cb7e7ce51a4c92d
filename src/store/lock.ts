/**
 * One writer a store. The lock is SQLite's own on `writer.lock`: the kernel drops it when the process dies in
 * whatever way, and it holds between containers, where a process id means nothing.
 */

import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { LosslogError } from '../base/errors.ts';
import { isBusy } from './sqlite.ts';

const LOCK_FILE = 'writer.lock';

export class StoreLock {
  readonly #db: DatabaseSync;
  readonly #path: string;
  readonly #inode: number;

  /** @throws STORE when another process writes to the store; else what SQLite throws. */
  static acquire(dir: string): StoreLock {
    const path = join(dir, LOCK_FILE);
    const db = new DatabaseSync(path, { timeout: 200 });
    try {
      noteHolder(db);
      db.exec('BEGIN IMMEDIATE');
      return new StoreLock(db, path);
    } catch (error) {
      const holder = isBusy(error) ? holderOf(db) : undefined;
      db.close();
      if (!isBusy(error)) throw error;
      throw new LosslogError('STORE', `${dir} is being written by process ${holder ?? '(unknown)'}`, {
        hint: 'stop that recorder first, or record elsewhere with --store DIR',
        cause: error,
      });
    }
  }

  /** Does nothing where no store is yet. @throws STORE when another process writes to it */
  static requireFree(dir: string): void {
    if (existsSync(join(dir, LOCK_FILE))) StoreLock.acquire(dir).release();
  }

  private constructor(db: DatabaseSync, path: string) {
    this.#db = db;
    this.#path = path;
    this.#inode = statSync(path).ino;
  }

  /** Whether the lock file is still there; without it another process could take the store. */
  isPresent(): boolean {
    return statSync(this.#path, { throwIfNoEntry: false })?.ino === this.#inode;
  }

  release(): void {
    this.#db.close();
  }
}

/** Leaves this process's id for the message of whoever comes second. */
function noteHolder(db: DatabaseSync): void {
  try {
    db.exec(`BEGIN IMMEDIATE; CREATE TABLE IF NOT EXISTS holder (pid INTEGER); DELETE FROM holder;
             INSERT INTO holder VALUES (${process.pid}); COMMIT`);
  } catch (error) {
    if (isBusy(error)) throw error;
    // A full disk: the lock itself needs no space once its file is there, and the recorder must start again.
    if (db.isTransaction) db.exec('ROLLBACK');
  }
}

function holderOf(db: DatabaseSync): number | undefined {
  try {
    return db.prepare('SELECT pid FROM holder').get()?.pid as number | undefined;
  } catch {
    return undefined;
  }
}
