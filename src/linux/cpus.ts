/** How many CPUs there may be. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** One more than the highest CPU number that this kernel may ever bring up (/sys/devices/system/cpu/possible: `0-7`). */
export function possibleCpus(root = '/'): number {
  const text = readFileSync(join(root, 'sys/devices/system/cpu/possible'), 'utf8').trim();
  return 1 + Number(/\d+$/.exec(text)?.[0] ?? 0);
}
