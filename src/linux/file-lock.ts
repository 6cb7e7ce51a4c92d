/** A lock on a file or directory (flock(2)): the kernel drops it when the process dies in whatever way. */

import { closeSync, constants, openSync } from 'node:fs';
import { LosslogError } from '../base/errors.ts';
import { libc } from './libc.ts';

/** include/uapi/asm-generic/fcntl.h */
const LOCK_EX = 2;
const LOCK_NB = 4;

const flock = libc.func('int flock(int fd, int operation)');

export class FileLock {
  #fd: number;

  private constructor(fd: number) {
    this.#fd = fd;
  }

  /** Waits until nobody else holds it. @throws what open throws */
  static acquire(path: string): FileLock {
    return FileLock.#lock(path, LOCK_EX) ?? fail(path);
  }

  /** @returns undefined when somebody else holds it. @throws what open throws */
  static tryAcquire(path: string): FileLock | undefined {
    return FileLock.#lock(path, LOCK_EX | LOCK_NB);
  }

  static #lock(path: string, operation: number): FileLock | undefined {
    const fd = openSync(path, constants.O_RDONLY);
    if (Number(flock(fd, operation)) === 0) return new FileLock(fd);
    closeSync(fd);
    return undefined;
  }

  /** Safe to call more than once. */
  release(): void {
    if (this.#fd < 0) return;
    closeSync(this.#fd);
    this.#fd = -1;
  }
}

function fail(path: string): never {
  throw new LosslogError('INTERNAL', `cannot lock ${path}`);
}
