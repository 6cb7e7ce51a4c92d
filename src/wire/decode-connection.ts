/** Record of a connection that resent something → event. */

import type { ConnectionEvent } from '../event/kinds.ts';
import { type Decoding, eventOf, type Head } from './head.ts';
import { connectionRecord as at, known } from './layout.ts';
import { errorName, tcpStateName } from './names.ts';
import { type Bytes, readU32, readU64 } from './reader.ts';

/** tcp_min_rtt() before the first measurement (tcp_init_sock(), net/ipv4/tcp.c) */
const NO_RTT = 0xffff_ffff;

type NumberField = Extract<keyof ConnectionEvent, string>;

/** Fields that this kernel may not have, each with the bit that says it has. */
const U32_FIELDS = [
  ['segments', at.segments, known.segments],
  ['spurious', at.spurious, known.spurious],
  ['reordered', at.reordered, known.reordered],
  ['timeouts', at.timeouts, known.timeouts],
] as const satisfies readonly (readonly [NumberField, number, number])[];

export function decodeConnection(bytes: Bytes, offset: number, head: Head, { jiffyMs }: Decoding): ConnectionEvent {
  const u32 = (field: number): number => readU32(bytes, offset + field);
  const u64 = (field: number): number => Number(readU64(bytes, offset + field));
  const isKnown = (bit: number): boolean => ((bytes[offset + at.known] as number) & bit) !== 0;
  const isEnd = bytes[offset + at.isEnd] === 1;
  const state = tcpStateName(head.state);
  const event = Object.assign(eventOf<ConnectionEvent>(head, 'connection'), {
    retransmitted: u32(at.retransmitted),
    phase: isEnd ? ('ended' as const) : ('living' as const),
    state,
  });
  for (const [name, field, bit] of U32_FIELDS) if (isKnown(bit)) event[name] = u32(field);
  if (isKnown(known.bytes)) event.bytes = u64(at.bytes);
  if (isKnown(known.bytesRetransmitted)) event.bytesRetransmitted = u64(at.bytesRetransmitted);
  if (event.bytes && event.bytesRetransmitted !== undefined) event.lossRatio = event.bytesRetransmitted / event.bytes;
  if (isKnown(known.minRtt) && u32(at.minRttUs) !== NO_RTT) event.minRttUs = u32(at.minRttUs);
  if (u32(at.srttUs) !== 0) event.srttUs = u32(at.srttUs);
  if (isKnown(known.age)) event.durationMs = Math.round(u64(at.ageJiffies) * jiffyMs);
  if (isEnd) Object.assign(event, endOf(state, u32(at.error)));
  return event;
}

/** States in which this end has sent its FIN, and the other has not sent one before. */
const CLOSED_HERE = new Set(['TCP_FIN_WAIT1', 'TCP_FIN_WAIT2', 'TCP_CLOSING']);
/** States that the peer's FIN leads to. */
const CLOSED_THERE = new Set(['TCP_CLOSE_WAIT', 'TCP_LAST_ACK']);

/** @param state before TCP_CLOSE @param errno sk_err, set before the state changes (tcp_reset(), tcp_write_err()) */
export function endOf(state: string, errno: number): Pick<ConnectionEvent, 'closedBy' | 'error'> {
  const error = errorName(errno);
  const closedBy = closer(state, error);
  return { ...(closedBy && { closedBy }), ...(error !== undefined && { error }) };
}

function closer(state: string, error: string | undefined): ConnectionEvent['closedBy'] {
  if (CLOSED_HERE.has(state)) return 'local';
  if (CLOSED_THERE.has(state)) return 'peer';
  // no FIN of either: a RST, a timeout, or given up here
  if (error === undefined) return 'local';
  if (error === 'ECONNRESET') return 'peer';
  // of others an ICMP error may be the cause, whoever sent it (tcp_v4_err())
  return error === 'ETIMEDOUT' ? 'timeout' : undefined;
}
