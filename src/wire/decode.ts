/** Bytes of a record → event. Pure: all knowledge of the running kernel comes in as {@link Decoding}. */

import { LosslogError } from '../base/errors.ts';
import { formatSocketAddress } from '../base/socket-address.ts';
import { CA_STATES, type DropEvent, type ResetEvent, type RetransmitEvent } from '../event/kinds.ts';
import { causeOf } from './cause.ts';
import { decodeConnection } from './decode-connection.ts';
import { decodePacket } from './decode-packet.ts';
import { classOf, functionOf } from './drop-class.ts';
import { addressSize, type Decoded, type Decoding, decodeHead, eventOf, type Head } from './head.ts';
import {
  connectionRecord,
  direction,
  dropRecord,
  flag,
  flow,
  kind,
  recordHead,
  resetRecord,
  retransmitRecord,
} from './layout.ts';
import { ethertypeName, protocolName, tcpFlagNames, tcpStateName, transmitErrorName } from './names.ts';
import { type Bytes, copyBytes, readI32, readU16, readU32, readU64 } from './reader.ts';

const SIZES: Readonly<Record<number, number>> = {
  [kind.retransmit]: retransmitRecord.size,
  [kind.synack]: retransmitRecord.size,
  [kind.drop]: dropRecord.size,
  [kind.reset]: resetRecord.size,
  [kind.connection]: connectionRecord.size,
};

/** More is no time that a packet takes down the stack: the stamp is of something else. */
const MAX_SPENT_US = 10_000_000;

/** TCP_INFINITE_SSTHRESH, include/net/tcp.h */
const INFINITE_SSTHRESH = 0x7fff_ffff;

/**
 * @param length of the record, as the ring or the file says
 * @throws DECODE when the record is shorter than its kind demands, or of no known kind
 */
export function decodeRecord(bytes: Bytes, offset: number, length: number, decoding: Decoding): Decoded {
  const available = Math.min(length, bytes.length - offset);
  if (available < recordHead.size) throw truncated(available, recordHead.size);
  const recordKind = bytes[offset + recordHead.kind] as number;
  const size = SIZES[recordKind];
  if (size === undefined) throw new LosslogError('DECODE', `a record has the unknown kind ${recordKind}`);
  if (available < size) throw truncated(available, size);
  const head = decodeHead(bytes, offset, decoding);
  return { event: decodeBody(recordKind, bytes, offset, available, head, decoding), socket: head.socket };
}

function truncated(length: number, expected: number): LosslogError {
  return new LosslogError('DECODE', `a record is truncated: ${length} bytes instead of ${expected}`);
}

function decodeBody(
  recordKind: number,
  bytes: Bytes,
  offset: number,
  length: number,
  head: Head,
  decoding: Decoding,
): Decoded['event'] {
  switch (recordKind) {
    case kind.retransmit:
      return decodeRetransmit(bytes, offset, head, decoding);
    case kind.synack:
      return decodeSynAck(bytes, offset, head);
    case kind.drop:
      return decodeDrop(bytes, offset, length, head, decoding);
    case kind.connection:
      return decodeConnection(bytes, offset, head, decoding);
    default:
      return decodeReset(bytes, offset, head, decoding);
  }
}

function decodeRetransmit(bytes: Bytes, offset: number, head: Head, decoding: Decoding): RetransmitEvent {
  const at = retransmitRecord;
  const u32 = (field: number): number => readU32(bytes, offset + field);
  const caState = bytes[offset + at.caState] as number;
  const event = eventOf<RetransmitEvent>(head, 'retransmit');
  event.cause = causeOf(head.state, caState, bytes[offset + at.pending] as number);
  event.state = tcpStateName(head.state);
  event.seq = u32(at.seq);
  event.endSeq = u32(at.endSeq);
  event.segments = u32(at.segments);
  event.bytes = u32(at.bytes);
  event.rtoMs = Math.round(u32(at.rtoJiffies) * decoding.jiffyMs);
  event.cwnd = u32(at.cwnd);
  event.inFlight = u32(at.inFlight);
  event.retransmits = bytes[offset + at.retransmits] as number;
  event.totalRetransmits = u32(at.totalRetransmits);
  // 0 is "not known": one in 2^32 is missed
  if (u32(at.ack) !== 0) event.ack = u32(at.ack);
  if (u32(at.spentUs) !== 0 && u32(at.spentUs) < MAX_SPENT_US) event.spentUs = u32(at.spentUs);
  // 0 until the first measurement
  if (u32(at.srttUs) !== 0) event.srttUs = u32(at.srttUs);
  if (u32(at.ssthresh) < INFINITE_SSTHRESH) event.ssthresh = u32(at.ssthresh);
  const caName = CA_STATES[caState];
  if (caName) event.caState = caName;
  const failed = head.flags & flag.hasErr ? transmitErrorName(readI32(bytes, offset + at.err)) : undefined;
  if (failed) event.failed = failed;
  return event;
}

function decodeSynAck(bytes: Bytes, offset: number, head: Head): RetransmitEvent {
  const at = retransmitRecord;
  return Object.assign(eventOf<RetransmitEvent>(head, 'retransmit'), {
    cause: 'syn-ack' as const,
    state: tcpStateName(head.state),
    seq: readU32(bytes, offset + at.seq),
    endSeq: readU32(bytes, offset + at.endSeq),
    segments: readU32(bytes, offset + at.segments),
    bytes: 0,
    retransmits: bytes[offset + at.retransmits] as number,
  });
}

const DIRECTIONS: Readonly<Record<number, NonNullable<DropEvent['direction']>>> = {
  [direction.rx]: 'rx',
  [direction.tx]: 'tx',
  [direction.forward]: 'forward',
};

/** Places that only see packets on their way in, though nothing in the skb says so yet. */
const RX_PLACES: ReadonlySet<string> = new Set([
  // puts the Ethernet header back, before __netif_receive_skb_core() has set skb_iif
  'veth_xdp_rcv_skb',
]);

/** @param code enum losslog_direction */
export function dropDirection(code: number, location: string | undefined): DropEvent['direction'] {
  const isArriving = code === direction.tx && RX_PLACES.has(functionOf(location));
  return isArriving ? 'rx' : DIRECTIONS[code];
}

function decodeDrop(bytes: Bytes, offset: number, length: number, head: Head, decoding: Decoding): DropEvent {
  const at = dropRecord;
  const reason = head.flags & flag.hasReason ? decoding.dropReason(readU32(bytes, offset + at.reason)) : undefined;
  const location = decoding.symbol(readU64(bytes, offset + at.location));
  const protocol = protocolOf(bytes, offset, head);
  const onNetwork = protocol !== undefined || head.common.device !== undefined;
  const tcp = head.flags & flag.hasSeq ? readTcp(bytes, offset) : undefined;
  const facts = { reason: reason?.reason, location, dst: head.common.dst, protocol, tcp, onNetwork };
  const event = eventOf<DropEvent>(head, 'drop');
  if (reason) event.reason = reason.reason;
  if (reason?.subsystem !== undefined) event.subsystem = reason.subsystem;
  event.class = classOf(facts);
  if (location !== undefined) event.location = location;
  const way = onNetwork ? dropDirection(head.direction, location) : undefined;
  if (way) event.direction = way;
  if (protocol !== undefined) event.protocol = protocol;
  if (tcp) {
    event.tcpFlags = tcpFlagNames(tcp.flags);
    event.seq = tcp.seq;
    event.endSeq = tcp.endSeq;
    // 0 is "not known": one acknowledgement in 2^32 is missed
    if (tcp.ack !== 0) event.ack = tcp.ack;
  }
  event.length = readU32(bytes, offset + at.length);
  if (head.flags & flag.hasNat)
    event.nat = natText(bytes, offset, addressSize(bytes[offset + recordHead.family] as number) ?? 4);
  const packet = decodePacket(bytes, offset + at.size, length - at.size);
  if (packet) event.packet = packet;
  return event;
}

/** `10.0.0.1:40000>192.0.2.1:80 10.0.0.254:1024>10.0.1.2:8080` */
function natText(bytes: Bytes, offset: number, size: 4 | 16): string {
  const flowText = (at: number): string => {
    const end = (address: number, port: number): string =>
      formatSocketAddress({
        address: copyBytes(bytes, offset + at + address, size),
        port: readU16(bytes, offset + at + port),
      });
    return `${end(flow.src, flow.sport)}>${end(flow.dst, flow.dport)}`;
  };
  return `${flowText(dropRecord.opened)} ${flowText(dropRecord.translated)}`;
}

function readTcp(bytes: Bytes, offset: number) {
  const flags = bytes[offset + dropRecord.tcpFlags] as number;
  const seq = readU32(bytes, offset + dropRecord.seq);
  const endSeq = readU32(bytes, offset + dropRecord.endSeq);
  // FIN (bit 0) and SYN (bit 1) take a sequence number each; sequence numbers are modulo 2^32
  const dataBytes = (endSeq - seq - (flags & 1) - ((flags >> 1) & 1)) >>> 0;
  return { flags, seq, endSeq, ack: readU32(bytes, offset + dropRecord.ack), dataBytes };
}

/** The IP protocol where the headers were of IP (or came from a socket), else the EtherType. */
function protocolOf(bytes: Bytes, offset: number, head: Head): string | undefined {
  if (head.flags & flag.hasFlow) return protocolName(bytes[offset + recordHead.protocol] as number);
  return ethertypeName(readU16(bytes, offset + dropRecord.ethertype));
}

function decodeReset(bytes: Bytes, offset: number, head: Head, decoding: Decoding): ResetEvent {
  const sent = head.direction === direction.tx;
  const event = eventOf<ResetEvent>(head, 'reset');
  event.direction = sent ? 'sent' : 'received';
  if (head.flags & flag.hasReason) event.reason = decoding.resetReason(readU32(bytes, offset + resetRecord.reason));
  if (head.flags & flag.hasState) event.state = tcpStateName(head.state);
  return event;
}
