/** What /proc tells of one process. Every reader gives undefined for a process that is gone. */

import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { errnoOf } from '../base/errors.ts';
import { type BootNs, bootNs } from '../base/time.ts';
import { cgroupPath } from './cgroup.ts';

/** Nanoseconds of a tick of /proc: USER_HZ is 100 on every architecture that BPF runs on (include/asm-generic/param.h). */
const TICK_NS = 10_000_000n;
/** Place of `starttime` among the fields after the name in /proc/PID/stat (proc_pid_stat(5): field 22, the name being field 2). */
const START_TIME_INDEX = 19;

/** Name of a process (comm of its group leader), at most 15 bytes and of any characters. */
export function processName(pid: number, root = '/'): string | undefined {
  return readOf(pid, 'comm', root)?.replace(/\n$/, '');
}

/** When a process started, to 10 ms. With the pid it is an identity: a pid is used again, but not at the same time. */
export function processStart(pid: number, root = '/'): BootNs | undefined {
  const stat = readOf(pid, 'stat', root);
  // The name may hold spaces and parentheses: the last parenthesis ends it.
  const fields = stat?.slice(stat.lastIndexOf(')') + 2).split(' ');
  const ticks = fields?.[START_TIME_INDEX];
  return ticks === undefined ? undefined : bootNs(BigInt(ticks) * TICK_NS);
}

/** Path of the control group of a process, see {@link cgroupPath}. */
export function processCgroup(pid: number, root = '/'): string | undefined {
  const text = readOf(pid, 'cgroup', root);
  return text === undefined ? undefined : cgroupPath(text);
}

/** Inode numbers of the sockets that a process holds open. */
export function processSockets(pid: number, root = '/'): bigint[] {
  const directory = join(root, 'proc', String(pid), 'fd');
  try {
    return readdirSync(directory).flatMap((fd) => socketInode(join(directory, fd)) ?? []);
  } catch {
    return []; // it ended, or belongs to somebody else
  }
}

function socketInode(path: string): bigint | undefined {
  try {
    const inode = /^socket:\[(\d+)\]$/.exec(readlinkSync(path))?.[1];
    return inode === undefined ? undefined : BigInt(inode);
  } catch {
    return undefined; // closed meanwhile
  }
}

/** Ids of all processes, in order. */
export function listProcesses(root = '/'): number[] {
  const names = readdirSync(join(root, 'proc')).filter((name) => /^\d+$/.test(name));
  return names.map(Number).sort((a, b) => a - b);
}

function readOf(pid: number, file: string, root: string): string | undefined {
  try {
    return readFileSync(join(root, 'proc', String(pid), file), 'utf8');
  } catch (cause) {
    // ESRCH: the process went between open and read.
    if (errnoOf(cause) === 'ENOENT' || errnoOf(cause) === 'ESRCH') return undefined;
    throw cause;
  }
}
