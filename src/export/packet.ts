/**
 * The packet of an event: its first bytes where they were captured, else its headers, rebuilt from what was recorded. Bytes end where knowledge ends: a reader of the file
 * sees a packet that was cut there, as by a snap length.
 */

import type { IpBytes } from '../base/ip.ts';
import type { CapturedPacket, DropEvent, Event, RetransmitEvent } from '../event/kinds.ts';
import { protocolNumber, tcpFlagBits } from '../wire/names.ts';

export interface Packet {
  /** The header that the bytes begin with. */
  readonly begin: CapturedPacket['begin'];
  readonly bytes: Uint8Array;
  /** Bytes that the packet had from there on, as far as that is known. */
  readonly length: number;
  readonly direction: 'in' | 'out' | undefined;
}

const TCP = 6;
const IPV4_HEADER = 20;
const IPV6_HEADER = 40;
const TCP_HEADER = 20;
const FIN = 1;
const SYN = 2;
const RST = 4;
const ACK = 16;
/** Not recorded; what Linux sends with (net.ipv4.ip_default_ttl). */
const HOP_LIMIT = 64;
const MAX_LENGTH = 0xffff;
/** What an skb can hold (BIG TCP: 512 KiB); more comes of a damaged header. */
const MAX_DATA = 0x8_0000;

/** What lies behind the IP header: what is known of it, and how long it was. */
interface Payload {
  protocol: number;
  bytes: Uint8Array;
  length: number;
}

/** The packet that the event is about; undefined when it is about none, or about a frame that is neither captured nor IP. */
export function packetOf(event: Event): Packet | undefined {
  switch (event.kind) {
    case 'retransmit':
      return packet(event.src, event.dst, retransmitted(event), 'out');
    case 'drop':
      if (event.packet) return { ...event.packet, direction: WAYS[event.direction ?? 'forward'] };
      return packet(event.src, event.dst, dropped(event), WAYS[event.direction ?? 'forward']);
    case 'reset':
      return event.direction === 'sent'
        ? packet(event.src, event.dst, tcp(event.sport, event.dport, 0, RST, 0), 'out')
        : packet(event.dst, event.src, tcp(event.dport, event.sport, 0, RST, 0), 'in');
    default:
      return undefined;
  }
}

const WAYS = { rx: 'in', tx: 'out', forward: undefined } as const;

function packet(
  src: IpBytes | undefined,
  dst: IpBytes | undefined,
  payload: Payload | undefined,
  direction: Packet['direction'],
): Packet | undefined {
  if (!src || !dst || !payload) return undefined;
  const header = src.length === 4 ? ipv4(src, dst, payload) : ipv6(src, dst, payload);
  return {
    begin: 'ip',
    bytes: Buffer.concat([header, payload.bytes]),
    length: header.length + Math.max(payload.length, payload.bytes.length),
    direction,
  };
}

function retransmitted({ cause, sport, dport, seq, endSeq, ack, bytes }: RetransmitEvent): Payload {
  const dataBytes = bytes ?? 0;
  // FIN takes a sequence number of its own; whether PSH was set is not recorded.
  const hasFin = seq !== undefined && endSeq !== undefined && (endSeq - seq) >>> 0 > dataBytes;
  const flags = cause === 'syn' ? SYN : cause === 'syn-ack' ? SYN | ACK : hasFin ? FIN | ACK : ACK;
  return tcp(sport, dport, seq, flags, dataBytes, ack);
}

function dropped(event: DropEvent): Payload | undefined {
  const { protocol: name, sport, dport, seq, endSeq, ack, tcpFlags, length = 0 } = event;
  const protocol = name === undefined ? undefined : protocolNumber(name);
  if (protocol === undefined) return undefined;
  if (protocol !== TCP || seq === undefined || endSeq === undefined) {
    return { protocol, bytes: ports(sport, dport), length };
  }
  const flags = tcpFlagBits(tcpFlags ?? '');
  const dataBytes = (endSeq - seq - (flags & 1) - ((flags >> 1) & 1)) >>> 0;
  return tcp(sport, dport, seq, flags, dataBytes > MAX_DATA ? 0 : dataBytes, ack);
}

function ports(sport: number | undefined, dport: number | undefined): Uint8Array {
  if (sport === undefined || dport === undefined) return new Uint8Array();
  return Uint8Array.of(sport >> 8, sport & 0xff, dport >> 8, dport & 0xff);
}

/** RFC 9293 3.1. Cut behind the ports where the sequence number is not known. */
function tcp(
  sport: number | undefined,
  dport: number | undefined,
  seq: number | undefined,
  flags: number,
  dataBytes: number,
  ack = 0,
): Payload {
  const length = TCP_HEADER + dataBytes;
  const known = ports(sport, dport);
  if (known.length === 0 || seq === undefined) return { protocol: TCP, bytes: known, length };
  const bytes = Buffer.alloc(TCP_HEADER);
  bytes.set(known);
  bytes.writeUInt32BE(seq, 4);
  bytes.writeUInt32BE(ack, 8);
  bytes[12] = (TCP_HEADER / 4) << 4;
  bytes[13] = flags;
  return { protocol: TCP, bytes, length };
}

/** RFC 791 3.1. A length that does not fit the field (BIG TCP) is 0 there, as the kernel writes it. */
function ipv4(src: IpBytes, dst: IpBytes, { protocol, length }: Payload): Uint8Array {
  const header = Buffer.alloc(IPV4_HEADER);
  const total = IPV4_HEADER + length;
  header[0] = 0x45;
  header.writeUInt16BE(total > MAX_LENGTH ? 0 : total, 2);
  header[8] = HOP_LIMIT;
  header[9] = protocol;
  header.set(src, 12);
  header.set(dst, 16);
  header.writeUInt16BE(checksum(header), 10);
  return header;
}

/** RFC 8200 3. */
function ipv6(src: IpBytes, dst: IpBytes, { protocol, length }: Payload): Uint8Array {
  const header = Buffer.alloc(IPV6_HEADER);
  header[0] = 0x60;
  header.writeUInt16BE(length > MAX_LENGTH ? 0 : length, 4);
  header[6] = protocol;
  header[7] = HOP_LIMIT;
  header.set(src, 8);
  header.set(dst, 24);
  return header;
}

/** RFC 1071: the ones' complement of the ones' complement sum of the 16-bit words. */
function checksum(header: Buffer): number {
  let sum = 0;
  for (let i = 0; i < header.length; i += 2) sum += header.readUInt16BE(i);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}
