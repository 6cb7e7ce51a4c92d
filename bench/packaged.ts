/** The packaged tools for retransmissions and drops: whether they run on this machine. */

import { spawnSync } from 'node:child_process';
import { run, succeeds } from '../lab/command.ts';
import { withTracefs } from './tracefs.ts';

const TOOLS = {
  'tcpretrans.bt': 'bpftrace',
  'tcpdrop.bt': 'bpftrace',
  'tcpretrans-bpfcc': 'bpfcc-tools',
  'tcpdrop-bpfcc': 'bpfcc-tools',
};
/** Until then all that fail have said so. */
const SECONDS = 10;

export interface Packaged {
  name: string;
  from: string;
  /** How it fails, in its own words; absent when it runs. */
  error?: string;
}

export function packagedTools(): Packaged[] {
  return Object.entries(TOOLS).map(([name, debPackage]) => {
    if (!succeeds('which', name)) return { name, from: debPackage, error: 'not installed' };
    const error = failureOf(name);
    return { name, from: `${debPackage} ${versionOf(debPackage)}`, ...(error && { error }) };
  });
}

/** Runs it for a while: undefined when it had to be ended. */
function failureOf(name: string): string | undefined {
  const [program = '', ...args] = withTracefs('timeout', '-s', 'INT', String(SECONDS), name);
  const { status, stdout, stderr } = spawnSync(program, args, { encoding: 'utf8', timeout: 2000 * SECONDS });
  // timeout(1) exits so when the time was over
  if (status === 124) return undefined;
  const lines = `${stderr}\n${stdout}`.split('\n').filter((line) => !line.includes('RLIMIT_MEMLOCK'));
  return lines.find((line) => /^(error|unable)|fatal error/i.test(line))?.trim() ?? `exit code ${status}`;
}

export const versionOf = (debPackage: string): string =>
  succeeds('dpkg-query', '-W', debPackage) ? run('dpkg-query', '-W', '-f', '$' + '{Version}', debPackage) : '';
