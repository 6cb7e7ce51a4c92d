/** Doing something inside another network namespace (setns(2)). */

import { closeSync, openSync } from 'node:fs';
import { constants } from 'node:os';
import koffi from 'koffi';
import { LosslogError } from '../base/errors.ts';
import { libc } from './libc.ts';

/** include/uapi/linux/sched.h */
const CLONE_NEWNET = 0x40000000;
const OWN = '/proc/thread-self/ns/net';

const setns = libc.func('int setns(int fd, int nstype)') as unknown as (fd: number, type: number) => number;

/**
 * Runs `action` with this thread in the namespace that is bound to `path`, and comes back. It must not wait: what else runs on this thread would
 * find itself there, and so would threads that are made meanwhile.
 * @throws NOT_PERMITTED without CAP_SYS_ADMIN, NOT_FOUND when nothing is bound there any more, or what `action` throws
 */
export function inNetns<T>(path: string, action: () => T): T {
  const home = openSync(OWN, 'r');
  try {
    const there = openTarget(path);
    try {
      enter(there, path);
    } finally {
      closeSync(there);
    }
    return comingBack(home, action);
  } finally {
    closeSync(home);
  }
}

/** @throws INTERNAL when the way back is barred: nothing that this process does later would be where it should */
function comingBack<T>(home: number, action: () => T): T {
  let result: T | undefined;
  let failure: unknown;
  try {
    result = action();
  } catch (error) {
    failure = error;
  }
  if (setns(home, CLONE_NEWNET) !== 0) throw new LosslogError('INTERNAL', 'cannot come back from a network namespace');
  if (failure !== undefined) throw failure;
  return result as T;
}

function openTarget(path: string): number {
  try {
    return openSync(path, 'r');
  } catch (cause) {
    throw new LosslogError('NOT_FOUND', `there is no network namespace at ${path}`, { cause });
  }
}

function enter(fd: number, path: string): void {
  if (setns(fd, CLONE_NEWNET) === 0) return;
  const isForbidden = koffi.errno() === constants.errno.EPERM;
  throw new LosslogError(isForbidden ? 'NOT_PERMITTED' : 'NOT_FOUND', `cannot enter the network namespace at ${path}`);
}
