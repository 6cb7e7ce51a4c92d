/**
 * The file system in which BPF objects are kept beyond the process that made them (Documentation/bpf/, "Object pinning").
 * That of the host, where it has one at the usual place; else one of our own, which is unmounted when nothing is left in it.
 */

import { closeSync, mkdirSync, openSync, readdirSync, rmdirSync, statfsSync } from 'node:fs';
import { join } from 'node:path';
import koffi from 'koffi';
import { errnoOf, LosslogError, messageOf } from '../base/errors.ts';
import { FileLock } from './file-lock.ts';
import { libc } from './libc.ts';

/** include/uapi/linux/magic.h */
const BPF_FS_MAGIC = 0xcafe4a11;
const MS_NOSUID = 2;
const MS_NODEV = 4;
const MS_NOEXEC = 8;
/** Where systemd mounts it. */
const USUAL = 'sys/fs/bpf';
/** Holds a lock, and the mount of our own. */
const OWN_DIRECTORY = 'run/losslog';
const OWN_MOUNT = 'run/losslog/bpf';
export const OWN_BPFFS = `/${OWN_MOUNT}`;

/** maps.debug, progs.debug: there from the start (kernel/bpf/preload). */
const KERNELS_OWN = /\.debug$/;

const mount = libc.func(
  'int mount(const char *source, const char *target, const char *type, ulong flags, const char *data)',
);
const umount = libc.func('int umount2(const char *target, int flags)');

/** Whether a path lies on such a file system. */
export function isOnBpffs(path: string): boolean {
  try {
    return statfsSync(path).type === BPF_FS_MAGIC;
  } catch {
    return false;
  }
}

/** Where such file systems are mounted, of the two places that we look at. */
export const bpffsMounts = (root = '/'): string[] =>
  [USUAL, OWN_MOUNT].map((place) => join(root, place)).filter((path) => isOnBpffs(path));

/** Runs `action` while no other losslog mounts, makes or removes anything there. @throws NOT_PERMITTED, or what `action` throws */
export function withBpffsLock<T>(action: () => T, root = '/'): T {
  const lock = ownLock(join(root, OWN_DIRECTORY));
  try {
    return action();
  } finally {
    lock.release();
  }
}

/** On a file that only its owner may open: whoever could lock it could keep recorders from starting. */
function ownLock(path: string): FileLock {
  try {
    mkdirSync(path, { recursive: true, mode: 0o755 });
    const file = join(path, 'pins.lock');
    closeSync(openSync(file, 'a', 0o600));
    return FileLock.acquire(file);
  } catch (cause) {
    throw new LosslogError('NOT_PERMITTED', `cannot write to ${path}: ${messageOf(cause)}`, {
      hint: 'run as root',
      cause,
    });
  }
}

/** A mount, made if there is none. To be called under the lock. @throws NOT_PERMITTED, NOT_SUPPORTED */
export function requireBpffs(root = '/'): string {
  const [found] = bpffsMounts(root);
  if (found !== undefined) return found;
  const path = join(root, OWN_MOUNT);
  mkdirSync(path, { recursive: true, mode: 0o700 });
  if (Number(mount('bpf', path, 'bpf', MS_NOSUID | MS_NODEV | MS_NOEXEC, 'mode=0700')) === 0) return path;
  const errno = koffi.errno();
  const isForbidden = errno === koffi.os.errno.EPERM || errno === koffi.os.errno.EACCES;
  throw new LosslogError(
    isForbidden ? 'NOT_PERMITTED' : 'NOT_SUPPORTED',
    `no bpffs is mounted, and it cannot be mounted on ${path} (errno ${errno})`,
    { hint: 'run: mount -t bpf bpf /sys/fs/bpf' },
  );
}

/**
 * Unmounts our own where nothing is left in it: pins do not keep it mounted, but go with it. To be called under the lock.
 *
 * The directory stays. In another mount namespace (a service, a container) another bpffs may be mounted on it, which its removal would
 * unmount there (fs/namei.c, vfs_rmdir(): detach_mounts()), and what is pinned in that one would end.
 */
export function releaseBpffs(root = '/'): void {
  const path = join(root, OWN_MOUNT);
  if (!isOnBpffs(path) || readdirSync(path).some((file) => !KERNELS_OWN.test(file))) return;
  umount(path, 0);
}

/** @returns whether it is gone. */
export function removeIfEmpty(path: string): boolean {
  try {
    rmdirSync(path);
    return true;
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return true;
    if (errnoOf(error) === 'ENOTEMPTY' || errnoOf(error) === 'EBUSY' || errnoOf(error) === 'EPERM') return false;
    throw error;
  }
}
