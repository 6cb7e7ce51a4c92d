/** Where a recorder pins: a directory of its own for each store. */

import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, realpathSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { LosslogError } from '../base/errors.ts';
import { bpffsMounts, isOnBpffs, releaseBpffs, removeIfEmpty, requireBpffs } from '../linux/bpffs.ts';

/** Below a mount; nothing outside of it is ever touched. */
const OURS = 'losslog';
const NAME_LENGTH = 40;

/** The real path of a store, also when it is not there yet. */
export function realStore(store: string): string {
  const path = resolve(store);
  if (existsSync(path)) return realpathSync(path);
  const parent = dirname(path);
  return parent === path ? path : join(realStore(parent), basename(path));
}

/** `/var/lib/losslog` → `var-lib-losslog-1f2e3d4c`: to be read by people, and different for different stores. */
export function pinName(store: string): string {
  const hash = createHash('sha256').update(store).digest('hex').slice(0, 8);
  const words = store.replaceAll(/[^A-Za-z0-9]+/g, '-').replace(/^-/, '');
  return `${words.slice(-NAME_LENGTH).replace(/^-/, '')}-${hash}`;
}

/** The directory of a store where there is one. */
export function findPinDirectory(store: string): string | undefined {
  const name = pinName(realStore(store));
  return pinnedDirectories().find((path) => basename(path) === name);
}

/** Directories in which losslog has pinned something, on all mounts that it looks at. */
export function pinnedDirectories(root = '/'): string[] {
  return bpffsMounts(root).flatMap((mount) => {
    const ours = join(mount, OURS);
    return existsSync(ours) ? readdirSync(ours).map((name) => join(ours, name)) : [];
  });
}

/**
 * The directory of a store; made, and bpffs mounted, where there is none. To be called under the lock.
 * @throws NOT_PERMITTED, NOT_SUPPORTED
 */
export function makePinDirectory(store: string): string {
  const known = findPinDirectory(store);
  return known ?? make(join(requireBpffs(), OURS, pinName(realStore(store))));
}

/** A directory that the user gave. To be called under the lock. @throws USAGE, NOT_PERMITTED */
export function makeGivenDirectory(path: string): string {
  if (existsSync(path) ? !isOnBpffs(path) : !isOnBpffs(dirname(path))) {
    throw new LosslogError('USAGE', `${path} is not on a bpffs`, {
      hint: 'mount one (mount -t bpf bpf /sys/fs/bpf) and give a directory on it, or --pin none',
    });
  }
  return make(path);
}

function make(path: string): string {
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 });
    return path;
  } catch (cause) {
    throw new LosslogError('NOT_PERMITTED', `cannot make ${path}`, { hint: 'run as root', cause });
  }
}

/** Removes a directory of ours that is empty, and what was made for it. To be called under the lock. */
export function unmakePinDirectory(path: string): void {
  if (basename(dirname(path)) !== OURS || !removeIfEmpty(path)) return;
  if (removeIfEmpty(dirname(path))) releaseBpffs();
}
