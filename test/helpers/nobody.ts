/** A recorder of an ordinary user, with no right but some capabilities. */

import { spawnSync } from 'node:child_process';
import { LOSSLOG } from '../../lab/recorder.ts';
import { requires } from './requires.ts';

export const NOBODY = 65534;

/** As a user without any right but these capabilities. */
export function asNobody(capabilities: readonly string[]): [string, ...string[]] {
  const set = ['-all', ...capabilities.map((name) => `+${name}`)].join(',');
  const user = ['--reuid', String(NOBODY), '--regid', String(NOBODY), '--clear-groups'];
  return ['setpriv', ...user, `--inh-caps=${set}`, `--ambient-caps=${set}`];
}

/** A checkout below a home directory may not be open to other users. */
function mayRun(): boolean {
  const [program, ...args] = asNobody([]);
  return spawnSync(program, [...args, LOSSLOG, '--version'], { timeout: 30_000 }).status === 0;
}

/** Options for `test()` where such a recorder is started. */
export function recordsAsNobody(): { skip: string | false } {
  const needed = requires('root', 'btf');
  return needed.skip === false && !mayRun() ? { skip: 'this checkout is not open to other users' } : needed;
}
