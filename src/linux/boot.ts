/** Which host, which kernel, which boot. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface BootIdentity {
  /** UUID made at boot: times since boot compare only where it is equal. */
  readonly bootId: string;
  /** `uname -r`. */
  readonly kernelRelease: string;
  /** `uname -n`. */
  readonly hostName: string;
}

/** Reads /proc/sys/kernel. */
export function readBootIdentity(root = '/'): BootIdentity {
  const read = (name: string): string => readFileSync(join(root, 'proc/sys/kernel', name), 'utf8').trim();
  return { bootId: read('random/boot_id'), kernelRelease: read('osrelease'), hostName: read('hostname') };
}
