/** Control groups to run a process in, made the way container runtimes make them. */

import { mkdirSync, readdirSync, readFileSync, rmdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { sleepSync } from './command.ts';

export type CgroupVersion = 1 | 2;

export interface CgroupMount {
  version: CgroupVersion;
  path: string;
  options: string[];
}

export class Cgroup {
  readonly version: CgroupVersion;
  /** Path below the mount, as `/proc/PID/cgroup` shows it. */
  readonly path: string;
  /** Where it lies in the file system. */
  readonly directory: string;

  /** Makes the cgroup and what is missing above it. */
  constructor(mount: CgroupMount, path: string) {
    this.version = mount.version;
    this.path = path;
    this.directory = join(mount.path, path);
    mkdirSync(this.directory, { recursive: true });
  }

  /** Words before a command line that make it start inside this cgroup. */
  launcher(): string[] {
    return ['sh', '-c', 'echo $$ > "$0" && exec "$@"', join(this.directory, 'cgroup.procs')];
  }

  /** Removes the cgroup and the one above it. Its processes must have been killed; a dying one is waited for, 2 s. */
  remove(): void {
    removeWhenEmpty(this.directory);
    removeWhenEmpty(dirname(this.directory));
  }
}

/**
 * Where new cgroups can be made: version 2 when it is mounted, else the memory or the pids hierarchy of version 1.
 * @throws when this machine has none of the asked version.
 */
export function cgroupMount(version?: CgroupVersion): CgroupMount {
  const mounts = cgroupMounts();
  const v1 = mounts.find(({ options }) => options.includes('memory') || options.includes('pids'));
  const found = version === 1 ? v1 : (mounts.find((mount) => mount.version === 2) ?? (version === 2 ? undefined : v1));
  if (found === undefined) throw new Error(`no cgroup hierarchy of version ${version ?? '1 or 2'} is mounted`);
  return found;
}

export function cgroupMounts(): CgroupMount[] {
  return readFileSync('/proc/mounts', 'utf8')
    .split('\n')
    .map((line) => line.split(' '))
    .filter(([, , type]) => type === 'cgroup' || type === 'cgroup2')
    .map(([, path = '', type, options = '']) => ({
      version: type === 'cgroup2' ? 2 : 1,
      path,
      options: options.split(','),
    }));
}

/** Removes a cgroup and those below it; another lab may be removing the same leftover at the same time. */
export function removeTree(directory: string): void {
  for (const name of childrenOf(directory)) removeTree(join(directory, name));
  removeWhenEmpty(directory);
}

function childrenOf(directory: string): string[] {
  try {
    const entries = readdirSync(directory, { withFileTypes: true });
    return entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

function removeWhenEmpty(directory: string): void {
  const deadline = Date.now() + 2000;
  while (!removed(directory, deadline)) sleepSync(10);
}

function removed(directory: string, deadline: number): boolean {
  try {
    rmdirSync(directory);
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return true;
    if (code !== 'EBUSY' || Date.now() > deadline) throw error;
    return false;
  }
}
