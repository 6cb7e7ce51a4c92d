/** The events that a trace log may hold, by what stands in their text. */

import { type IpBytes, isV4Mapped, parseIp } from '../../base/ip.ts';
import type { DropEvent, PacketEvent, ResetEvent, RetransmitEvent } from '../../event/kinds.ts';
import { classOf } from '../../wire/drop-class.ts';
import { ethertypeName, tcpStateName, transmitErrorName } from '../../wire/names.ts';
import { BadField, integerOf, parseFields, type TextFields } from './fields.ts';
import type { TraceLine } from './line.ts';

/** Byte order of the machine that wrote the log: raw values of a socket are printed as if they were of its own order. */
export type Endian = 'little' | 'big';

type Untimed<E extends PacketEvent> = Omit<E, 'time'>;
/** What a line tells but for its time. */
export type LogEvent = Untimed<RetransmitEvent> | Untimed<DropEvent> | Untimed<ResetEvent>;

type Flow = Pick<PacketEvent, 'family' | 'src' | 'sport' | 'dst' | 'dport'>;
type Decode = (fields: TextFields, endian: Endian) => LogEvent;

/**
 * @returns undefined for a line that is of something else
 * @throws BadField when it is one of ours and broken
 */
export function decodeLine({ name, text }: TraceLine, endian: Endian): LogEvent | undefined {
  const decode = decoderOf(name, text);
  return decode?.(parseFields(text), endian);
}

/**
 * A probe's text begins with its place: `(tcp_retransmit_skb+0x0/0xc0)`, an address in trace-cmd and perf, which then leaves
 * the name of the probe to tell what it is; that of a return probe is `(… <- …)`.
 */
const PLACE = /^\((?:(\w+)\+0x[0-9a-f]+\/0x[0-9a-f]+|[0-9a-f]{8,16})\) /;
/** A message of a BPF program or of trace_marker names the event itself. */
const MESSAGE = /^(tcp_retransmit|tcp_drop|skb_drop)\b(?=.*=)/;
const RESENDING = /^(?:__)?tcp_retransmit(?:_skb)?$/;
const DROPPING = /^(?:tcp_drop|skb_drop|kfree_skb(?:_reason)?|sk_skb_reason_drop|__kfree_skb)$/;

function decoderOf(name: string, text: string): Decode | undefined {
  const place = PLACE.exec(text);
  if (place) {
    if (!text.includes(' port=')) return undefined;
    const about = place[1] ?? name;
    if (RESENDING.test(about)) return rawRetransmit;
    return DROPPING.test(about) ? rawDrop : undefined;
  }
  const tracepoint = Object.hasOwn(TRACEPOINTS, name) ? TRACEPOINTS[name] : undefined;
  if (tracepoint) return tracepoint;
  const message = MESSAGE.exec(text)?.[1];
  if (message === undefined) return undefined;
  return message === 'tcp_retransmit' ? rawRetransmit : rawDrop;
}

const MAX_U32 = 0xffff_ffff;

/** `port=37897 dst=831376843 state=1`: skc_dport and skc_daddr as they lie in the socket, in network byte order. */
function rawFlow(fields: TextFields, endian: Endian): Flow {
  const dport = rawPort(required(integerOf(fields, 'port', 0, 0xffff), 'port'), endian);
  const dst = rawAddress(required(integerOf(fields, 'dst', -0x8000_0000, MAX_U32), 'dst'), endian);
  const src = rawAddress(integerOf(fields, 'src', -0x8000_0000, MAX_U32) ?? 0, endian);
  const sport = integerOf(fields, 'sport', 0, 0xffff);
  return {
    ...(dst ? { family: 'ipv4' as const } : {}),
    ...(src ? { src } : {}),
    ...(sport ? { sport } : {}),
    ...(dst ? { dst } : {}),
    dport,
  };
}

const rawPort = (value: number, endian: Endian): number =>
  endian === 'big' ? value : ((value & 0xff) << 8) | (value >> 8);

/** 0 is the address of an IPv6 socket, or of none; `%d` prints addresses above 127 as negative numbers. */
function rawAddress(value: number, endian: Endian): IpBytes | undefined {
  if (value === 0) return undefined;
  const bytes = Uint8Array.of(value & 0xff, (value >>> 8) & 0xff, (value >>> 16) & 0xff, (value >>> 24) & 0xff);
  return endian === 'big' ? bytes.reverse() : bytes;
}

const rawRetransmit: Decode = (fields, endian) => {
  const state = rawState(fields);
  return { kind: 'retransmit', ...rawFlow(fields, endian), cause: causeOf(state), ...stateField(state) };
};

const rawDrop: Decode = (fields, endian) => drop({ ...rawFlow(fields, endian), protocol: 'tcp' }, fields);

function rawState(fields: TextFields): string | undefined {
  const state = integerOf(fields, 'state', 0, 255);
  return state ? tcpStateName(state) : undefined;
}

const TRACEPOINTS: Readonly<Record<string, Decode>> = {
  tcp_retransmit_skb: (fields) => {
    const state = stateOf(fields);
    const failed = transmitErrorName(integerOf(fields, 'err', -4095, 4095) ?? 0);
    return {
      kind: 'retransmit',
      ...socketFlow(fields),
      cause: causeOf(state),
      ...(failed === undefined ? {} : { failed }),
      ...stateField(state),
    };
  },
  tcp_retransmit_synack: (fields) => ({ kind: 'retransmit', ...socketFlow(fields), cause: 'syn-ack' }),
  tcp_send_reset: (fields) => ({
    kind: 'reset',
    ...(fields.has('src') ? endpointFlow(fields) : socketFlow(fields)),
    direction: 'sent',
    ...reasonField(fields),
    ...stateField(stateOf(fields)),
  }),
  tcp_receive_reset: (fields) => {
    const cookie = fields.get('sock_cookie');
    if (cookie !== undefined && !/^[0-9a-f]{1,16}$/.test(cookie)) throw new BadField(`sock_cookie is "${cookie}"`);
    const socketCookie = cookie === undefined ? 0n : BigInt(`0x${cookie}`);
    return {
      kind: 'reset',
      ...(fields.has('src') ? endpointFlow(fields) : socketFlow(fields)),
      ...(socketCookie === 0n ? {} : { socketCookie }),
      direction: 'received',
      ...stateField(stateOf(fields)),
    };
  },
  kfree_skb: (fields) => {
    const ethertype = required(integerOf(fields, 'protocol', 0, 0xffff), 'protocol');
    const family = FAMILIES[ethertype];
    const protocol = family ? undefined : ethertypeName(ethertype);
    return drop({ ...(family ? { family } : {}), ...(protocol === undefined ? {} : { protocol }) }, fields, ethertype);
  },
};

/** ETH_P_IP and ETH_P_IPV6 */
const FAMILIES: Readonly<Record<number, 'ipv4' | 'ipv6'>> = { 2048: 'ipv4', 34525: 'ipv6' };

function drop(known: Partial<Untimed<DropEvent>>, fields: TextFields, ethertype = 0): Untimed<DropEvent> {
  const { reason } = reasonField(fields);
  const location = locationOf(fields.get('location'));
  const facts = { reason, location, dst: known.dst, protocol: known.protocol, tcp: undefined };
  return {
    kind: 'drop',
    ...known,
    ...(reason === undefined ? {} : { reason }),
    ...(location === undefined ? {} : { location }),
    class: classOf({ ...facts, onNetwork: ethertype !== 0 || known.protocol !== undefined }),
  };
}

/**
 * `sym+0x1/0x2` of kernels since 6.12 → `sym+0x1`. Before that an address: of 5.10 the real one (kept, since only that very
 * kernel can name it), later a hash that means nothing.
 */
function locationOf(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  if (/^[\w.]+\+0x[0-9a-f]+\/0x[0-9a-f]+$/.test(text)) return text.slice(0, text.indexOf('/'));
  return /^ffff[0-9a-f]{12}$/.test(text) ? `0x${text}` : undefined;
}

const reasonField = (fields: TextFields): { reason?: string } => {
  const reason = fields.get('reason');
  if (reason === undefined) return {};
  if (!/^[\w-]+$/.test(reason)) throw new BadField(`reason is "${reason}"`);
  return { reason };
};

/** The two ends as the socket has them; the IPv6 form holds IPv4 addresses too (mapped), on every kernel. */
function socketFlow(fields: TextFields): Flow {
  const src = addressOf(fields, 'saddr');
  const dst = addressOf(fields, 'daddr');
  return {
    family: dst.length === 4 ? 'ipv4' : 'ipv6',
    src,
    sport: required(integerOf(fields, 'sport', 0, 0xffff), 'sport'),
    dst,
    dport: required(integerOf(fields, 'dport', 0, 0xffff), 'dport'),
  };
}

function addressOf(fields: TextFields, key: 'saddr' | 'daddr'): IpBytes {
  const text = required(fields.get(`${key}v6`) ?? fields.get(key), key);
  // Most are mapped; the IPv4 part alone is read in a fraction of the time.
  const address = text.startsWith('::ffff:') ? parseIp(text.slice('::ffff:'.length)) : undefined;
  return address ?? unmapped(parseIp(text) ?? bad(key, text));
}

const unmapped = (address: IpBytes): IpBytes => (isV4Mapped(address) ? address.slice(12) : address);

const bad = (key: string, text: string): never => {
  throw new BadField(`${key} is "${text}"`);
};

/** `src=10.9.0.1:48020 dest=[fd00::2]:5001` of kernels since 6.12 (`%pISpc`). */
function endpointFlow(fields: TextFields): Flow {
  const src = endpointOf(fields, 'src');
  const dest = endpointOf(fields, 'dest');
  if (src === undefined || dest === undefined) return {};
  const family = dest.address.length === 4 ? 'ipv4' : 'ipv6';
  return { family, src: src.address, sport: src.port, dst: dest.address, dport: dest.port };
}

const ENDPOINT = /^(?:\[([0-9a-f:.]+)\]|([\d.]+)):(\d{1,5})$/i;

/** Undefined where the kernel had no packet to read it from and prints a socket address of no family. */
function endpointOf(fields: TextFields, key: 'src' | 'dest'): { address: IpBytes; port: number } | undefined {
  const text = required(fields.get(key), key);
  if (text === '(efault)' || text === '(einval)' || text === '[pointer') return undefined;
  const [, v6, v4, port] = ENDPOINT.exec(text) ?? bad(key, text);
  const address = parseIp((v6 ?? v4) as string) ?? bad(key, text);
  return Number(port) > 0xffff ? bad(key, text) : { address: unmapped(address), port: Number(port) };
}

/** By name, or by number where the kernel that wrote a binary log was not asked for the names. */
function stateOf(fields: TextFields): string | undefined {
  const text = fields.get('state');
  if (text === undefined || text === 'UNKNOWN' || text === '0') return undefined;
  if (/^TCP_\w+$/.test(text)) return text;
  return rawState(fields);
}

const stateField = (state: string | undefined): { state?: string } => (state === undefined ? {} : { state });

/** More than that a trace log does not tell: the fields of congestion control are not in it. */
const causeOf = (state: string | undefined): RetransmitEvent['cause'] => (state === 'TCP_SYN_SENT' ? 'syn' : 'unknown');

function required<T>(value: T | undefined, key: string): T {
  if (value === undefined) throw new BadField(`${key} is missing`);
  return value;
}
