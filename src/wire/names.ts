/** Numbers of the kernel's ABI by the names that people know them by. */

import { constants } from 'node:os';

/** include/net/tcp_states.h, with the prefix that the kernel's own tracepoints print. */
const TCP_STATES: readonly (string | undefined)[] = [
  undefined,
  'TCP_ESTABLISHED',
  'TCP_SYN_SENT',
  'TCP_SYN_RECV',
  'TCP_FIN_WAIT1',
  'TCP_FIN_WAIT2',
  'TCP_TIME_WAIT',
  'TCP_CLOSE',
  'TCP_CLOSE_WAIT',
  'TCP_LAST_ACK',
  'TCP_LISTEN',
  'TCP_CLOSING',
  'TCP_NEW_SYN_RECV',
  'TCP_BOUND_INACTIVE',
];

export const tcpStateName = (state: number): string => TCP_STATES[state] ?? `TCP_STATE_${state}`;

/** From the lowest bit of the 13th byte of the TCP header up (RFC 9293 3.1). */
const TCP_FLAGS = ['FIN', 'SYN', 'RST', 'PSH', 'ACK', 'URG', 'ECE', 'CWR'];

/** `SYN|ACK`; the order is the customary one, SYN first and ACK after PSH. Empty when no flag is set. */
export const tcpFlagNames = (flags: number): string => flagTexts[flags & 0xff] ?? '';

const flagTexts: readonly string[] = Array.from({ length: 256 }, (_, flags) =>
  ['SYN', 'FIN', 'RST', 'PSH', 'ACK', 'URG', 'ECE', 'CWR']
    .filter((name) => flags & (1 << TCP_FLAGS.indexOf(name)))
    .join('|'),
);

/** The reverse of {@link tcpFlagNames}. */
export const tcpFlagBits = (names: string): number => Math.max(0, flagTexts.indexOf(names));

/** IANA protocol numbers; the names of /etc/protocols in lower case. */
const PROTOCOLS: Readonly<Record<number, string>> = {
  0: 'hopopt',
  1: 'icmp',
  2: 'igmp',
  4: 'ipip',
  6: 'tcp',
  17: 'udp',
  33: 'dccp',
  41: 'ipv6',
  47: 'gre',
  50: 'esp',
  51: 'ah',
  58: 'icmpv6',
  59: 'ipv6-nonxt',
  89: 'ospf',
  103: 'pim',
  112: 'vrrp',
  132: 'sctp',
  136: 'udplite',
  255: 'raw',
};

export const protocolName = (protocol: number): string => PROTOCOLS[protocol] ?? String(protocol);

const PROTOCOL_NUMBERS = new Map(Object.entries(PROTOCOLS).map(([number, name]) => [name, Number(number)]));

/** The reverse of {@link protocolName}; undefined for what is no IP protocol. */
export function protocolNumber(name: string): number | undefined {
  return PROTOCOL_NUMBERS.get(name) ?? (/^\d{1,3}$/.test(name) ? Number(name) : undefined);
}

const ETHERTYPES: Readonly<Record<number, string>> = {
  2054: 'arp',
  35020: 'lldp',
  34887: 'mpls',
  34915: 'pppoe',
  34916: 'pppoe',
};

/** A frame that is not IP; undefined when the skb had no EtherType yet. */
export const ethertypeName = (ethertype: number): string | undefined =>
  ethertype === 0 ? undefined : (ETHERTYPES[ethertype] ?? `0x${ethertype.toString(16).padStart(4, '0')}`);

const ERRNO_NAMES = new Map(Object.entries(constants.errno).map(([name, value]) => [value, name]));
/** include/linux/netdevice.h: positive results of dev_queue_xmit() */
const XMIT_RESULTS: Readonly<Record<number, string>> = { 1: 'NET_XMIT_DROP', 2: 'NET_XMIT_CN' };

/** `ETIMEDOUT` for 110; undefined for 0. */
export const errorName = (errno: number): string | undefined =>
  errno === 0 ? undefined : (ERRNO_NAMES.get(errno) ?? `errno ${errno}`);

/** What __tcp_retransmit_skb() returned: undefined for 0, `NET_XMIT_DROP` for 1, `EPERM` for -1. */
export function transmitErrorName(error: number): string | undefined {
  if (error === 0) return undefined;
  if (error > 0) return XMIT_RESULTS[error] ?? `NET_XMIT_${error}`;
  return errorName(-error);
}
