/** Whether this process sees the host as it is, or from inside a namespace. */

import { statSync } from 'node:fs';
import { join } from 'node:path';

/** Inode numbers of the namespaces that the kernel begins with (include/linux/proc_ns.h, PROC_PID_INIT_INO …). */
const INITIAL = { user: 0xeffffffd, pid: 0xeffffffc } as const;

/** Whether the namespace of this process is the one that the kernel began with. */
export function isInInitialNamespace(kind: keyof typeof INITIAL, root = '/'): boolean {
  return statSync(join(root, 'proc/self/ns', kind)).ino === INITIAL[kind];
}
