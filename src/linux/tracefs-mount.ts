/** Reaching tracefs where it is not mounted, without changing what is mounted on the host. */

import { closeSync } from 'node:fs';
import { LosslogError, messageOf } from '../base/errors.ts';
import { libc } from './libc.ts';
import { findTracefs } from './tracefs.ts';

/** The new mount API has the same numbers on every architecture (include/uapi/asm-generic/unistd.h; Linux 5.2). */
const SYS_FSOPEN = 430;
const SYS_FSCONFIG = 431;
const SYS_FSMOUNT = 432;
/** include/uapi/linux/mount.h */
const CLOEXEC = 1;
const FSCONFIG_CMD_CREATE = 6;

// syscall(2) takes whatever a system call takes; each form is declared by its own.
const fsopen = libc.func('syscall', 'long', ['long', 'str', 'uint']);
const fsconfig = libc.func('syscall', 'long', ['long', 'int', 'uint', 'void *', 'void *', 'int']);
const fsmount = libc.func('syscall', 'long', ['long', 'int', 'uint', 'uint']);

export interface OpenTracefs {
  readonly path: string;
  /** Releases the mount, if one was made. */
  close(): void;
}

/**
 * tracefs where it is mounted, else by a mount that is attached nowhere: only this process sees it, through its descriptor.
 * @throws NOT_SUPPORTED, NOT_PERMITTED as {@link findTracefs} does
 */
export function openTracefs(root = '/'): OpenTracefs {
  try {
    return { path: findTracefs(root), close: () => {} };
  } catch (error) {
    const fd = error instanceof LosslogError && error.code === 'NOT_SUPPORTED' ? detachedMount('tracefs') : -1;
    if (fd < 0) throw isRoot() ? error : withoutRights(error);
    return { path: `/proc/self/fd/${fd}`, close: () => closeSync(fd) };
  }
}

const isRoot = (): boolean => process.geteuid?.() === 0;

/** Nobody else may read tracefs, once it is mounted. */
const withoutRights = (cause: unknown): LosslogError =>
  new LosslogError('NOT_PERMITTED', `tracefs cannot be read: ${messageOf(cause)}`, { hint: 'run as root', cause });

/** @returns a descriptor of the root of the file system; -1 where the kernel or the rights do not allow it. */
function detachedMount(fileSystem: string): number {
  const context = Number(fsopen(SYS_FSOPEN, fileSystem, CLOEXEC));
  if (context < 0) return -1;
  try {
    if (Number(fsconfig(SYS_FSCONFIG, context, FSCONFIG_CMD_CREATE, null, null, 0)) < 0) return -1;
    return Number(fsmount(SYS_FSMOUNT, context, CLOEXEC, 0));
  } finally {
    closeSync(context);
  }
}
