/** What a contestant takes of the machine, by the kernel's accounts. */

import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Cgroup } from '../../lab/cgroup.ts';
import { memoryMib } from '../../lab/usage.ts';
import { LosslogError } from '../../src/base/errors.ts';

/** Seconds of CPU time. */
export interface Cpu {
  user: number;
  system: number;
}

export const total = ({ user, system }: Cpu): number => user + system;

export const cpuSince = (now: Cpu, before: Cpu): Cpu => ({
  user: now.user - before.user,
  system: now.system - before.system,
});

/** CPU time of all that ever ran in a cgroup of version 2. @throws NOT_SUPPORTED where there is none of that version */
export function cpuOf(cgroup: Cgroup): Cpu {
  const text = cgroup.version === 2 ? readFileSync(join(cgroup.directory, 'cpu.stat'), 'utf8') : '';
  const seconds = (name: string): number =>
    Number(new RegExp(`^${name} (\\d+)`, 'm').exec(text)?.[1] ?? Number.NaN) / 1e6;
  const cpu = { user: seconds('user_usec'), system: seconds('system_usec') };
  if (!Number.isNaN(total(cpu))) return cpu;
  throw new LosslogError(
    'NOT_SUPPORTED',
    'the cost of a program is taken from its cgroup, which must be of version 2',
    {
      hint: 'mount -t cgroup2 none /sys/fs/cgroup/unified',
    },
  );
}

/** Megabytes of a process's memory, as /proc/PID/smaps_rollup tells them apart. */
export interface Memory {
  /** Since the process began; what is resident now is the sum of the others. */
  peak: number;
  anonymous: number;
  file: number;
  shared: number;
}

/** Of all processes that are in the cgroup now, added up. */
export function memoryOf(cgroup: Cgroup): Memory {
  const pids = readFileSync(join(cgroup.directory, 'cgroup.procs'), 'utf8').split('\n').filter(Boolean);
  const sum: Memory = { peak: 0, anonymous: 0, file: 0, shared: 0 };
  for (const pid of pids) {
    sum.peak += memoryMib(Number(pid), 'VmHWM') || 0;
    sum.anonymous += memoryMib(Number(pid), 'RssAnon') || 0;
    sum.file += memoryMib(Number(pid), 'RssFile') || 0;
    sum.shared += memoryMib(Number(pid), 'RssShmem') || 0;
  }
  return sum;
}

const BPF_STATS = '/proc/sys/kernel/bpf_stats_enabled';

/** Has the kernel measure BPF programs while `use` runs; that costs time itself, so it is for runs of their own. */
export async function withBpfStats<T>(use: () => Promise<T>): Promise<T> {
  const before = readFileSync(BPF_STATS, 'utf8');
  writeFileSync(BPF_STATS, '1');
  try {
    return await use();
  } finally {
    writeFileSync(BPF_STATS, before);
  }
}

/** A BPF program's runs and their time since it was loaded. */
export interface ProgramRuns {
  ns: number;
  runs: number;
}

/** Of the programs that a process holds (bpf_prog_show_fdinfo() in kernel/bpf/syscall.c), by their numbers. */
export function programsOf(pid: number): Map<number, ProgramRuns> {
  const programs = new Map<number, ProgramRuns>();
  for (const fd of readdirSync(`/proc/${pid}/fdinfo`)) {
    const text = readFileSync(`/proc/${pid}/fdinfo/${fd}`, 'utf8');
    const number = (name: string): number => Number(new RegExp(`^${name}:\\s*(\\d+)`, 'm').exec(text)?.[1] ?? 0);
    if (text.includes('run_cnt:'))
      programs.set(number('prog_id'), { ns: number('run_time_ns'), runs: number('run_cnt') });
  }
  return programs;
}
