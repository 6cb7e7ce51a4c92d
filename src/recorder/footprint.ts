/** Makes a process that runs for weeks small and patient: it allocates little but short-lived events, and others need the CPU more. */

import { setFlagsFromString } from 'node:v8';
import { giveBackExecutable } from '../linux/executable-pages.ts';
import { waitForTurn } from '../linux/scheduling.ts';

/**
 * By how much, in per cent, the old generation may grow until it is collected. Events live until they are committed, longer than the
 * young one lasts; by default V8 lets a small heap grow fourfold: 50 MB more at 10,000 records a second, for no less CPU.
 */
const HEAP_GROWTH_PERCENT = 50;

/** At the start, before anything is recorded. */
export function beModest(): void {
  setFlagsFromString(`--heap-growing-percent=${HEAP_GROWTH_PERCENT}`);
  // Saturated TCP pays for each time that it is interrupted, see docs/design/kernel-side.md.
  waitForTurn();
}

/** After what is done once in an hour or less: a start, that of the thread that seals, its end. Where it fails, more memory is all that comes of it. */
export function settle(): void {
  try {
    giveBackExecutable();
  } catch {
    // No /proc/self/smaps (CONFIG_PROC_PAGE_MONITOR), or out of file descriptors.
  }
}
