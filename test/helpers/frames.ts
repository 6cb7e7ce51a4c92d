/** Ethernet frames byte by byte, for packets that no socket makes. */

import type { Host } from '../../lab/host.ts';
import { parseIp } from '../../src/base/ip.ts';

export const ICMP = 1;
export const TCP = 6;
export const UDP = 17;

export const FIN = 1;
export const SYN = 2;
export const RST = 4;
export const PSH = 8;
export const ACK = 16;

export const be16 = (value: number): number[] => [(value >> 8) & 0xff, value & 0xff];
export const be32 = (value: number): number[] => [...be16(value >>> 16), ...be16(value)];
export const ipBytes = (ip: string): number[] => [...(parseIp(ip) as Uint8Array)];
const macBytes = (mac: string): number[] => mac.split(':').map((byte) => Number.parseInt(byte, 16));

/** `bytes` bytes of payload. */
export const filler = (bytes: number): number[] => Array<number>(bytes).fill(65);

/** RFC 1071. */
function checksum(bytes: readonly number[]): number {
  let sum = 0;
  for (let i = 0; i < bytes.length; i += 2) sum += ((bytes[i] as number) << 8) | (bytes[i + 1] ?? 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
  return ~sum & 0xffff;
}

/** `payload` begins with the EtherType. */
export function ethernet(from: Host, toMac: string, payload: readonly number[]): Uint8Array {
  return Uint8Array.from([...macBytes(toMac), ...macBytes(from.mac), ...payload]);
}

export interface Ipv4Options {
  src: string;
  dst: string;
  protocol: number;
  /** Flags and offset. Default: not a fragment. */
  fragment?: number;
  id?: number;
  /** A multiple of 4 bytes. */
  options?: readonly number[];
}

/** From the EtherType on. */
export function ipv4(packet: Ipv4Options, payload: readonly number[]): number[] {
  const { src, dst, protocol, fragment = 0, id = 1, options = [] } = packet;
  const length = 20 + options.length;
  const begin = [0x40 | (length >> 2), 0, ...be16(length + payload.length), ...be16(id), ...be16(fragment)];
  const header = [...begin, 64, protocol, 0, 0, ...ipBytes(src), ...ipBytes(dst), ...options];
  header.splice(10, 2, ...be16(checksum(header)));
  return [0x08, 0x00, ...header, ...payload];
}

/** From the EtherType on; `next` is the protocol of the first header of `payload`. */
export function ipv6(src: string, dst: string, next: number, payload: readonly number[]): number[] {
  return [0x86, 0xdd, 0x60, 0, 0, 0, ...be16(payload.length), next, 64, ...ipBytes(src), ...ipBytes(dst), ...payload];
}

/** Checksum 0: IPv4 takes it as none; over IPv6 it is wrong. */
export function udp(sport: number, dport: number, payload: readonly number[]): number[] {
  return [...be16(sport), ...be16(dport), ...be16(8 + payload.length), 0, 0, ...payload];
}

export interface TcpOptions {
  sport: number;
  dport: number;
  seq: number;
  flags: number;
  payload?: readonly number[];
  /** What the checksum is off by. Default: nothing. */
  checksumError?: number;
}

export function tcp(src: string, dst: string, options: TcpOptions): number[] {
  const { sport, dport, seq, flags, payload = [], checksumError = 0 } = options;
  const window = be16(1000);
  const segment = [...be16(sport), ...be16(dport), ...be32(seq), ...be32(0), 0x50, flags, ...window, 0, 0, 0, 0];
  segment.push(...payload);
  const length = be32(segment.length);
  const sum = checksum([...ipBytes(src), ...ipBytes(dst), ...length, 0, 0, 0, TCP, ...segment]);
  segment.splice(16, 2, ...be16(sum ^ checksumError));
  return segment;
}

export function icmp(type: number, payload: readonly number[]): number[] {
  const message = [type, 0, 0, 0, ...payload];
  message.splice(2, 2, ...be16(checksum(message)));
  return message;
}
