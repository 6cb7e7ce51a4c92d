/** The C programs of lab/traffic/, where JavaScript is too slow or cannot reach; compiled at first use. */

import { mkdirSync, renameSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { run, succeeds } from './command.ts';

const pathOf = (relative: string): string => fileURLToPath(new URL(relative, import.meta.url));

/** Path of the compiled program, in build/lab/. @throws when there is no C compiler. */
export function compiled(name: string): string {
  const source = pathOf(`./traffic/${name}.c`);
  const target = pathOf(`../build/lab/${name}`);
  if (modifiedMs(target) > modifiedMs(source)) return target;
  mkdirSync(pathOf('../build/lab'), { recursive: true });
  // Test files run at the same time: write aside and rename, so that none runs half a program.
  const aside = `${target}.${process.pid}`;
  run(compiler(), '-O2', '-pthread', '-Wall', '-Wextra', '-Werror', '-o', aside, source);
  renameSync(aside, target);
  return target;
}

function compiler(): string {
  const found = ['clang', 'cc', 'gcc'].find((name) => succeeds(name, '--version'));
  if (found === undefined) throw new Error('no C compiler here: install clang');
  return found;
}

const modifiedMs = (path: string): number => statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
