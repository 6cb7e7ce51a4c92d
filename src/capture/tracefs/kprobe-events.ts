/** What the kprobe events of kprobe-definitions.ts tell, and how an entry and a return of a function make one event. */

import type { IpBytes } from '../../base/ip.ts';
import {
  CA_STATES,
  type DropEvent,
  type PacketEvent,
  type ResetEvent,
  type RetransmitEvent,
} from '../../event/kinds.ts';
import { causeOf } from '../../wire/cause.ts';
import { classOf } from '../../wire/drop-class.ts';
import { ethertypeName, protocolName, tcpFlagNames, tcpStateName, transmitErrorName } from '../../wire/names.ts';
import { type PacketHeaders, readHeaders } from './packet-headers.ts';
import type { FieldValues } from './trace-fields.ts';
import type { Naming, TraceEvent } from './tracepoints.ts';

const AF_INET = 2;
const AF_INET6 = 10;
/** TCP_INFINITE_SSTHRESH, include/net/tcp.h */
const INFINITE_SSTHRESH = 0x7fff_ffff;

/** What each CPU is in the middle of: calls of functions that have not returned. A softirq nests over a task. */
export class CallStacks {
  readonly #calls = new Map<number, { name: string; event: TraceEvent | undefined }[]>();

  enter(cpu: number, name: string, event: TraceEvent | undefined): void {
    const calls = this.#calls.get(cpu) ?? [];
    this.#calls.set(cpu, calls);
    calls.push({ name, event });
    // Entries whose returns were lost.
    if (calls.length > 8) calls.shift();
  }

  /** @returns the event of the call that returns, and the calls that it was made in */
  leave(cpu: number, name: string): { event: TraceEvent | undefined; within: readonly string[] } | undefined {
    const calls = this.#calls.get(cpu) ?? [];
    const at = calls.findLastIndex((call) => call.name === name);
    if (at < 0) return undefined;
    const [call] = calls.splice(at);
    return { event: call?.event, within: calls.map((outer) => outer.name) };
  }
}

/** What names the numbers of a kprobe event. */
export interface ProbeNaming extends Pick<Naming, 'dropReason' | 'symbol'> {
  /** Length of a jiffy; absent where it is not known. */
  readonly jiffyMs?: number;
}

/** Functions whose return is probed too: only it tells whether the segment was sent. */
const CALLS: ReadonlySet<string> = new Set(['tcp_retransmit', 'tcp_resend', 'tcp_synack']);
const END = '_end';

/** @returns what an event of the group tells; undefined while its call goes on, and for what is none. */
export function decodeKprobe(
  event: string,
  cpu: number,
  fields: FieldValues,
  naming: ProbeNaming,
  calls: CallStacks,
): TraceEvent | undefined {
  if (event.endsWith(END)) return ended(calls.leave(cpu, event.slice(0, -END.length)), fields);
  const told = decodeEntry(event, fields, naming);
  return CALLS.has(event) ? void calls.enter(cpu, event, told) : told;
}

/** What the entry of a function tells by itself. */
export function decodeEntry(event: string, fields: FieldValues, naming: ProbeNaming): TraceEvent | undefined {
  switch (event) {
    case 'tcp_retransmit':
    case 'tcp_resend':
      return retransmit(fields, naming.jiffyMs);
    case 'tcp_synack':
      return { kind: 'retransmit', ...sockFields(fields), cause: 'syn-ack', ...stateField(fields) };
    case 'tcp_reset':
      return { kind: 'reset', ...sockFields(fields), direction: 'received', ...stateField(fields) };
    case 'tcp_reset_active':
      return { kind: 'reset', ...sockFields(fields), direction: 'sent', ...stateField(fields) };
    case 'tcp_reset_v4':
    case 'tcp_reset_v6':
      return answeredReset(fields);
    default:
      return drop(fields, naming);
  }
}

/** One resend is told once: by the outermost call, with what that returned. */
function ended(call: ReturnType<CallStacks['leave']>, fields: FieldValues): TraceEvent | undefined {
  if (call?.event?.kind !== 'retransmit') return undefined;
  if (call.within.includes('tcp_retransmit')) return undefined;
  const failed = transmitErrorName(fields.number('ret') ?? 0);
  return failed === undefined ? call.event : { ...call.event, failed };
}

function retransmit(fields: FieldValues, jiffyMs: number | undefined): Omit<RetransmitEvent, 'time'> {
  const number = (name: string): number | undefined => fields.number(name);
  const state = number('state') ?? 0;
  const caState = number('castate');
  const pending = number('pending');
  const [out, sacked, lost, resent] = ['packetsout', 'sackedout', 'lostout', 'retransout'].map(number);
  const inFlight = (out ?? 0) - (sacked ?? 0) - (lost ?? 0) + (resent ?? 0);
  const [srtt = 0, ssthresh = INFINITE_SSTHRESH, rto] = ['srtt', 'ssthresh', 'rto'].map(number);
  return {
    kind: 'retransmit',
    ...sockFields(fields),
    cause: caState === undefined || pending === undefined ? 'unknown' : causeOf(state, caState, pending),
    ...stateField(fields),
    ...known('caState', CA_STATES[caState ?? -1]),
    ...known('seq', seqOf(fields)),
    ...(srtt === 0 ? {} : { srttUs: srtt >>> 3 }),
    ...(rto === undefined || jiffyMs === undefined ? {} : { rtoMs: Math.round(rto * jiffyMs) }),
    ...known('cwnd', number('cwnd')),
    ...(ssthresh < INFINITE_SSTHRESH ? { ssthresh } : {}),
    ...(out === undefined ? {} : { inFlight }),
    ...known('retransmits', number('retransmits')),
    ...known('ack', number('ack') || undefined),
  };
}

/** The kernel cuts off what was acknowledged meanwhile before it resends: what begins before that is not known. */
function seqOf(fields: FieldValues): number | undefined {
  const seq = fields.number('seq');
  const una = fields.number('una');
  return seq === undefined || una === undefined || ((seq - una) | 0) < 0 ? undefined : seq;
}

type Ends = Pick<
  PacketEvent,
  'family' | 'src' | 'sport' | 'dst' | 'dport' | 'netns' | 'uid' | 'socketInode' | 'socketCookie'
>;

function sockFields(fields: FieldValues): Ends {
  const family = fields.number('family');
  const isV4 = family === AF_INET;
  const dst = isV4 ? rawBytes(fields, 'dst') : family === AF_INET6 ? v6Bytes(fields, 'dst6') : undefined;
  const src = isV4 ? rawBytes(fields, 'src') : family === AF_INET6 ? v6Bytes(fields, 'src6') : undefined;
  const port = fields.bytes('port');
  const cookie = fields.u64('cookie') ?? 0n;
  return {
    ...(dst ? { family: dst.length === 4 ? 'ipv4' : 'ipv6' } : {}),
    ...known('src', src),
    ...known('sport', fields.number('sport')),
    ...known('dst', dst),
    ...known('dport', port?.readUInt16BE(0)),
    ...socketPlace(fields, 'netns', 'inode'),
    ...known('uid', fields.number('uid')),
    ...(cookie === 0n ? {} : { socketCookie: cookie }),
  };
}

function socketPlace(
  fields: FieldValues,
  netnsName: string,
  inodeName: string,
): Pick<PacketEvent, 'netns' | 'socketInode'> {
  const netns = fields.number(netnsName) ?? 0;
  const inode = fields.u64(inodeName) ?? 0n;
  return { ...(netns === 0 ? {} : { netns }), ...(inode === 0n ? {} : { socketInode: inode }) };
}

/** Bytes as they lie in memory: the kernel fetched them as a number of its own order, and wrote it so. */
const rawBytes = (fields: FieldValues, name: string): IpBytes | undefined => {
  const bytes = fields.bytes(name);
  return bytes && Uint8Array.from(bytes);
};

const MAPPED = 0xffff_0000_0000_0000n;

function v6Bytes(fields: FieldValues, name: string): IpBytes | undefined {
  const high = fields.bytes(name);
  const low = fields.bytes(`${name}low`);
  if (!high || !low) return undefined;
  const isMapped =
    high.every((byte) => byte === 0) && (low.readBigUInt64BE(0) & MAPPED) === 0n && low.readUInt32BE(0) === 0xffff;
  return isMapped ? Uint8Array.from(low.subarray(4)) : Uint8Array.from([...high, ...low]);
}

const stateField = (fields: FieldValues): { state?: string } => {
  const state = fields.number('state') ?? 0;
  return state === 0 ? {} : { state: tcpStateName(state) };
};

function headersOf(fields: FieldValues): PacketHeaders | undefined {
  const head = fields.bytes('head');
  const network = fields.number('network');
  return head && network !== undefined ? readHeaders(head, network) : undefined;
}

/** The RST goes back to where the packet came from. */
function answeredReset(fields: FieldValues): Omit<ResetEvent, 'time'> {
  const headers = headersOf(fields);
  const ends = headers
    ? {
        family: headers.family,
        src: headers.dst,
        ...known('sport', headers.dport),
        dst: headers.src,
        ...known('dport', headers.sport),
      }
    : {};
  const { netns } = socketPlace(fields, 'netns', 'inode');
  return { kind: 'reset', ...ends, ...known('netns', netns), direction: 'sent' };
}

/** @returns undefined for a skb that somebody else still holds, and for one that was consumed. */
function drop(fields: FieldValues, naming: ProbeNaming): Omit<DropEvent, 'time'> | undefined {
  const users = fields.number('users');
  if (users !== undefined && users !== 1) return undefined;
  const code = fields.number('reason');
  const reason = code === undefined ? undefined : naming.dropReason(code);
  if (reason?.reason === 'CONSUMED') return undefined;
  const location = naming.symbol(fields.u64('location') ?? 0n);
  const ethertype = fields.bytes('protocol')?.readUInt16BE(0) ?? 0;
  const headers = ethertype === 0x0800 || ethertype === 0x86dd ? headersOf(fields) : undefined;
  const protocol = headers ? protocolName(headers.protocol) : ethertypeName(ethertype);
  const device = fields.text('device');
  const facts = { reason: reason?.reason, location, dst: headers?.dst, protocol, tcp: headers?.tcp };
  const place = socketPlace(
    fields,
    fields.number('netns') ? 'netns' : 'sknetns',
    fields.u64('rxinode') ? 'rxinode' : 'inode',
  );
  const hasSocket = place.socketInode !== undefined;
  return {
    kind: 'drop',
    ...(headers ? { family: headers.family, src: headers.src } : {}),
    ...known('sport', headers?.sport),
    ...(headers ? { dst: headers.dst } : {}),
    ...known('dport', headers?.dport),
    ...known('netns', place.netns),
    ...known('device', device),
    ...(hasSocket ? known('uid', fields.number('uid')) : {}),
    ...known('socketInode', place.socketInode),
    ...reason,
    ...known('location', location),
    class: classOf({ ...facts, onNetwork: protocol !== undefined || device !== undefined }),
    ...known('protocol', protocol),
    ...(headers?.tcp
      ? { tcpFlags: tcpFlagNames(headers.tcp.flags), seq: headers.tcp.seq, endSeq: headers.tcp.endSeq }
      : {}),
    ...known('ack', headers?.tcp?.ack),
    ...known('length', fields.number('length')),
  };
}

/** A field, where its value is known. */
function known<N extends string, T>(name: N, value: T | undefined): { [K in N]?: T } {
  return (value === undefined ? {} : { [name]: value }) as { [K in N]?: T };
}
