/** The kernel's own counters of a network namespace: /proc/PID/net/snmp and netstat (net/ipv4/proc.c). */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * The counters of the namespace of a process, by group and name as `nstat` shows them, with a dot between:
 * `Tcp.RetransSegs`, `TcpExt.TCPTimeouts`. Which ones there are depends on the kernel.
 */
export function kernelCounters(root = '/', pid: number | 'self' = 'self'): Map<string, bigint> {
  const directory = join(root, 'proc', String(pid), 'net');
  const read = (name: string): string => readFileSync(join(directory, name), 'utf8');
  return new Map([...parseCounters(read('snmp')), ...parseCounters(read('netstat'))]);
}

/** Reads pairs of lines: `Tcp: RtoAlgorithm RtoMin …`, then `Tcp: 1 200 …`. */
export function parseCounters(text: string): Map<string, bigint> {
  const counters = new Map<string, bigint>();
  const lines = text.split('\n');
  for (let i = 0; i + 1 < lines.length; i += 2) {
    const [group = '', ...names] = (lines[i] as string).split(' ');
    const [, ...values] = (lines[i + 1] as string).split(' ');
    names.forEach((name, n) => {
      const value = values[n];
      if (value !== undefined) counters.set(`${group.replace(':', '')}.${name}`, BigInt(value));
    });
  }
  return counters;
}
