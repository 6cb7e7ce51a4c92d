/** The first file system of a test machine: busybox, the modules that the shares need, and an /init. */

import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync, zstdDecompressSync } from 'node:zlib';
import { CommandFailed, run } from '../command.ts';
import type { Kernel } from './kernels.ts';

const INIT = fileURLToPath(new URL('./initramfs-init.sh', import.meta.url));
const APPLETS = ['sh', 'mount', 'umount', 'mkdir', 'insmod', 'switch_root', 'cat', 'poweroff'];
const MODULES = ['virtio_pci', 'virtiofs', 'overlay'];

/** @param checkout path of the checkout, which the machine has under the same name */
export function writeInitramfs(kernel: Kernel, checkout: string, target: string): void {
  const root = mkdtempSync(join(tmpdir(), 'losslog-initramfs-'));
  try {
    for (const name of ['bin', 'dev', 'proc', 'modules']) mkdirSync(join(root, name));
    copyFileSync(busybox(), join(root, 'bin/busybox'));
    for (const name of APPLETS) symlinkSync('busybox', join(root, 'bin', name));
    const order = moduleFiles(kernel).map((path) => {
      const name = basename(path).replace(/\.(xz|zst)$/, '');
      writeFileSync(join(root, 'modules', name), decompressed(path));
      return `${name}\n`;
    });
    writeFileSync(join(root, 'modules/order'), order.join(''));
    writeFileSync(join(root, 'checkout-path'), checkout);
    writeFileSync(join(root, 'init'), readFileSync(INIT), { mode: 0o755 });
    writeFileSync(target, gzipSync(archive(root), { level: 1 }));
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

const busybox = (): string => run('sh', '-c', 'command -v busybox').trim();

/** In the order in which they load; a kernel that has one built in names no file. */
function moduleFiles({ tree, release }: Kernel): string[] {
  const lines = MODULES.flatMap((name) =>
    run('modprobe', '-d', tree, '-S', release, '--show-depends', name).split('\n'),
  );
  return [...new Set(lines.flatMap((line) => /^insmod (\S+)/.exec(line)?.[1] ?? []))];
}

/** busybox's insmod takes plain modules only. */
function decompressed(path: string): Buffer {
  if (path.endsWith('.zst')) return zstdDecompressSync(readFileSync(path));
  return path.endsWith('.xz') ? output('xz', ['-dc', path]) : readFileSync(path);
}

function archive(root: string): Buffer {
  const names = run('find', root, '-mindepth', '1', '-printf', '%P\\n');
  return output('cpio', ['--quiet', '-o', '-H', 'newc', '-D', root], names);
}

function output(program: string, args: readonly string[], input = ''): Buffer {
  const { status, stdout, stderr, error } = spawnSync(program, args, { input, maxBuffer: 256 << 20, timeout: 60_000 });
  if (status !== 0) throw new CommandFailed([program, ...args], status, error?.message ?? String(stderr));
  return stdout;
}
