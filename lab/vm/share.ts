/** Directories of this host in a test machine, by virtiofsd (the one in C, of QEMU 7.2). */

import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { LosslogError } from '../../src/base/errors.ts';
import type { CleanupStack } from '../cleanup.ts';

export const VIRTIOFSD = '/usr/lib/qemu/virtiofsd';
const START_TIMEOUT_MS = 10_000;

export interface ShareOptions {
  /** Mount tag in the machine. */
  tag: string;
  source: string;
  /** Otherwise the machine sees it read-only. */
  writable?: true;
  /** For sockets and logs. */
  directory: string;
}

/**
 * virtiofsd 7.2 cannot share read-only: it gets a read-only bind mount in a mount namespace of its own, so that nothing
 * in the machine can write to the host.
 */
const READ_ONLY = 'mount --bind "$1" "$2" && mount -o remount,bind,ro "$2" && shift 2 && exec "$@"';

/** Starts sharing and resolves with the arguments of QEMU for it. @throws INTERNAL when virtiofsd does not start */
export async function share(options: ShareOptions, cleanup: CleanupStack): Promise<string[]> {
  const { tag, source, writable, directory } = options;
  const socket = join(directory, `${tag}.sock`);
  const log = join(directory, `virtiofsd-${tag}.log`);
  const settings = ['sandbox=chroot', `cache=${writable ? 'none' : 'always'}`, 'no_posix_lock', 'log_level=err'];
  const shown = writable ? source : join(directory, tag);
  const daemon = [VIRTIOFSD, `--socket-path=${socket}`, '-o', `source=${shown}`, '-o', settings.join(',')];
  const isolated = ['unshare', '--mount', '--propagation', 'private', 'sh', '-c', READ_ONLY, 'sh', source, shown];
  if (!writable) mkdirSync(shown);
  const isRunning = start([...(writable ? [] : isolated), ...daemon], log, cleanup);
  const deadline = Date.now() + START_TIMEOUT_MS;
  while (!existsSync(socket)) {
    if (!isRunning() || Date.now() > deadline)
      throw new LosslogError('INTERNAL', `virtiofsd did not start: see ${log}`);
    await sleep(20);
  }
  const device = `vhost-user-fs-pci,chardev=${tag},tag=${tag},queue-size=1024`;
  return ['-chardev', `socket,id=${tag},path=${socket}`, '-device', device];
}

/** Starts a program that cannot outlive this process. @returns whether it still runs */
function start(command: readonly string[], log: string, cleanup: CleanupStack): () => boolean {
  const output = openSync(log, 'w');
  const child = spawn('setpriv', ['--pdeathsig', 'KILL', ...command], { stdio: ['ignore', output, output] });
  child.on('error', () => {});
  const isRunning = (): boolean => child.exitCode === null && child.signalCode === null && child.pid !== undefined;
  cleanup.defer(() => {
    if (isRunning()) child.kill('SIGKILL');
  });
  return isRunning;
}
