/** Reads the type information that the running kernel and its modules publish under /sys/kernel/btf. */

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { errnoOf, LosslogError } from '../base/errors.ts';
import { Btf } from './btf.ts';

const DIRECTORY = 'sys/kernel/btf';

/** @throws NOT_SUPPORTED when this kernel publishes none; DECODE when it cannot be read. */
export function readKernelBtf(root = '/'): Btf {
  const path = join(root, DIRECTORY, 'vmlinux');
  try {
    return Btf.parse(readFileSync(path));
  } catch (cause) {
    if (errnoOf(cause) !== 'ENOENT') throw cause;
    throw new LosslogError('NOT_SUPPORTED', `this kernel has no type information (${path})`, {
      hint: 'run a kernel built with CONFIG_DEBUG_INFO_BTF=y, as those of the distributions are since 2020',
      cause,
    });
  }
}

/** The type information of every loaded module, in the order of their names. A module that goes while we read is left out. */
export function readModuleBtfs(kernel: Btf, root = '/'): Btf[] {
  const directory = join(root, DIRECTORY);
  const names = readdirSync(directory).filter((name) => name !== 'vmlinux');
  return names.sort().flatMap((name) => {
    try {
      return [Btf.parse(readFileSync(join(directory, name)), kernel)];
    } catch (cause) {
      if (errnoOf(cause) === 'ENOENT' || errnoOf(cause) === 'ENODEV') return [];
      throw cause;
    }
  });
}
