/**
 * The kprobe events of losslog: what is fetched where, as one table, and its form in the syntax of kprobe_events
 * (Documentation/trace/kprobetrace.rst) for a kernel whose field offsets are known.
 */

import type { Architecture } from '../../linux/architecture.ts';
import { argumentRegister } from '../../linux/calling-convention.ts';
import type { FieldPlaces } from '../../linux/field-offsets.ts';

/** A value to fetch: a chain of members, each but the last a pointer that is followed. */
interface Fetch {
  readonly name: string;
  /** `[struct, path]` of each step. */
  readonly chain: readonly (readonly [type: string, path: string])[];
  /** As kprobe_events names it: `u16`, `x64[8]`, `string`; `bits` is made of the place of a bit field. */
  readonly type: string;
  /** Bytes beyond the last member. */
  readonly plus?: number;
}

const field = (name: string, type: string, struct: string, path: string, plus = 0): Fetch => ({
  name,
  chain: [[struct, path]],
  type,
  plus,
});
const follow = (name: string, type: string, ...chain: Fetch['chain'][number][]): Fetch => ({ name, chain, type });

const COMMON = '__sk_common';
/** Inode of the socket's file: struct socket is the first member of struct socket_alloc, whose other one is the inode. */
const socketInode = (name: string, ...before: Fetch['chain'][number][]): Fetch =>
  follow(name, 'u64', ...before, ['sock', 'sk_socket'], ['socket_alloc', 'vfs_inode.i_ino']);

/** Of a struct sock. The first three as they have been written by hand since 2021: values in network byte order. */
const SOCK: readonly Fetch[] = [
  field('port', 'u16', 'sock', `${COMMON}.skc_dport`),
  field('dst', 'u32', 'sock', `${COMMON}.skc_daddr`),
  field('state', 'u8', 'sock', `${COMMON}.skc_state`),
  field('src', 'u32', 'sock', `${COMMON}.skc_rcv_saddr`),
  field('sport', 'u16', 'sock', `${COMMON}.skc_num`),
  field('family', 'u16', 'sock', `${COMMON}.skc_family`),
  field('dst6', 'x64', 'sock', `${COMMON}.skc_v6_daddr`),
  field('dst6low', 'x64', 'sock', `${COMMON}.skc_v6_daddr`, 8),
  field('src6', 'x64', 'sock', `${COMMON}.skc_v6_rcv_saddr`),
  field('src6low', 'x64', 'sock', `${COMMON}.skc_v6_rcv_saddr`, 8),
  follow('netns', 'u32', ['sock', `${COMMON}.skc_net.net`], ['net', 'ns.inum']),
  field('cookie', 'u64', 'sock', `${COMMON}.skc_cookie`),
  socketInode('inode'),
  field('uid', 'u32', 'sock', 'sk_uid'),
];

const TCP: readonly Fetch[] = [
  field('castate', 'bits', 'inet_connection_sock', 'icsk_ca_state'),
  field('pending', 'u8', 'inet_connection_sock', 'icsk_pending'),
  field('retransmits', 'u8', 'inet_connection_sock', 'icsk_retransmits'),
  field('rto', 'u32', 'inet_connection_sock', 'icsk_rto'),
  field('srtt', 'u32', 'tcp_sock', 'srtt_us'),
  field('cwnd', 'u32', 'tcp_sock', 'snd_cwnd'),
  field('ssthresh', 'u32', 'tcp_sock', 'snd_ssthresh'),
  field('packetsout', 'u32', 'tcp_sock', 'packets_out'),
  field('sackedout', 'u32', 'tcp_sock', 'sacked_out'),
  field('lostout', 'u32', 'tcp_sock', 'lost_out'),
  field('retransout', 'u32', 'tcp_sock', 'retrans_out'),
  field('una', 'u32', 'tcp_sock', 'snd_una'),
  field('ack', 'u32', 'tcp_sock', 'rcv_nxt'),
];

/** Of the skb that is resent: seq is the first member of struct tcp_skb_cb, which lies in skb->cb. */
const RESENT: readonly Fetch[] = [field('seq', 'u32', 'sk_buff', 'cb')];

/** 64 elements are the most that an array may have (MAX_ARRAY_LEN): 512 bytes of the packet from skb->head on. */
const HEAD_WORDS = 64;

const SKB: readonly Fetch[] = [
  field('users', 'u32', 'sk_buff', 'users.refs.counter'),
  field('protocol', 'u16', 'sk_buff', 'protocol'),
  field('length', 'u32', 'sk_buff', 'len'),
  field('network', 'u16', 'sk_buff', 'network_header'),
  follow('device', 'string', ['sk_buff', 'dev'], ['net_device', 'name']),
  follow('netns', 'u32', ['sk_buff', 'dev'], ['net_device', 'nd_net.net'], ['net', 'ns.inum']),
  follow('sknetns', 'u32', ['sk_buff', 'sk'], ['sock', `${COMMON}.skc_net.net`], ['net', 'ns.inum']),
  socketInode('inode', ['sk_buff', 'sk']),
  follow('uid', 'u32', ['sk_buff', 'sk'], ['sock', 'sk_uid']),
  { ...follow('head', `x64[${HEAD_WORDS}]`, ['sk_buff', 'head']), plus: 0 },
];

/** Fetches from what an argument points to. */
interface Source {
  /** Place among the arguments, from 0. */
  readonly argument: number;
  readonly fetches: readonly Fetch[];
}

export interface ProbeDefinition {
  /** Name of the event in the group. */
  readonly event: string;
  readonly function: string;
  /** At the return of the function instead of its entry. */
  readonly isReturn?: true;
  readonly sources: readonly Source[];
  /** Fetches that stand for themselves, by architecture. */
  readonly direct?: Readonly<Record<string, string | ((architecture: Architecture) => string)>>;
  /** Only recorded when drops are asked for. */
  readonly drops?: true;
  /** A member, `[struct, path]`, without which the kernel passes here to another function of the table, which tells the same. */
  readonly onlyWith?: readonly [type: string, path: string];
}

const RESULT = { ret: '$retval:s32' };
/** Where the function was called from: at its entry the return address is on the stack, or in the link register. */
const caller = (architecture: Architecture): string => (architecture === 'x86_64' ? '$stack0:x64' : '%x30:x64');
const argument = (index: number, type: string) => (architecture: Architecture) =>
  `${argumentRegister(architecture, index)}:${type}`;

function dropProbe(event: string, name: string, skb: number, reason?: number, sk?: number): ProbeDefinition {
  return {
    event,
    function: name,
    drops: true,
    sources: [
      { argument: skb, fetches: SKB },
      ...(sk === undefined ? [] : [{ argument: sk, fetches: [{ ...socketInode('rxinode') }] }]),
    ],
    direct: { location: caller, ...(reason === undefined ? {} : { reason: argument(reason, 'u32') }) },
  };
}

/**
 * kfree_skb_list_reason() frees by itself since it collects the packets in this (net/core/skbuff.c, Linux 6.3). Before, it called
 * kfree_skb_reason() for each, which tells them all (seen on 6.1).
 */
const BULK_FREE = ['skb_free_array', 'skb_count'] as const;

/**
 * All there are; a kernel has the functions of some. tcp_retransmit_skb() calls __tcp_retransmit_skb(), which tail loss probes call
 * by themselves; on some kernels it is inlined into the former (seen: 6.1). The pair of both tells each resend once.
 */
export const PROBE_DEFINITIONS: readonly ProbeDefinition[] = [
  {
    event: 'tcp_retransmit',
    function: 'tcp_retransmit_skb',
    sources: [
      { argument: 0, fetches: [...SOCK, ...TCP] },
      { argument: 1, fetches: RESENT },
    ],
  },
  { event: 'tcp_retransmit_end', function: 'tcp_retransmit_skb', isReturn: true, sources: [], direct: RESULT },
  {
    event: 'tcp_resend',
    function: '__tcp_retransmit_skb',
    sources: [
      { argument: 0, fetches: [...SOCK, ...TCP] },
      { argument: 1, fetches: RESENT },
    ],
  },
  { event: 'tcp_resend_end', function: '__tcp_retransmit_skb', isReturn: true, sources: [], direct: RESULT },
  // struct request_sock begins as struct sock does
  { event: 'tcp_synack', function: 'tcp_rtx_synack', sources: [{ argument: 1, fetches: SOCK.slice(0, 12) }] },
  { event: 'tcp_synack_end', function: 'tcp_rtx_synack', isReturn: true, sources: [], direct: RESULT },
  { event: 'tcp_reset', function: 'tcp_reset', sources: [{ argument: 0, fetches: SOCK }] },
  { event: 'tcp_reset_active', function: 'tcp_send_active_reset', sources: [{ argument: 0, fetches: SOCK }] },
  { event: 'tcp_reset_v4', function: 'tcp_v4_send_reset', sources: [{ argument: 1, fetches: SKB }] },
  { event: 'tcp_reset_v6', function: 'tcp_v6_send_reset', sources: [{ argument: 1, fetches: SKB }] },
  dropProbe('drop', 'sk_skb_reason_drop', 1, 2, 0),
  { ...dropProbe('drop_list', 'kfree_skb_list_reason', 0, 1), onlyWith: BULK_FREE },
  dropProbe('drop_reason', 'kfree_skb_reason', 0, 1),
  dropProbe('drop_plain', 'kfree_skb', 0),
];

/** The definitions of which no two tell the same on the kernel of `places`. */
export function definitionsFor(places: FieldPlaces): readonly ProbeDefinition[] {
  return PROBE_DEFINITIONS.filter(({ onlyWith }) => onlyWith === undefined || places.place(...onlyWith) !== undefined);
}

/** The type of each value of an event's text, by its name: `u16`, `x64[64]`, `string`, `bits`. */
export function valueTypes({ sources, direct = {} }: ProbeDefinition): ReadonlyMap<string, string> {
  const fetched = sources.flatMap(({ fetches }) => fetches.map(({ name, type }) => [name, type] as const));
  const others = Object.entries(direct).map(([name, place]) => {
    const text = typeof place === 'string' ? place : place('x86_64');
    return [name, text.slice(text.indexOf(':') + 1)] as const;
  });
  return new Map([...fetched, ...others]);
}

/** Every field that {@link definitionsFor} and {@link renderProbe} may ask for: what an offsets file must hold. */
export function neededFields(): { type: string; path: string }[] {
  const all = PROBE_DEFINITIONS.flatMap(({ sources, onlyWith }) => [
    ...sources.flatMap(({ fetches }) => fetches.flatMap(({ chain }) => chain)),
    ...(onlyWith ? [onlyWith] : []),
  ]);
  return [...new Map(all.map(([type, path]) => [`${type} ${path}`, { type, path }])).values()];
}

/**
 * One line for kprobe_events: `p:losslog/tcp_retransmit tcp_retransmit_skb port=+12(%di):u16 …`. Fields that this kernel does not have
 * are left out.
 */
export function renderProbe(
  definition: ProbeDefinition,
  group: string,
  places: FieldPlaces,
  architecture: Architecture,
): string {
  const fetched = definition.sources.flatMap(({ argument: index, fetches }) =>
    fetches.map((fetch) => renderFetch(fetch, argumentRegister(architecture, index) as string, places)),
  );
  const direct = Object.entries(definition.direct ?? {}).map(
    ([name, place]) => `${name}=${typeof place === 'string' ? place : place(architecture)}`,
  );
  const head = `${definition.isReturn ? 'r' : 'p'}:${group}/${definition.event} ${definition.function}`;
  return [head, ...fetched.filter((text) => text !== undefined), ...direct].join(' ');
}

function renderFetch({ name, chain, type, plus = 0 }: Fetch, base: string, places: FieldPlaces): string | undefined {
  let text = base;
  let bits = '';
  for (const [i, [struct, path]] of chain.entries()) {
    const place = places.place(struct, path);
    if (!place) return undefined;
    const isLast = i === chain.length - 1;
    text = `+${place.byteOffset + (isLast ? plus : 0)}(${text})`;
    bits = `b${place.bitSize}@${place.bitOffset}/${place.size * 8}`;
  }
  // An array is read where the last pointer leads, not beside it.
  if (type.includes('[')) text = `+0(${text})`;
  return `${name}=${text}:${type === 'bits' ? bits : type}`;
}
