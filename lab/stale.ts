/** What labs leave behind that were killed with SIGKILL, and removing it: names tell whose it was (names.ts). */

import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { cgroupMounts, removeTree } from './cgroup.ts';
import { succeeds } from './command.ts';
import { makerOf } from './names.ts';
import { deleteNetns, netnsNames } from './netns.ts';

/** Names of the namespaces and paths of the cgroups that labs have made on this machine, and not yet removed. */
export function labRemains(): { netns: string[]; cgroups: string[] } {
  const netns = netnsNames().filter((name) => makerOf(name) !== undefined);
  const cgroups = cgroupMounts().flatMap(({ path }) =>
    readdirSync(path)
      .filter((name) => makerOf(name) !== undefined)
      .map((name) => join(path, name)),
  );
  return { netns, cgroups };
}

/** Removes what belongs to labs whose process is dead. */
export function removeStale(): void {
  const { netns, cgroups } = labRemains();
  for (const name of netns.filter(isStale)) unlessGone(name, () => deleteNetns(name));
  for (const path of cgroups.filter((each) => isStale(each.slice(each.lastIndexOf('/') + 1)))) removeTree(path);
}

/** Two labs that start at once may race for the same leftover: whoever comes second finds it gone. */
function unlessGone(name: string, action: () => void): void {
  try {
    action();
  } catch (error) {
    if (succeeds('ip', 'netns', 'pids', name)) throw error;
  }
}

function isStale(name: string): boolean {
  const maker = makerOf(name);
  return maker !== undefined && !isAlive(maker);
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
