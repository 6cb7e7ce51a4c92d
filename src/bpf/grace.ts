/** Waiting until no BPF program that runs now runs any more. */

import { libc } from './libbpf.ts';

/** membarrier(2) by architecture (asm/unistd.h), since the C library has no function for it. */
const MEMBARRIER: Partial<Record<NodeJS.Architecture, number>> = { x64: 324, arm64: 283 };
const MEMBARRIER_CMD_GLOBAL = 1;
const PAUSE_MS = 100;

/**
 * Returns when every program that was running at the call has ended: programs run in read-side critical sections of RCU,
 * and MEMBARRIER_CMD_GLOBAL is synchronize_rcu() (kernel/sched/membarrier.c). Blocks for some 5 to 50 ms.
 *
 * A kernel with nohz_full, or a seccomp filter, refuses; then it waits for a time in which every program ends, unless
 * its CPU does not run at all.
 */
export function waitForPrograms(): void {
  const number = MEMBARRIER[process.arch];
  if (number !== undefined && Number(libc().syscall(number, MEMBARRIER_CMD_GLOBAL, 0, 0)) === 0) return;
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, PAUSE_MS);
}
