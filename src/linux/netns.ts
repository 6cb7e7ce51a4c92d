/** Network namespaces: their inode numbers, and the names that `ip netns` gave them. */

import { readdirSync, readlinkSync, type Stats, statSync } from 'node:fs';
import { join } from 'node:path';
import { errnoOf, LosslogError } from '../base/errors.ts';
import { listProcesses } from './proc.ts';

/** Where `ip netns` binds namespaces (ip-netns(8)); on most hosts the second is a link to the first. */
const NAME_DIRECTORIES = ['run/netns', 'var/run/netns'];

/** Inode number of the network namespace of this process. */
export function ownNetns(root = '/'): number {
  return nsfs(root).ino;
}

/** Names by inode number of the namespaces that have one; of several names the first in order. */
export function listNamedNetns(root = '/'): Map<number, string> {
  const names = new Map<number, string>();
  const { dev } = nsfs(root);
  for (const { name, path } of namedPaths(root)) {
    const stats = statOf(path);
    if (stats?.dev === dev && !names.has(stats.ino)) names.set(stats.ino, name);
  }
  return names;
}

/** A process in each network namespace that has one, by the inode number of the namespace: of several the one with the lowest id. */
export function listNetnsProcesses(root = '/'): Map<number, number> {
  const pids = new Map<number, number>();
  for (const pid of listProcesses(root)) {
    const inode = netnsOf(pid, root);
    if (inode !== undefined && !pids.has(inode)) pids.set(inode, pid);
  }
  return pids;
}

function netnsOf(pid: number, root: string): number | undefined {
  try {
    const inode = /^net:\[(\d+)\]$/.exec(readlinkSync(join(root, 'proc', String(pid), 'ns/net')))?.[1];
    return inode === undefined ? undefined : Number(inode);
  } catch {
    return undefined; // it ended, is a zombie, or belongs to somebody else
  }
}

/**
 * Inode number of a namespace given as NAME (of `ip netns`), PATH (`/proc/PID/ns/net`), INODE (`4026531840`) or `net:[INODE]`.
 * A number is taken as it is, whether or not such a namespace exists, unless a namespace has it as its name.
 * @throws NOT_FOUND when no namespace has that name or lies at that path; NOT_PERMITTED when it may not be read.
 */
export function resolveNetns(text: string, { root = '/' }: { root?: string } = {}): number {
  const named = text.includes('/') ? undefined : namedPaths(root).find(({ name }) => name === text);
  if (named) return namespaceAt(named.path, text, root);
  const inode = /^(?:net:\[)?(\d{1,10})\]?$/.exec(text)?.[1];
  if (inode !== undefined && Number(inode) > 0 && Number(inode) <= 0xffff_ffff) return Number(inode);
  if (text.includes('/')) return namespaceAt(text, text, root);
  throw notFound(`there is no network namespace "${text}"`, root);
}

function namespaceAt(path: string, text: string, root: string): number {
  const stats = statOf(path);
  if (!stats) throw notFound(`there is no network namespace at ${path}`, root);
  if (stats.dev !== nsfs(root).dev) throw notFound(`"${text}" is not a network namespace`, root);
  return stats.ino;
}

function notFound(message: string, root: string): LosslogError {
  const known = [...listNamedNetns(root).values()].sort();
  const hint =
    known.length === 0 ? 'no namespace has a name here; give /proc/PID/ns/net' : `known: ${known.join(', ')}`;
  return new LosslogError('NOT_FOUND', message, { hint });
}

/** Every namespace lies on the kernel's one nsfs (fs/nsfs.c); a file elsewhere is what an unmounted name left behind. */
function nsfs(root: string): Stats {
  return statSync(join(root, 'proc/self/ns/net'));
}

function namedPaths(root: string): { name: string; path: string }[] {
  return NAME_DIRECTORIES.flatMap((directory) => {
    const names = readNames(join(root, directory));
    return names.map((name) => ({ name, path: join(root, directory, name) }));
  });
}

function readNames(directory: string): string[] {
  try {
    return readdirSync(directory).sort();
  } catch (cause) {
    if (errnoOf(cause) === 'ENOENT') return [];
    throw cause;
  }
}

/** The status of a file; undefined when there is none. */
function statOf(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch (cause) {
    const code = errnoOf(cause) === 'EACCES' || errnoOf(cause) === 'EPERM' ? 'NOT_PERMITTED' : 'NOT_FOUND';
    throw new LosslogError(code, `cannot read ${path}`, { hint: 'run as root, or give the inode number', cause });
  }
}
