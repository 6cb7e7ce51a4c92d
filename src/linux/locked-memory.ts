/** RLIMIT_MEMLOCK, which bounds the memory of BPF maps on kernels before 5.11. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { LosslogError } from '../base/errors.ts';

/** The hard limit in bytes; Infinity where there is none. @throws DECODE when /proc/self/limits does not name it. */
export function lockedMemoryLimit(root = '/'): number {
  const text = readFileSync(join(root, 'proc/self/limits'), 'utf8');
  const hard = /^Max locked memory +\S+ +(\S+) +bytes *$/m.exec(text)?.[1];
  if (hard === undefined) throw new LosslogError('DECODE', '/proc/self/limits has no limit of locked memory');
  return hard === 'unlimited' ? Number.POSITIVE_INFINITY : Number(hard);
}
