/** The kinds of events, one field table each. To add one, follow the list in CONTRIBUTING.md. */

import { commonFields, flowFields, ownerFields, placeFields, timeFields } from './common.ts';
import type { FieldTable, ObjectOf } from './field.ts';

/** What made the kernel resend; derived in src/wire/cause.ts from icsk_ca_state and icsk_pending. */
export const CAUSES = ['syn', 'syn-ack', 'rto', 'loss-recovery', 'fast', 'tail-loss-probe', 'unknown'] as const;
export const CA_STATES = ['Open', 'Disorder', 'CWR', 'Recovery', 'Loss'] as const;
export const DROP_CLASSES = ['loss', 'benign', 'unknown'] as const;
export const DIRECTIONS = ['rx', 'tx', 'forward'] as const;
export const COVERAGE_STATES = ['recording', 'down', 'lost', 'limited', 'blind'] as const;

export const CONNECTION_PHASES = ['living', 'ended'] as const;
export const CLOSED_BY = ['local', 'peer', 'timeout'] as const;

const state = { type: 'text', doc: 'TCP state of the socket (`TCP_ESTABLISHED`, …; net/tcp_states.h).' } as const;

export const kinds = {
  retransmit: {
    ...commonFields,
    cause: { type: { values: CAUSES }, required: true, doc: 'Which mechanism resent it.' },
    failed: {
      type: 'text',
      doc: 'Why the resent packet did not leave the host (`NET_XMIT_DROP`, `EPERM`, `EBUSY`, …). Absent: it left, or this kernel does not tell.',
    },
    state,
    caState: { type: { values: CA_STATES }, doc: 'Congestion-avoidance state (icsk_ca_state).' },
    seq: { type: 'int', doc: 'First sequence number of the resent segment.' },
    endSeq: { type: 'int', doc: 'Sequence number after its last byte (SYN and FIN count one).' },
    segments: {
      type: 'int',
      unit: 'segments',
      doc: 'TCP segments in this skb (tcp_gso_segs): what TcpRetransSegs grows by. Absent where the source does not tell.',
    },
    bytes: { type: 'int', unit: 'bytes', doc: 'Payload bytes in this skb.' },
    srttUs: { type: 'int', unit: 'us', doc: 'Smoothed round-trip time.' },
    rtoMs: { type: 'int', unit: 'ms', doc: 'Retransmission timeout in force.' },
    cwnd: { type: 'int', unit: 'segments', doc: 'Congestion window.' },
    ssthresh: { type: 'int', unit: 'segments', doc: 'Slow-start threshold; absent while it is infinite.' },
    inFlight: { type: 'int', unit: 'segments', doc: 'Segments in flight (tcp_packets_in_flight).' },
    retransmits: { type: 'int', doc: 'Unanswered timeouts in a row (icsk_retransmits).' },
    totalRetransmits: {
      type: 'int',
      unit: 'segments',
      doc: 'Segments this connection resent so far (total_retrans), this one counted.',
    },
    ack: { type: 'int', doc: 'Acknowledgement number that it carries (rcv_nxt); absent in a SYN.' },
    spentUs: {
      type: 'int',
      unit: 'us',
      doc: 'Time from when TCP began to send (tcp_mstamp) to this event, which comes after the packet has gone down the stack.',
    },
  },
  drop: {
    ...commonFields,
    reason: {
      type: 'text',
      doc: "Drop reason by its name in the running kernel's BTF, without `SKB_DROP_REASON_`; absent where the kernel gives none.",
    },
    subsystem: {
      type: 'text',
      doc: 'Subsystem of the reason where it is not the core (`mac80211_unusable`, `openvswitch`, …).',
    },
    location: { type: 'text', doc: 'Where in the kernel it was freed: symbol+offset.' },
    class: {
      type: { values: DROP_CLASSES },
      required: true,
      doc: 'Whether it harms: docs/events/drop.md lists the rules.',
    },
    direction: { type: { values: DIRECTIONS }, doc: 'Way of the packet through this namespace.' },
    protocol: {
      type: 'text',
      doc: 'IP protocol (`tcp`, `udp`, `icmp`, … or its number); `arp` or the EtherType for frames that are not IP.',
    },
    tcpFlags: { type: 'text', doc: 'TCP flags, joined by `|` (`SYN|ACK`).' },
    seq: { type: 'int', doc: 'TCP sequence number.' },
    endSeq: { type: 'int', doc: 'TCP sequence number after the last byte.' },
    ack: {
      type: 'int',
      doc: 'TCP acknowledgement number: what the packet would have acknowledged. Absent without ACK.',
    },
    length: { type: 'int', unit: 'bytes', doc: 'Length of the skb from where the kernel stood in it (skb->len).' },
    nat: {
      type: 'text',
      doc: 'Where addresses were translated (conntrack): the connection as the end that opened it addresses it, then as the other end knows it, `SRC:PORT>DST:PORT SRC:PORT>DST:PORT`. Absent otherwise, and where no connection tracking was asked or loaded.',
    },
  },
  reset: {
    ...commonFields,
    direction: {
      type: { values: ['sent', 'received'] },
      required: true,
      doc: 'Whether this host sent the RST or got it.',
    },
    reason: {
      type: 'text',
      doc: 'Reason of a sent RST from BTF (`enum sk_rst_reason`), without `SK_RST_REASON_`; absent where the kernel gives none.',
    },
    state,
  },
  summary: {
    ...timeFields,
    ...flowFields,
    ...placeFields,
    of: {
      type: { values: ['retransmit', 'drop', 'reset'] },
      required: true,
      doc: 'The kind of the events that were counted.',
    },
    reason: { type: 'text', doc: 'Drop or reset reason that they share.' },
    events: {
      type: 'int',
      unit: 'events',
      required: true,
      doc: 'How many events were counted and not kept one by one.',
    },
    segments: { type: 'int', unit: 'segments', doc: 'Segments of these retransmissions.' },
    bytes: { type: 'int', unit: 'bytes', doc: 'Payload bytes of these retransmissions, or `length` of these drops.' },
    from: { type: 'wall', required: true, doc: 'Time of the first.' },
    until: { type: 'wall', required: true, doc: 'Time of the last, to the tick of the kernel (1/HZ).' },
    cause: { type: { values: CAUSES }, doc: 'Which mechanism resent them.' },
    failed: { type: 'text', doc: 'Why the resent packets did not leave the host.' },
    state,
    subsystem: { type: 'text', doc: 'Subsystem of the drop reason where it is not the core.' },
    location: { type: 'text', doc: 'Where in the kernel they were freed: symbol+offset.' },
    class: { type: { values: DROP_CLASSES }, doc: 'Whether these drops harm.' },
    direction: {
      type: { values: [...DIRECTIONS, 'sent', 'received'] },
      doc: 'Way of dropped packets (rx, tx, forward) or of resets (sent, received).',
    },
    protocol: {
      type: 'text',
      doc: 'Protocol of these drops, where it is not IP or their class depends on it; else they are of any.',
    },
    lacks: {
      type: { values: ['connection', 'key'] },
      doc: 'What the kernel had no room to tell apart: several connections in one, or everything but the kind.',
    },
    ...ownerFields,
  },
  coverage: {
    ...timeFields,
    from: { type: 'wall', required: true, doc: 'Begin of the stretch.' },
    until: { type: 'wall', required: true, doc: 'End of the stretch.' },
    state: { type: { values: COVERAGE_STATES }, required: true, doc: 'What the recorder could do in it.' },
    count: {
      type: 'int',
      unit: 'events',
      doc: 'How many events it concerns; with `counter`, how many more the kernel counted than were recorded.',
    },
    why: { type: 'text', doc: 'What happened, in words.' },
    netns: placeFields.netns,
    netnsName: placeFields.netnsName,
    counter: {
      type: 'text',
      doc: 'The counter of the kernel that the recorded events were held against, as `nstat` names it (`TcpRetransSegs`; those of TcpExt without that word). Absent: this is no comparison.',
    },
    recorded: { type: 'int', doc: 'What the recorded events of the stretch add up to.' },
    kernel: { type: 'int', doc: 'By how much the counter grew in the stretch.' },
  },
  connection: {
    ...commonFields,
    segments: {
      type: 'int',
      unit: 'segments',
      doc: 'Segments with data sent, those sent again counted (data_segs_out).',
    },
    bytes: { type: 'int', unit: 'bytes', doc: 'Payload bytes sent, those sent again counted (bytes_sent).' },
    retransmitted: {
      type: 'int',
      unit: 'segments',
      doc: 'Segments sent again, SYN and FIN counted (total_retrans): what TcpRetransSegs grew by.',
    },
    lossRatio: {
      type: 'ratio',
      doc: 'Payload bytes sent again by payload bytes sent; absent while no data was sent.',
    },
    durationMs: {
      type: 'int',
      unit: 'ms',
      doc: 'Time since it was established; absent when that was before the recorder, or never.',
    },
    spurious: {
      type: 'int',
      unit: 'segments',
      doc: 'Segments that the peer said it had got twice, by DSACK (dsack_dups): resent without need.',
    },
    bytesRetransmitted: { type: 'int', unit: 'bytes', doc: 'Payload bytes sent again (bytes_retrans).' },
    timeouts: {
      type: 'int',
      doc: 'Retransmission timeouts, those of SYN and SYN-ACK counted (total_rto, Linux 6.7).',
    },
    reordered: { type: 'int', doc: 'How often packets were seen to be acknowledged out of order (reord_seen).' },
    minRttUs: { type: 'int', unit: 'us', doc: 'Lowest round-trip time of late (tcp_min_rtt).' },
    srttUs: { type: 'int', unit: 'us', doc: 'Smoothed round-trip time.' },
    phase: { type: { values: CONNECTION_PHASES }, doc: 'Whether this is its end, or a report while it lives.' },
    state: { type: 'text', doc: 'TCP state at the report, or before the end.' },
    closedBy: {
      type: { values: CLOSED_BY },
      doc: 'Who ended it first: `local` (this end sent its FIN first, or gave up), `peer` (its FIN or RST came first), `timeout` (nothing came back). Absent when it lives or that is not known.',
    },
    error: {
      type: 'text',
      doc: 'Error that the connection ended with (sk_err): `ETIMEDOUT`, `ECONNRESET`, `EHOSTUNREACH`.',
    },
  },
  counter: {
    ...commonFields,
    counter: {
      type: 'text',
      required: true,
      doc: 'Counter of the kernel that grew, as `nstat` names it (those of TcpExt without that word), or of a device (`rx_missed_errors`) or of all CPUs (`softnet_dropped`): docs/events/counter.md lists them.',
    },
    count: { type: 'int', required: true, doc: 'By how much it grew.' },
    from: { type: 'wall', required: true, doc: 'When it was read before.' },
    until: { type: 'wall', required: true, doc: 'When it was read.' },
    class: { type: { values: DROP_CLASSES }, required: true, doc: 'Whether what it counts harms.' },
    queue: {
      type: 'int',
      doc: 'Connections in the accept queue of the listener when it was looked at (sk_ack_backlog).',
    },
    backlog: {
      type: 'int',
      doc: 'Longest accept queue that the listener allows (sk_max_ack_backlog); it is full with one more.',
    },
    synQueue: {
      type: 'int',
      doc: 'Connections of the listener that are not established yet (reqsk_queue_len); full at `backlog`.',
    },
  },
} as const satisfies Record<string, FieldTable>;

export type Kind = keyof typeof kinds;
export const KINDS = Object.keys(kinds) as readonly Kind[];

/** The first bytes of a dropped packet. No field: it is kept beside the event, and only packets of a file are made of it. */
export interface CapturedPacket {
  /** The header that the bytes begin with. */
  readonly begin: 'ethernet' | 'ip';
  /** Bytes of the whole packet from there on. */
  readonly length: number;
  readonly bytes: Uint8Array;
}

/** The fields of a kind. */
export type FieldsOf<K extends Kind> = { kind: K } & ObjectOf<(typeof kinds)[K]>;
export type EventOf<K extends Kind> = FieldsOf<K> & (K extends 'drop' ? { packet?: CapturedPacket } : unknown);
export type RetransmitEvent = EventOf<'retransmit'>;
export type DropEvent = EventOf<'drop'>;
export type ResetEvent = EventOf<'reset'>;
export type SummaryEvent = EventOf<'summary'>;
export type CoverageEvent = EventOf<'coverage'>;
export type ConnectionEvent = EventOf<'connection'>;
export type CounterEvent = EventOf<'counter'>;
/** Any event. Discriminate by `kind`. */
export type Event = { [K in Kind]: EventOf<K> }[Kind];
/** An event of a log whose clock is not known: it has no wall time. */
export type UntimedEvent = { [K in Kind]: Omit<EventOf<K>, 'time'> & { time?: never } }[Kind];
/** An event that happened to one packet. */
export type PacketEvent = RetransmitEvent | DropEvent | ResetEvent;
/** An event that may have an owner. */
export type OwnedEvent = LossEvent | ConnectionEvent | CounterEvent;
/** What was lost: one event, or the count of several. */
export type LossEvent = PacketEvent | SummaryEvent;

/** The field table of a kind, without its literal types, for code that walks fields. */
export const fieldsOf = (kind: Kind): FieldTable => kinds[kind];
