/** What a process takes of the machine, by its accounts in /proc. */

import { readFileSync } from 'node:fs';

/** USER_HZ, the unit of /proc/PID/stat, is 100 on every architecture that losslog runs on. */
const MS_A_TICK = 10;

/** User and system time of all its threads so far, in ms (proc_pid_stat(5), utime and stime). */
export function cpuMs(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) * MS_A_TICK;
}

/** A part of its memory in MiB (proc_pid_status(5)); NaN where the kernel does not tell it. */
export const memoryMib = (pid: number, part: 'VmHWM' | 'VmRSS' | 'RssAnon' | 'RssFile' | 'RssShmem'): number =>
  Number(new RegExp(`^${part}:\\s*(\\d+) kB`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024;
