/**
 * The rules by which a drop is called a loss, benign or unknown: data, each with its evidence. The first that matches
 * decides. The table in docs/events/drop.md is generated from them (npm run generate).
 */

import type { DropEvent } from '../event/kinds.ts';

export interface DropFacts {
  /** Without the prefix; undefined where the kernel gives none. */
  reason: string | undefined;
  /** Symbol+offset. */
  location: string | undefined;
  dst: Uint8Array | undefined;
  /** As in the field `protocol` of the event. */
  protocol: string | undefined;
  /** Undefined where there was no TCP header to read. */
  tcp: { flags: number; dataBytes: number } | undefined;
  /** Whether the skb had a device, an EtherType or IP headers. */
  onNetwork: boolean;
}

interface Condition {
  /** Ends the sentence "only …". */
  readonly text: string;
  holds(facts: DropFacts): boolean;
}

const SYN = 2;
const RST = 4;
const ACK = 16;

export const conditions = {
  group: { text: 'to a multicast group or to 255.255.255.255', holds: ({ dst }) => dst !== undefined && isGroup(dst) },
  reset: { text: 'a RST', holds: ({ tcp }) => tcp !== undefined && (tcp.flags & RST) !== 0 },
  noSyn: { text: 'TCP, but no SYN', holds: ({ tcp }) => tcp !== undefined && (tcp.flags & SYN) === 0 },
  noData: {
    text: 'TCP without data and without SYN',
    holds: ({ tcp }) => tcp !== undefined && tcp.dataBytes === 0 && (tcp.flags & SYN) === 0,
  },
  syn: {
    text: 'a SYN',
    holds: ({ tcp }) => tcp !== undefined && (tcp.flags & (SYN | ACK)) === SYN,
  },
  icmp: { text: 'ICMP or ICMPv6', holds: ({ protocol }) => protocol === 'icmp' || protocol === 'icmpv6' },
  offNetwork: { text: 'no device and no headers of a network', holds: ({ onNetwork }) => !onNetwork },
} as const satisfies Record<string, Condition>;

/** Multicast (224.0.0.0/4, ff00::/8) or the limited broadcast address. */
function isGroup(ip: Uint8Array): boolean {
  const first = ip[0] as number;
  if (ip.length === 16) return first === 0xff;
  return (first & 0xf0) === 0xe0 || ip.every((byte) => byte === 0xff);
}

export interface DropRule {
  readonly class: DropEvent['class'];
  /** Names without `SKB_DROP_REASON_`; {@link NO_REASON} for none. */
  readonly reasons: readonly string[];
  /** Functions that freed the skb; any, when absent. */
  readonly at?: readonly string[];
  readonly only?: keyof typeof conditions;
  /** Why the class is right, and how that is known. */
  readonly why: string;
}

/** Stands for the missing reason of kernels before 5.17. */
export const NO_REASON = '-';
const SAYS_NOTHING = ['NOT_SPECIFIED', NO_REASON];

export const dropRules: readonly DropRule[] = [
  {
    class: 'benign',
    reasons: ['QUEUE_PURGE'],
    why: 'A queue was emptied because its socket or device went away; seen once for each connection whose program ends without reading the FIN.',
  },
  {
    class: 'benign',
    reasons: ['TCP_OLD_DATA', 'TCP_OFOMERGE', 'TCP_OFO_DROP', 'TCP_OLD_SEQUENCE'],
    why: 'The data was here already (tcp_data_queue, tcp_ofo_queue, tcp_validate_incoming): a needless resend, a keepalive or a window probe. The resend is an event at the sender.',
  },
  {
    class: 'benign',
    reasons: ['TCP_OLD_ACK', 'TCP_TOO_OLD_ACK', 'TCP_RFC7323_PAWS_ACK'],
    only: 'noData',
    why: 'An acknowledgement that was overtaken on its way and says nothing new (tcp_ack, tcp_disordered_ack).',
  },
  {
    class: 'benign',
    reasons: ['TCP_RESET'],
    why: 'The packet of a RST that was obeyed; where it ended a connection, that is a `reset` event.',
  },
  {
    class: 'benign',
    reasons: ['TCP_CLOSE', 'TCP_ABORT_ON_DATA'],
    why: 'The program here had closed or aborted the connection before this arrived; the RST that answers data is a `reset` event.',
  },
  {
    class: 'benign',
    reasons: ['NO_SOCKET'],
    only: 'reset',
    why: 'What the RST would end has ended already.',
  },
  {
    class: 'benign',
    reasons: ['NO_SOCKET'],
    only: 'icmp',
    why: "ping_rcv(): an echo reply for which no ping socket waits. Raw sockets, ping's among them, have had their copy; seen for each reply.",
  },
  {
    class: 'unknown',
    reasons: ['NO_SOCKET'],
    only: 'noSyn',
    why: 'The rest of a connection that ended here, or a packet that was led to the wrong host. The RST that answers it is a `reset` event.',
  },
  {
    class: 'benign',
    reasons: ['NO_SOCKET', 'IP_NOPROTO', 'IP_INNOROUTES', 'IPV6DISABLED'],
    only: 'group',
    why: 'Sent to everybody, and nobody here asked for it; seen for multicast listener reports (ff02::16) at a router.',
  },
  {
    class: 'benign',
    reasons: ['NO_TX_TARGET'],
    only: 'group',
    why: 'A bridge floods a group that nobody joined, and has no other port (br_flood, br_multicast_flood).',
  },
  {
    class: 'unknown',
    reasons: ['BRIDGE_INGRESS_STP_STATE'],
    why: 'A blocked port of a bridge: what floods to it is meant to end there, what is sent to it alone is lost (br_handle_frame).',
  },
  {
    class: 'benign',
    reasons: ['OTHERHOST', 'IPV6_NDISC_NS_OTHERHOST'],
    why: 'For another host or VLAN; seen here because a device is promiscuous or a switch floods.',
  },
  {
    class: 'benign',
    reasons: ['UNHANDLED_PROTO', 'MAC_IEEE_MAC_CONTROL'],
    why: 'Nothing on this host speaks it: LLDP, STP, pause frames, unknown ICMP types (__netif_receive_skb_core, icmp_rcv).',
  },
  {
    class: 'benign',
    reasons: ['TAP_TXFILTER'],
    why: 'The MAC filter that a virtual machine set for its own tap device, as a NIC has one (check_filter, drivers/net/tun.c).',
  },
  {
    class: 'benign',
    reasons: ['SOCKET_FILTER'],
    only: 'icmp',
    why: "The copy for a raw socket whose own filter, like ping's, does not want it (raw_v4_input, net/ipv4/raw.c, hands out clones).",
  },
  {
    class: 'benign',
    reasons: ['DUP_FRAG'],
    why: 'The same bytes of the same packet wait in the reassembly queue already (IPFRAG_DUP, net/ipv4/inet_fragment.c).',
  },
  {
    class: 'benign',
    reasons: ['SOCKET_CLOSE', 'UNIX_DISCONNECT', 'UNIX_SKIP_OOB'],
    why: 'Messages of Unix sockets (net/unix/af_unix.c), which are skbs too.',
  },
  {
    class: 'benign',
    reasons: SAYS_NOTHING,
    only: 'offNetwork',
    why: 'Messages of Unix, netlink and vsock sockets; unix_stream_connect, nfnetlink_rcv_batch and virtio_transport_recv_pkt free theirs so, on 5.10 to 7.3.',
  },
  {
    class: 'benign',
    reasons: ['NOT_SPECIFIED'],
    at: ['tcp_rcv_state_process'],
    only: 'noData',
    why: 'An acknowledgement that did its work after the FIN of one side, as in CLOSE_WAIT; seen several times in each connection whose server answers after that.',
  },
  {
    class: 'benign',
    reasons: ['NOT_SPECIFIED'],
    at: ['tcp_v4_rcv', 'tcp_v6_rcv'],
    only: 'noData',
    why: 'For a connection in TIME_WAIT (tcp_timewait_state_process); seen for the RST of a server that ends after its client.',
  },
  {
    class: 'benign',
    reasons: ['NOT_SPECIFIED'],
    at: ['tcp_v4_rcv', 'tcp_v6_rcv'],
    only: 'syn',
    why: 'A SYN that came again while its handshake is under way: the SYN-ACK is sent again (tcp_check_req), which is an event; seen for clients that do not get it.',
  },
  {
    class: 'benign',
    reasons: ['NOT_SPECIFIED'],
    at: ['__udp4_lib_rcv', '__udp6_lib_rcv', '__udp4_lib_mcast_deliver', '__udp6_lib_mcast_deliver'],
    why: 'A broadcast or multicast that found no socket; as many as the counters IgnoredMulti and Udp6IgnoredMulti.',
  },
  {
    class: 'benign',
    reasons: SAYS_NOTHING,
    at: ['ip6_mc_input'],
    why: 'A multicast group that nobody here joined; seen on every new link.',
  },
  {
    class: 'benign',
    reasons: SAYS_NOTHING,
    at: ['ip_rcv_finish_core'],
    only: 'group',
    why: 'The same in IPv4 (ip_route_input_mc is not reached).',
  },
  {
    class: 'benign',
    reasons: ['NOT_SPECIFIED'],
    at: ['tbf_enqueue', 'tbf_segment'],
    why: 'A GSO packet of which no segment found room. Each segment is a drop of its own (QDISC_DROP); these alone are what the queue counts.',
  },
  {
    class: 'benign',
    reasons: SAYS_NOTHING,
    at: ['inet_sock_destruct', 'sk_stream_kill_queues', 'tcp_write_queue_purge', 'packet_sock_destruct'],
    why: 'A socket is being freed and its queues with it.',
  },
  {
    class: 'benign',
    reasons: SAYS_NOTHING,
    at: ['skb_release_data'],
    why: 'A part of another packet, whose own end tells whether it was lost (frag_list, net/core/skbuff.c).',
  },
  {
    class: 'benign',
    reasons: SAYS_NOTHING,
    at: ['br_handle_frame_finish', 'br_flood', 'br_multicast_flood', 'br_dev_xmit'],
    only: 'group',
    why: 'The same where the kernel has no reason NO_TX_TARGET.',
  },
  {
    class: 'loss',
    reasons: SAYS_NOTHING,
    at: ['do_xdp_generic', 'veth_xdp_rcv_skb'],
    why: 'An XDP program dropped it; seen.',
  },
  {
    class: 'loss',
    reasons: SAYS_NOTHING,
    at: [
      ...['ip_error', 'ip_rcv_finish_core', 'dst_discard', 'dst_discard_out', 'ip_forward', 'ip6_forward'],
      'inet6_csk_xmit',
    ],
    why: 'No way on: a blackhole or unreachable route, or none; seen for ip_error (IPv4), dst_discard_out and inet6_csk_xmit (IPv6).',
  },
  {
    class: 'loss',
    reasons: SAYS_NOTHING,
    at: ['neigh_invalidate', 'neigh_resolve_output', 'ip_finish_output2', 'ip6_finish_output2'],
    why: 'The neighbour did not answer; seen for IPv6, where IPv4 has NEIGH_FAILED.',
  },
  {
    class: 'loss',
    reasons: SAYS_NOTHING,
    at: ['ip_defrag', 'ip_frag_queue'],
    why: 'Fragments that overlap: all of the packet is given up; seen.',
  },
  {
    class: 'loss',
    reasons: SAYS_NOTHING,
    at: [
      '__dev_queue_xmit',
      'sch_direct_xmit',
      'validate_xmit_skb',
      'validate_xmit_skb_list',
      ...['nf_hook_slow', 'nf_queue', 'nf_reinject', 'nfqnl_reinject'],
      ...['br_handle_frame', 'br_handle_frame_finish', 'br_forward', '__br_forward', 'br_allowed_ingress'],
      ...['__dev_forward_skb', '____dev_forward_skb', '__dev_forward_skb2', 'veth_xmit'],
    ],
    why: 'These free only what the queue, the device or its other end, the firewall or the bridge refused (net/core/dev.c, net/netfilter/core.c and nf_queue.c, net/bridge/br_input.c, br_forward.c); seen for nf_queue, br_handle_frame_finish and __dev_forward_skb2.',
  },
  {
    class: 'unknown',
    reasons: SAYS_NOTHING,
    why: 'The kernel says nothing, and nothing is known of the place.',
  },
];
