/** The relations between recorded retransmissions and the kernel's counters; stated in docs/events/retransmit.md. */

import assert from 'node:assert/strict';
import type { Counters } from '../../lab/counters.ts';
import type { JsonEvent } from '../../lab/recorder.ts';

export type Retransmission = JsonEvent<'retransmit'>;
type Cause = Retransmission['cause'];

/** A failure after the segment was counted: __tcp_retransmit_skb() had called tcp_transmit_skb(). */
const FAILED_LATE = new Set(['NET_XMIT_DROP', 'EPERM', 'ENOBUFS']);

export const segmentsOf = (events: readonly Retransmission[]): number =>
  events.reduce((sum, { segments }) => sum + (segments as number), 0);

/** How many sequence numbers the segment takes, modulo 2^32. */
export const sequenceNumbers = ({ seq, endSeq }: Retransmission): number =>
  ((endSeq as number) - (seq as number)) >>> 0;

export function of(events: readonly Retransmission[], cause: Cause): Retransmission[] {
  return events.filter((event) => event.cause === cause && event.failed === undefined);
}

/** Every relation that holds between recorded retransmissions and the counters of the sender's namespace. */
export function assertCounters(events: readonly Retransmission[], counters: Counters): void {
  const sent = events.filter(({ failed }) => failed === undefined);
  const failedLate = events.filter(({ failed }) => failed !== undefined && FAILED_LATE.has(failed));
  assert.equal(segmentsOf(failedLate), counters.get('TcpExt.TCPRetransFail'), 'segments that failed = TCPRetransFail');
  assert.equal(segmentsOf(sent) + segmentsOf(failedLate), counters.get('Tcp.RetransSegs'), 'segments = RetransSegs');
  assert.equal(segmentsOf(of(events, 'fast')), counters.get('TcpExt.TCPFastRetrans'), 'fast = TCPFastRetrans');
  assert.equal(segmentsOf(of(events, 'loss-recovery')), counters.get('TcpExt.TCPSlowStartRetrans'), 'loss-recovery');
  const timeouts = events.filter(({ cause }) => cause === 'rto' || cause === 'syn').length;
  const synAcks = of(events, 'syn-ack').length;
  const counted = counters.get('TcpExt.TCPTimeouts');
  // A SYN-ACK is resent by its timer, which counts, or in answer to a SYN that came again, which does not.
  assert.ok(timeouts <= counted && counted <= timeouts + synAcks, `TCPTimeouts ${counted}: ${timeouts} + ${synAcks}`);
  const handshake = events.filter(({ cause }) => cause === 'syn' || cause === 'syn-ack');
  assert.equal(segmentsOf(handshake), counters.get('TcpExt.TCPSynRetrans'), 'syn + syn-ack = TCPSynRetrans');
  // A probe may also be new data, which is no retransmission.
  assert.ok(of(events, 'tail-loss-probe').length <= counters.get('TcpExt.TCPLossProbes'), 'probes <= TCPLossProbes');
  assert.deepEqual(of(events, 'unknown'), []);
}
