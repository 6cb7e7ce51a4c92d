/** Kernel lockdown (kernel_lockdown(7)), as distributions set it with Secure Boot. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { errnoOf } from '../base/errors.ts';

/** The mode in brackets of `none integrity [confidentiality]`; `none` where there is no lockdown or it may not be read. */
export function lockdownMode(root = '/'): string {
  try {
    const text = readFileSync(join(root, 'sys/kernel/security/lockdown'), 'utf8');
    return /\[(\w+)\]/.exec(text)?.[1] ?? 'none';
  } catch (cause) {
    if (errnoOf(cause) === 'ENOENT' || errnoOf(cause) === 'EACCES') return 'none';
    throw cause;
  }
}
