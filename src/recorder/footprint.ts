/** Keeps the resident memory of a process small that runs for weeks and allocates little but short-lived events. */

import { setFlagsFromString } from 'node:v8';
import { giveBackExecutable } from '../linux/executable-pages.ts';

/**
 * By how much, in per cent, the old generation may grow until it is collected. Events live until they are committed, longer than the
 * young one lasts; by default V8 lets a small heap grow fourfold: 50 MB more at 10,000 records a second, for no less CPU.
 */
const HEAP_GROWTH_PERCENT = 50;

export function growSlowly(): void {
  setFlagsFromString(`--heap-growing-percent=${HEAP_GROWTH_PERCENT}`);
}

/** After what is done once in an hour or less: a start, that of the thread that seals, its end. Where it fails, more memory is all that comes of it. */
export function settle(): void {
  try {
    giveBackExecutable();
  } catch {
    // No /proc/self/smaps (CONFIG_PROC_PAGE_MONITOR), or out of file descriptors.
  }
}
