/** Network namespaces: their inode numbers, and the names that `ip netns` gave them. */

import { readdirSync, readFileSync, readlinkSync, type Stats, statSync } from 'node:fs';
import { join } from 'node:path';
import { errnoOf, LosslogError } from '../base/errors.ts';
import { missingCapabilities } from './capabilities.ts';
import { isInInitialNamespace } from './namespaces.ts';
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

/** Where a network namespace can be looked into: through a process that is in it, or through a file that is bound to it. */
export interface NetnsPlace {
  pid?: number;
  path?: string;
}

/** Processes between two steps of {@link findNetns}, some 0.1 ms: that are asked, and whose namespace is known. */
const ASKED_A_STEP = 16;
const KNOWN_A_STEP = 256;

/**
 * Every network namespace that a process is in or that is mounted where this process sees it (`ip netns`, Docker, CNI), by inode number.
 * Works in steps, so that a host of many thousand processes does not stop the caller. A namespace that only an open file holds is not found.
 *
 * @param processes where each process was found before: it is not asked again, though it may have gone elsewhere. Becomes those that are
 * there now.
 */
export function* findNetns(
  root = '/',
  processes: Map<number, number> = new Map(),
): Generator<void, Map<number, NetnsPlace>> {
  const found = new Map<number, NetnsPlace>();
  const before = new Map(processes);
  processes.clear();
  for (const [inode, path] of mountedNetns(root)) found.set(inode, { path });
  yield;
  let step = 0;
  // Not opendir(): Node.js looks at each entry whose type the kernel could not tell, and fails where that process has just ended.
  for (const pid of listProcesses(root)) {
    const known = before.get(pid);
    const inode = known ?? netnsOf(pid, root);
    if (inode !== undefined) {
      processes.set(pid, inode);
      const place = found.get(inode);
      if (place) place.pid ??= pid;
      else found.set(inode, { pid });
    }
    step += known === undefined ? 1 / ASKED_A_STEP : 1 / KNOWN_A_STEP;
    if (step < 1) continue;
    step = 0;
    yield;
  }
  return found;
}

/** As {@link findNetns}, in one go. */
export function allNetns(...given: Parameters<typeof findNetns>): Map<number, NetnsPlace> {
  const search = findNetns(...given);
  let step = search.next();
  while (!step.done) step = search.next();
  return step.value;
}

/** Of /proc/self/mountinfo (proc(5)): `36 35 0:4 net:[4026532177] /run/netns/blue rw - nsfs nsfs rw`, blanks in octal. */
function mountedNetns(root: string): Map<number, string> {
  const mounted = new Map<number, string>();
  for (const line of readFileSync(join(root, 'proc/self/mountinfo'), 'utf8').split('\n')) {
    const [, inode, path = ''] = /^\d+ \d+ \S+ net:\[(\d+)\] (\S+) /.exec(line) ?? [];
    if (inode === undefined || mounted.has(Number(inode))) continue;
    mounted.set(
      Number(inode),
      path.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8))),
    );
  }
  return mounted;
}

/** Inode number of the network namespace of a process; undefined when it ended, is a zombie, or may not be looked at. */
export function netnsOf(pid: number, root: string): number | undefined {
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

/**
 * As {@link resolveNetns}, of a namespace that is there. A number that no namespace has is refused: which one the next namespace will get, nobody knows.
 * @throws NOT_FOUND, also for a number that no process and no mount has, as far as this process sees all of them
 */
export function resolvePresentNetns(text: string, { root = '/' }: { root?: string } = {}): number {
  const inode = resolveNetns(text, { root });
  if (text.includes('/') || allNetns(root).has(inode) || !seesAllProcesses(root)) return inode;
  throw new LosslogError('NOT_FOUND', `no process is in network namespace ${inode}, and it is mounted nowhere`, {
    hint: `give a name, or /proc/PID/ns/net of a process in it; ${knownNames(root)}`,
  });
}

/** Not in a container of its own, and not as an ordinary user (ptrace(2), PTRACE_MODE_READ_FSCREDS). */
const seesAllProcesses = (root: string): boolean =>
  isInInitialNamespace('pid', root) && missingCapabilities(['SYS_PTRACE'], root).length === 0;

function namespaceAt(path: string, text: string, root: string): number {
  const stats = statOf(path);
  if (!stats) throw notFound(`there is no network namespace at ${path}`, root);
  if (stats.dev !== nsfs(root).dev) throw notFound(`"${text}" is not a network namespace`, root);
  return stats.ino;
}

function notFound(message: string, root: string): LosslogError {
  const names = knownNames(root);
  const hint = names === NO_NAMES ? `${names}; give /proc/PID/ns/net` : names;
  return new LosslogError('NOT_FOUND', message, { hint });
}

/** Names told in an error. */
const MAX_TOLD = 10;
const NO_NAMES = 'no namespace has a name here';

function knownNames(root: string): string {
  const known = [...listNamedNetns(root).values()].sort();
  if (known.length === 0) return NO_NAMES;
  const more = known.length > MAX_TOLD ? `, and ${known.length - MAX_TOLD} more (ip netns)` : '';
  return `known: ${known.slice(0, MAX_TOLD).join(', ')}${more}`;
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
