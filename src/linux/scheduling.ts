/** How eagerly the threads of this process take a CPU (sched(7)). */

import { readdirSync } from 'node:fs';
import { libc } from './libc.ts';

/** include/uapi/linux/sched.h */
const [SCHED_NORMAL, SCHED_BATCH] = [0, 3];

const sched_getscheduler = libc.func('int sched_getscheduler(int pid)') as unknown as (tid: number) => number;
const sched_setscheduler = libc.func('int sched_setscheduler(int pid, int policy, const int *priority)') as unknown as (
  tid: number,
  policy: number,
  priority: Int32Array,
) => number;

/**
 * From now on a thread of this process that wakes waits until another one's turn is over instead of taking its place at once (SCHED_BATCH); its share of
 * the CPU stays the same. Threads that are made later follow. What somebody gave another policy (chrt(1), systemd) keeps it; needs no rights. Where the C library
 * cannot do it (musl), all stays as it is.
 * @throws errors of the file system where there is no /proc
 */
export function waitForTurn(): void {
  for (const thread of readdirSync('/proc/self/task')) {
    if (sched_getscheduler(Number(thread)) !== SCHED_NORMAL) continue;
    sched_setscheduler(Number(thread), SCHED_BATCH, Int32Array.of(0));
  }
}
