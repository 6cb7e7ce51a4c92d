/** The kernel's own tracepoints as ftrace records them: their fields are where each event's format says (tracefs, `format`). */

import { type IpBytes, isV4Mapped } from '../../base/ip.ts';
import type { DropEvent, PacketEvent, ResetEvent, RetransmitEvent } from '../../event/kinds.ts';
import type { TraceFormat } from '../../linux/tracefs.ts';
import { classOf } from '../../wire/drop-class.ts';
import { ethertypeName, tcpStateName, transmitErrorName } from '../../wire/names.ts';
import { TraceFields } from './trace-fields.ts';

/** What a tracepoint tells but for its time. */
export type TraceEvent = Omit<RetransmitEvent, 'time'> | Omit<DropEvent, 'time'> | Omit<ResetEvent, 'time'>;

/** What is asked of the running kernel to name what an event has as a number. */
export interface Naming {
  dropReason(code: number): { reason: string; subsystem?: string };
  resetReason(code: number): string;
  symbol(address: bigint): string | undefined;
}

export interface Tracepoint {
  readonly group: string;
  readonly event: string;
  /** Only recorded when drops are asked for. */
  readonly drops?: true;
  /** Ends the sentence "without it …". */
  readonly without: string;
  decode(fields: TraceFields, naming: Naming): TraceEvent;
}

export const TRACEPOINTS: readonly Tracepoint[] = [
  {
    group: 'tcp',
    event: 'tcp_retransmit_skb',
    without: 'no retransmission is seen',
    decode: (fields) => {
      const state = fields.number('state') ?? 0;
      const failed = transmitErrorName(fields.number('err') ?? 0);
      return {
        kind: 'retransmit',
        ...socketFlow(fields),
        cause: tcpStateName(state) === 'TCP_SYN_SENT' ? 'syn' : 'unknown',
        ...(failed === undefined ? {} : { failed }),
        ...stateField(state),
      };
    },
  },
  {
    group: 'tcp',
    event: 'tcp_retransmit_synack',
    without: 'no SYN-ACK retransmission is seen',
    decode: (fields) => ({ kind: 'retransmit', ...socketFlow(fields), cause: 'syn-ack' }),
  },
  {
    group: 'skb',
    event: 'kfree_skb',
    drops: true,
    without: 'no drop is seen',
    decode: decodeDrop,
  },
  {
    group: 'tcp',
    event: 'tcp_send_reset',
    without: 'no sent reset is seen',
    decode: (fields, naming) => {
      const reason = fields.number('reason');
      return {
        kind: 'reset',
        ...(fields.has('sport') ? socketFlow(fields) : endpointFlow(fields)),
        direction: 'sent',
        ...(reason === undefined ? {} : { reason: naming.resetReason(reason) }),
        ...stateField(fields.number('state') ?? 0),
      };
    },
  },
  {
    group: 'tcp',
    event: 'tcp_receive_reset',
    without: 'no received reset is seen',
    decode: (fields) => {
      const cookie = fields.u64('sock_cookie') ?? 0n;
      return {
        kind: 'reset',
        ...socketFlow(fields),
        ...(cookie === 0n ? {} : { socketCookie: cookie }),
        direction: 'received',
      };
    },
  },
];

/** ETH_P_IP and ETH_P_IPV6 */
const FAMILIES: Readonly<Record<number, 'ipv4' | 'ipv6'>> = { 2048: 'ipv4', 34525: 'ipv6' };

function decodeDrop(fields: TraceFields, naming: Naming): Omit<DropEvent, 'time'> {
  const ethertype = fields.number('protocol') ?? 0;
  const family = FAMILIES[ethertype];
  const protocol = family ? undefined : ethertypeName(ethertype);
  const code = fields.number('reason');
  const reason = code === undefined ? undefined : naming.dropReason(code);
  const location = naming.symbol(fields.u64('location') ?? 0n);
  const facts = {
    reason: reason?.reason,
    location,
    dst: undefined,
    protocol,
    tcp: undefined,
    onNetwork: ethertype !== 0,
  };
  return {
    kind: 'drop',
    ...(family ? { family } : {}),
    ...reason,
    ...(location === undefined ? {} : { location }),
    class: classOf(facts),
    ...(protocol === undefined ? {} : { protocol }),
  };
}

const stateField = (state: number): { state?: string } => (state === 0 ? {} : { state: tcpStateName(state) });

type Flow = Pick<PacketEvent, 'family' | 'src' | 'sport' | 'dst' | 'dport'>;

/** The two ends as the socket has them. The IPv6 fields hold IPv4 addresses too, mapped. */
function socketFlow(fields: TraceFields): Flow {
  const src = fields.bytes('saddr_v6');
  const dst = fields.bytes('daddr_v6');
  const ports = { sport: fields.number('sport'), dport: fields.number('dport') };
  if (!src || !dst || ports.sport === undefined || ports.dport === undefined) return {};
  return flowOf(unmapped(src), ports.sport, unmapped(dst), ports.dport);
}

const AF_INET = 2;
const AF_INET6 = 10;

/** struct sockaddr_in or sockaddr_in6 in `saddr` and `daddr`, since Linux 6.10. */
function endpointFlow(fields: TraceFields): Flow {
  const src = endpointOf(fields.bytes('saddr'));
  const dst = endpointOf(fields.bytes('daddr'));
  return src && dst ? flowOf(src.address, src.port, dst.address, dst.port) : {};
}

function endpointOf(sockaddr: Buffer | undefined): { address: IpBytes; port: number } | undefined {
  if (!sockaddr) return undefined;
  const family = sockaddr.readUInt16LE(0);
  const port = sockaddr.readUInt16BE(2);
  if (family === AF_INET) return { address: Uint8Array.from(sockaddr.subarray(4, 8)), port };
  return family === AF_INET6 ? { address: unmapped(sockaddr.subarray(8, 24)), port } : undefined;
}

const flowOf = (src: IpBytes, sport: number, dst: IpBytes, dport: number): Flow => ({
  family: dst.length === 4 ? 'ipv4' : 'ipv6',
  src,
  sport,
  dst,
  dport,
});

// A copy: the page is used again.
const unmapped = (address: Buffer): IpBytes => Uint8Array.from(isV4Mapped(address) ? address.subarray(12) : address);

/** The fields of an event of that format, to be pointed at one event after the other. */
export const fieldsOf = (format: TraceFormat): TraceFields => new TraceFields(format.fields);
