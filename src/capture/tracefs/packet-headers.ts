/** Addresses, ports and sequence numbers from the first bytes of a packet. */

import type { IpBytes } from '../../base/ip.ts';

export interface PacketHeaders {
  readonly family: 'ipv4' | 'ipv6';
  readonly src: IpBytes;
  readonly dst: IpBytes;
  /** IANA number. */
  readonly protocol: number;
  readonly sport?: number;
  readonly dport?: number;
  readonly tcp?: {
    readonly flags: number;
    readonly seq: number;
    readonly endSeq: number;
    readonly dataBytes: number;
    /** Absent without the flag ACK. */
    readonly ack?: number;
  };
}

const TCP = 6;
/** TCP, UDP, DCCP, SCTP, UDP-Lite begin with two ports. */
const WITH_PORTS: ReadonlySet<number> = new Set([TCP, 17, 33, 132, 136]);
const IPV6_HEADER = 40;
const TCP_HEADER = 20;
const ACK = 16;
const FRAGMENT_OFFSET = 0x1fff;

/** @param offset of the IP header @returns undefined when there is none, or not all of it is there. */
export function readHeaders(bytes: Buffer, offset: number): PacketHeaders | undefined {
  if (offset >= bytes.length) return undefined;
  const version = (bytes[offset] as number) >> 4;
  if (version === 4) return readIpv4(bytes, offset);
  return version === 6 ? readIpv6(bytes, offset) : undefined;
}

/** RFC 791 3.1 */
function readIpv4(bytes: Buffer, offset: number): PacketHeaders | undefined {
  const headerBytes = ((bytes[offset] as number) & 15) * 4;
  if (headerBytes < 20 || offset + headerBytes > bytes.length) return undefined;
  const isFirst = (bytes.readUInt16BE(offset + 6) & FRAGMENT_OFFSET) === 0;
  const protocol = bytes[offset + 9] as number;
  return {
    family: 'ipv4',
    src: Uint8Array.from(bytes.subarray(offset + 12, offset + 16)),
    dst: Uint8Array.from(bytes.subarray(offset + 16, offset + 20)),
    protocol,
    ...(isFirst ? transport(bytes, offset + headerBytes, protocol, bytes.readUInt16BE(offset + 2) - headerBytes) : {}),
  };
}

/** RFC 8200 3; extension headers are not walked: ports are then absent. */
function readIpv6(bytes: Buffer, offset: number): PacketHeaders | undefined {
  if (offset + IPV6_HEADER > bytes.length) return undefined;
  const protocol = bytes[offset + 6] as number;
  return {
    family: 'ipv6',
    src: Uint8Array.from(bytes.subarray(offset + 8, offset + 24)),
    dst: Uint8Array.from(bytes.subarray(offset + 24, offset + 40)),
    protocol,
    ...transport(bytes, offset + IPV6_HEADER, protocol, bytes.readUInt16BE(offset + 4)),
  };
}

/** @param length of the header of the transport and its data */
function transport(
  bytes: Buffer,
  at: number,
  protocol: number,
  length: number,
): Pick<PacketHeaders, 'sport' | 'dport' | 'tcp'> {
  if (!WITH_PORTS.has(protocol) || at + 4 > bytes.length) return {};
  const ports = { sport: bytes.readUInt16BE(at), dport: bytes.readUInt16BE(at + 2) };
  if (protocol !== TCP || at + TCP_HEADER > bytes.length) return ports;
  const flags = bytes[at + 13] as number;
  const seq = bytes.readUInt32BE(at + 4);
  const dataBytes = Math.max(0, length - ((bytes[at + 12] as number) >> 4) * 4);
  // SYN and FIN take a sequence number each
  const endSeq = (seq + dataBytes + (flags & 1) + ((flags >> 1) & 1)) >>> 0;
  const ack = flags & ACK ? { ack: bytes.readUInt32BE(at + 8) } : {};
  return { ...ports, tcp: { flags, seq, endSeq, dataBytes, ...ack } };
}
