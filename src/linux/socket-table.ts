/** The TCP sockets of a network namespace as /proc/PID/net/tcp and tcp6 list them (net/ipv4/tcp_ipv4.c, get_tcp4_sock()). */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { errnoOf } from '../base/errors.ts';
import { type IpBytes, isV4Mapped } from '../base/ip.ts';

export interface SocketEntry {
  readonly local: IpBytes;
  readonly localPort: number;
  readonly remote: IpBytes;
  readonly remotePort: number;
  readonly uid: number;
  /** 0 for a socket without a file: not accepted yet, or closed. */
  readonly inode: bigint;
}

/** Lines that are no sockets are left out. IPv4-mapped addresses are given as IPv4. */
export function* parseSocketTable(text: string): Generator<SocketEntry> {
  for (let at = text.indexOf('\n') + 1; at > 0 && at < text.length; ) {
    const end = text.indexOf('\n', at);
    const line = text.slice(at, end < 0 ? text.length : end);
    at = end + 1;
    // sl local remote st tx:rx tr:when retrnsmt uid timeout inode …
    const words = line.trim().split(/\s+/);
    const local = endpointOf(words[1]);
    const remote = endpointOf(words[2]);
    if (!local || !remote || !/^\d+$/.test(words[9] ?? '')) continue;
    yield {
      local: local.address,
      localPort: local.port,
      remote: remote.address,
      remotePort: remote.port,
      uid: Number(words[7]),
      inode: BigInt(words[9] as string),
    };
  }
}

/** `0100007F:1F90`: each word of the address as a number of this machine, the port in plain. */
function endpointOf(text = ''): { address: IpBytes; port: number } | undefined {
  const match = /^([0-9A-F]{8}|[0-9A-F]{32}):([0-9A-F]{4})$/.exec(text);
  if (!match) return undefined;
  const bytes = Uint8Array.from(Buffer.from(match[1] as string, 'hex'));
  for (let word = 0; word < bytes.length; word += 4) bytes.subarray(word, word + 4).reverse();
  return { address: isV4Mapped(bytes) ? bytes.slice(12) : bytes, port: Number.parseInt(match[2] as string, 16) };
}

/** The sockets of the namespace that a process is in; none when it is gone. */
export function* readSocketTable(pid: number, root = '/'): Generator<SocketEntry> {
  for (const file of ['tcp', 'tcp6']) {
    try {
      yield* parseSocketTable(readFileSync(join(root, 'proc', String(pid), 'net', file), 'latin1'));
    } catch (error) {
      if (!['ENOENT', 'ESRCH', 'EINVAL', 'EACCES'].includes(errnoOf(error) ?? '')) throw error;
    }
  }
}
