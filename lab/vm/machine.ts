/**
 * A virtual machine under QEMU that boots a kernel on this host's file system and runs one command as root.
 *
 * Without KVM, which test machines seldom have: software emulation runs Node.js some five times slower. One CPU, since
 * QEMU 7.2 with two loses a race with the kernel that patches its own code ("Oops: int3"). The machine has no network.
 */

import { spawn } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CleanupStack } from '../cleanup.ts';
import { imageOf } from './fetch.ts';
import { writeInitramfs } from './initramfs.ts';
import type { Kernel } from './kernels.ts';
import { share } from './share.ts';

export const QEMU = 'qemu-system-x86_64';

/** `panic=-1` and `-no-reboot` end QEMU at a panic; the clock and random number options save seconds of probing. */
const KERNEL_ARGUMENTS =
  'console=ttyS0 quiet loglevel=4 panic=-1 mitigations=off nokaslr tsc=reliable random.trust_cpu=on';

export interface RunOptions {
  /** A shell script. It runs in the directory of the results. */
  command: string;
  /** The checkout, which the machine sees under the same path. */
  checkout: string;
  /** What the command leaves here the host has after it; also `stdout`, `stderr` and `console.log`. */
  results: string;
  timeoutMs: number;
  /** Everything that the machine writes outside the results lies in its memory. */
  memoryMiB?: number;
}

export interface RunResult {
  /** Absent: the machine crashed, hung or was cut off. */
  exitCode?: number;
  /** Of the whole run. */
  seconds: number;
}

/** Boots, runs, and removes everything but the results. */
export async function runInMachine(kernel: Kernel, options: RunOptions): Promise<RunResult> {
  const cleanup = new CleanupStack();
  const begin = performance.now();
  try {
    await boot(kernel, options, cleanup);
  } finally {
    cleanup.run();
  }
  const seconds = (performance.now() - begin) / 1000;
  const file = join(options.results, 'exit-code');
  return existsSync(file) ? { exitCode: Number(readFileSync(file, 'utf8')), seconds } : { seconds };
}

async function boot(kernel: Kernel, options: RunOptions, cleanup: CleanupStack): Promise<void> {
  const { results, checkout } = options;
  const directory = mkdtempSync(join(tmpdir(), 'losslog-vm-'));
  cleanup.defer(() => rmSync(directory, { recursive: true, force: true }));
  rmSync(results, { recursive: true, force: true });
  mkdirSync(results, { recursive: true });
  writeFileSync(join(results, 'command'), options.command);
  const initramfs = join(directory, 'initramfs');
  writeInitramfs(kernel, checkout, initramfs);
  const shares = [
    await share({ tag: 'root', source: '/', directory }, cleanup),
    await share({ tag: 'checkout', source: checkout, directory }, cleanup),
    await share({ tag: 'kernel', source: kernel.tree, directory }, cleanup),
    await share({ tag: 'results', source: results, writable: true, directory }, cleanup),
  ];
  const arguments_ = [...hardware(options), ...shares.flat(), ...software(kernel, initramfs)];
  await runQemu(arguments_, join(results, 'console.log'), options.timeoutMs, cleanup);
}

function hardware({ memoryMiB = 1536 }: RunOptions): string[] {
  // The daemons of the shares read and write the machine's memory.
  const memory = [
    '-object',
    `memory-backend-memfd,id=memory,size=${memoryMiB}M,share=on`,
    '-numa',
    'node,memdev=memory',
  ];
  // Never let QEMU choose KVM: nested, it may hang without a word.
  const cpu = ['-machine', 'q35', '-accel', 'tcg,thread=multi,tb-size=512', '-cpu', 'max,la57=off', '-smp', '1'];
  const nothingElse = ['-nodefaults', '-no-user-config', '-nic', 'none', '-display', 'none', '-monitor', 'none'];
  return [...cpu, '-m', String(memoryMiB), ...memory, ...nothingElse, '-no-reboot', '-serial', 'stdio'];
}

const software = (kernel: Kernel, initramfs: string): string[] => [
  ...['-kernel', imageOf(kernel), '-initrd', initramfs],
  ...['-append', KERNEL_ARGUMENTS],
];

/** Resolves at the end of the machine, of whatever cause: QEMU's exit code is 0 at a panic too. */
function runQemu(args: readonly string[], log: string, timeoutMs: number, cleanup: CleanupStack): Promise<void> {
  const output = openSync(log, 'w');
  // Not to outlive this process, however that ends.
  const qemu = spawn('setpriv', ['--pdeathsig', 'KILL', QEMU, ...args], { stdio: ['ignore', output, output] });
  const kill = (): void => void (qemu.exitCode === null && qemu.signalCode === null && qemu.kill('SIGKILL'));
  cleanup.defer(kill);
  const timer = setTimeout(kill, timeoutMs);
  return new Promise<void>((resolve, reject) => {
    qemu.once('error', reject);
    qemu.once('exit', () => resolve());
  }).finally(() => {
    clearTimeout(timer);
    closeSync(output);
  });
}
