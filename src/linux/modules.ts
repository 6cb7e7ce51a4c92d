/** Which modules are loaded, and where. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { errnoOf } from '../base/errors.ts';

/**
 * Name and address of every loaded module, in a form that is good for comparison only: it changes when a module comes, goes or
 * lies elsewhere, and not when its use count changes. Empty on a kernel without modules.
 */
export function loadedModules(root = '/'): string {
  try {
    const text = readFileSync(join(root, 'proc/modules'), 'utf8');
    // `nf_tables 356352 1 nft_chain_nat, Live 0xffffffffc0a1b000`
    return text.replace(/^(\S+) .* (0x[0-9a-f]+).*$/gm, '$1 $2');
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return '';
    throw error;
  }
}
