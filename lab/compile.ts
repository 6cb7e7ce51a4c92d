/** C programs of the lab and of tests, where JavaScript is too slow or cannot reach; compiled at first use. */

import { mkdirSync, renameSync, statSync } from 'node:fs';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { run, succeeds } from './command.ts';

const pathOf = (relative: string): string => fileURLToPath(new URL(relative, import.meta.url));

/** Path of a compiled program of lab/traffic/, in build/lab/. @throws when there is no C compiler. */
export function compiled(name: string): string {
  const options = ['-pthread', '-Wall', '-Wextra', '-Werror'];
  return upToDate(pathOf(`./traffic/${name}.c`), name, options, compiler);
}

/** Path of a compiled BPF program of a test; `source` is relative to the checkout. @throws when there is no clang. */
export function compiledBpf(source: string): string {
  const headers = `/usr/include/${{ x64: 'x86_64', arm64: 'aarch64' }[process.arch as string]}-linux-gnu`;
  const options = ['-g', '-target', 'bpf', '-idirafter', headers, '-c'];
  return upToDate(pathOf(`../${source}`), basename(source, '.c'), options, () => 'clang');
}

function upToDate(source: string, name: string, options: readonly string[], program: () => string): string {
  const target = pathOf(`../build/lab/${name}`);
  if (modifiedMs(target) > modifiedMs(source)) return target;
  mkdirSync(pathOf('../build/lab'), { recursive: true });
  // Test files run at the same time: write aside and rename, so that none runs half a program.
  const aside = `${target}.${process.pid}`;
  run(program(), '-O2', ...options, '-o', aside, source);
  renameSync(aside, target);
  return target;
}

function compiler(): string {
  const found = ['clang', 'cc', 'gcc'].find((name) => succeeds(name, '--version'));
  if (found === undefined) throw new Error('no C compiler here: install clang');
  return found;
}

const modifiedMs = (path: string): number => statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
