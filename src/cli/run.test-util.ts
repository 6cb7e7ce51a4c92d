/** Runs the command as a user does: a process of its own. */

import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

export const MAIN = fileURLToPath(new URL('./main.ts', import.meta.url));
export const NODE_FLAGS = ['--disable-warning=ExperimentalWarning'];

export interface Result {
  status: number | null;
  stdout: string;
  stderr: string;
}

export function losslog(args: readonly string[], env: Record<string, string> = {}): Result {
  const options = { encoding: 'utf8', env: { ...process.env, TZ: 'UTC', ...env }, timeout: 20_000 } as const;
  const { status, stdout, stderr } = spawnSync(process.execPath, [...NODE_FLAGS, MAIN, ...args], options);
  return { status, stdout, stderr };
}
