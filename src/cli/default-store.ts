/** Where the store is when nobody says: `--store`, then LOSSLOG_STORE, then the place that suits the user. */

import { homedir } from 'node:os';
import { join } from 'node:path';
import { nonEmpty } from '../base/values.ts';
import type { ValueFlag } from './flag.ts';

export const storeFlag = {
  type: 'value',
  placeholder: 'DIR',
  doc: 'the store (LOSSLOG_STORE; else /var/lib/losslog for root, ~/.local/state/losslog for others)',
  parse: nonEmpty,
} as const satisfies ValueFlag<string>;

/** The directory of the store. The state directory of a user is that of the XDG Base Directory Specification. */
export function storeDir(
  flag: string | undefined,
  env: NodeJS.ProcessEnv = process.env,
  uid: number = process.getuid?.() ?? -1,
): string {
  if (flag !== undefined) return flag;
  if (env.LOSSLOG_STORE) return env.LOSSLOG_STORE;
  if (uid === 0) return '/var/lib/losslog';
  const stateHome = env.XDG_STATE_HOME?.startsWith('/')
    ? env.XDG_STATE_HOME
    : join(env.HOME || homedir(), '.local/state');
  return join(stateHome, 'losslog');
}
