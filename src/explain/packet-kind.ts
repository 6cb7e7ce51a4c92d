/** What a dropped packet was. */

import type { Dropped } from './facts.ts';

/** `data`, `SYN`, `SYN-ACK`, `acknowledgement`, `RST`, `tcp` where the flags are not known, or the protocol. */
export type PacketKind = string;

/** What the flags alone tell; undefined where it depends on the data. */
const byFlags = new Map<string, PacketKind | undefined>();

export function packetKind({ protocol, tcpFlags, range }: Dropped): PacketKind {
  if (protocol !== 'tcp') return protocol ?? 'packet';
  if (tcpFlags === undefined) return 'tcp';
  if (!byFlags.has(tcpFlags)) byFlags.set(tcpFlags, kindOf(tcpFlags));
  return byFlags.get(tcpFlags) ?? (range && range.begin !== range.end ? 'data' : 'acknowledgement');
}

function kindOf(flags: string): PacketKind | undefined {
  if (flags.includes('RST')) return 'RST';
  if (!flags.includes('SYN')) return undefined;
  return flags.includes('ACK') ? 'SYN-ACK' : 'SYN';
}
