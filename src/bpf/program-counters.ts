/** What the kernel counts of a program: how often and how long it ran, and how often it was skipped. */

import { readFileSync } from 'node:fs';
import { LosslogError } from '../base/errors.ts';
import { lastErrno, libbpf } from './libbpf.ts';

/** struct bpf_prog_info, include/uapi/linux/bpf.h. The kernel fills in what it knows of; the rest stays zero. */
const RUN_TIME_NS = 192;
const RUN_COUNT = 200;
const RECURSION_MISSES = 208;
const SIZE = 216;

export interface ProgramCounters {
  /** Zero unless the kernel takes the time (kernel.bpf_stats_enabled). */
  runs: number;
  runNs: number;
  /** Skipped since it was at work on that CPU already; Linux 5.12, before that the kernel did not tell. */
  recursionMisses: number;
}

const info = Buffer.alloc(SIZE);

/**
 * By a system call that opens nothing: /proc/self/fdinfo tells the same, but not to a process that is out of file descriptors.
 * @throws BPF
 */
export function programCounters(programFd: number): ProgramCounters {
  // Its pointers must be null: the kernel copies what they ask for.
  info.fill(0);
  if (libbpf().bpf_obj_get_info_by_fd(programFd, info, [SIZE]) !== 0) {
    throw new LosslogError('BPF', `cannot read the counters of a BPF program: ${lastErrno()}`);
  }
  const counter = (at: number): number => Number(info.readBigUInt64LE(at));
  return { runs: counter(RUN_COUNT), runNs: counter(RUN_TIME_NS), recursionMisses: counter(RECURSION_MISSES) };
}

/** Whether the kernel takes the time of BPF programs, which costs some 20 ns a run. */
export function takesTime(): boolean {
  try {
    return readFileSync('/proc/sys/kernel/bpf_stats_enabled', 'utf8').trim() === '1';
  } catch {
    return false;
  }
}
