/** How often and how long programs ran, where the kernel takes the time. */

import { readFileSync } from 'node:fs';

/** Whether the kernel measures how long programs run, which costs some 20 ns a run. */
export function takesTime(): boolean {
  try {
    return readFileSync('/proc/sys/kernel/bpf_stats_enabled', 'utf8').trim() === '1';
  } catch {
    return false;
  }
}

/** Since Linux 5.1. */
export function runTime(programFd: number): { runs: number; runNs: number } {
  const text = readFileSync(`/proc/self/fdinfo/${programFd}`, 'utf8');
  const value = (name: string): number => Number(new RegExp(`^${name}:\\s*(\\d+)$`, 'm').exec(text)?.[1] ?? 0);
  return { runs: value('run_cnt'), runNs: value('run_time_ns') };
}
