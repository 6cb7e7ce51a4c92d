/** Named network namespaces, as ip-netns(8) keeps them. */

import { readdirSync, statSync } from 'node:fs';
import { run, sleepSync } from './command.ts';

const NETNS_DIR = '/run/netns';

export const netnsPath = (name: string): string => `${NETNS_DIR}/${name}`;

/** The inode number of a namespace: its `net:[…]` number. */
export const netnsInode = (name: string): number => statSync(netnsPath(name)).ino;

export function createNetns(name: string): void {
  run('ip', 'netns', 'add', name);
}

/**
 * Kills what still runs inside, waits for its end (2 s at most), then removes the name. A socket of a live process
 * would keep the namespace and its timers alive without the name.
 */
export function deleteNetns(name: string): void {
  const deadline = Date.now() + 2000;
  for (let pids = pidsInside(name); pids.length > 0 && Date.now() < deadline; pids = pidsInside(name)) {
    pids.forEach(killIfAlive);
    sleepSync(5);
  }
  run('ip', 'netns', 'del', name);
}

/** Processes in a namespace; those that have ended and only wait for their parent (zombies) are in none. */
function pidsInside(name: string): number[] {
  return run('ip', 'netns', 'pids', name).split('\n').filter(Boolean).map(Number);
}

export function netnsNames(): string[] {
  try {
    return readdirSync(NETNS_DIR);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

function killIfAlive(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
