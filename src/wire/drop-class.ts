/**
 * Whether a drop harms. Rules as data, each with its evidence; docs/events/drop.md shows them to users.
 * A reason that no rule names is a loss: a new kernel's reason must never vanish as noise.
 */

import type { DropEvent } from '../event/kinds.ts';

type DropClass = DropEvent['class'];

/** Frees that the kernel reports as drops though nothing was lost that anybody waits for. */
const BENIGN_REASONS: ReadonlySet<string> = new Set([
  // Queues emptied when a socket or device goes away: one for each ordinary connection that closes.
  'QUEUE_PURGE',
  // Data that was already received: the peer resent without need (tcp_data_queue).
  'TCP_OLD_DATA',
  // The same bytes lay in the out-of-order queue already (tcp_ofo_queue, tcp_data_queue_ofo).
  'TCP_OFOMERGE',
  // Acknowledgements that say nothing new (tcp_ack).
  'TCP_OLD_ACK',
  'TCP_TOO_OLD_ACK',
  // A segment wholly before the window: answered by a duplicate ACK (tcp_validate_incoming).
  'TCP_OLD_SEQUENCE',
  // A pure ACK with an old timestamp, overtaken on its way (tcp_disordered_ack).
  'TCP_RFC7323_PAWS_ACK',
  // The skb of a RST that was obeyed; the reset itself is an event of its own.
  'TCP_RESET',
  // Frames for others, seen because a device is promiscuous or a switch floods.
  'OTHERHOST',
  'IPV6_NDISC_NS_OTHERHOST',
  'UNICAST_IN_L2_MULTICAST',
  // No protocol handler: LLDP, STP and the like that no program asked for.
  'UNHANDLED_PROTO',
  // A copy for a packet socket or tap that its own filter did not want (sk_filter).
  'SOCKET_FILTER',
  'TAP_FILTER',
  'TAP_TXFILTER',
  // IPv6 frames on a device where IPv6 is switched off.
  'IPV6DISABLED',
  'SKB_CONSUMED',
]);

/** Where NOT_SPECIFIED, which says nothing, is harmless; by the function that freed the skb. */
const BENIGN_PLACES: ReadonlySet<string> = new Set([
  // The socket is being freed and its queues with it.
  'inet_sock_destruct',
  'sk_stream_kill_queues',
  'tcp_write_queue_purge',
  'unix_release_sock',
  'unix_sock_destructor',
  'netlink_sock_destruct',
  'packet_sock_destruct',
  'skb_release_data',
  // A multicast group that nobody here joined: MLD and the like, seen on every new link.
  'ip6_mc_input',
  // Netlink broadcasts to which nobody listens.
  'netlink_broadcast_filtered',
]);

/** Where NOT_SPECIFIED is a packet lost on its way. */
const LOSS_PLACES: ReadonlySet<string> = new Set([
  // GSO segments that a full tbf refused one by one; seen on 6.18, where QDISC_DROP covers only whole packets.
  'tbf_segment',
  '__dev_queue_xmit',
  'sch_direct_xmit',
  'qdisc_drop',
  'ip_forward',
  'ip6_forward',
  'ip_error',
  'ip_rcv_finish_core',
  'nf_hook_slow',
  'br_handle_frame',
  'validate_xmit_skb',
  'validate_xmit_skb_list',
  'ip_finish_output2',
  'ip6_finish_output2',
  'neigh_resolve_output',
]);

/** A packet to a group or to everybody that found no socket: nobody here asked for it. */
const BENIGN_WHEN_MULTICAST: ReadonlySet<string> = new Set([
  'NO_SOCKET',
  'IP_NOPROTO',
  'IP_INADDRERRORS',
  'IP_INNOROUTES',
]);

export interface DropFacts {
  /** Without the prefix; undefined where the kernel gives none. */
  reason: string | undefined;
  /** Symbol+offset. */
  location: string | undefined;
  dst: Uint8Array | undefined;
  tcpFlags: number;
  /** Whether the skb had a device, an EtherType or IP headers. */
  onNetwork: boolean;
}

const RST = 4;

export function classOf(facts: DropFacts): DropClass {
  const { reason } = facts;
  if (reason === undefined || reason === 'NOT_SPECIFIED') {
    // Messages of Unix, netlink and vsock sockets are skbs too: unix_stream_connect, nfnetlink_rcv_batch and
    // virtio_transport_recv_pkt free theirs so, on 5.10 to 7.3.
    return facts.onNetwork ? classOfPlace(facts.location) : 'benign';
  }
  if (BENIGN_REASONS.has(reason)) return 'benign';
  if (BENIGN_WHEN_MULTICAST.has(reason) && facts.dst && isGroup(facts.dst)) return 'benign';
  // A RST for a connection that is already gone: what it would end has ended.
  if (reason === 'NO_SOCKET' && facts.tcpFlags & RST) return 'benign';
  return 'loss';
}

function classOfPlace(location: string | undefined): DropClass {
  const symbol = location?.split('+', 1)[0];
  if (symbol === undefined) return 'unknown';
  // GCC names parts and copies of a function `f.isra.0`, `f.part.1`, `f.constprop.2`.
  const name = symbol.split('.', 1)[0] as string;
  if (BENIGN_PLACES.has(name)) return 'benign';
  return LOSS_PLACES.has(name) ? 'loss' : 'unknown';
}

/** Multicast (224.0.0.0/4, ff00::/8) or the limited broadcast address. */
function isGroup(ip: Uint8Array): boolean {
  const first = ip[0] as number;
  if (ip.length === 16) return first === 0xff;
  return (first & 0xf0) === 0xe0 || ip.every((byte) => byte === 0xff);
}
