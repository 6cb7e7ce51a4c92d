/** The relations between recorded retransmissions and the kernel's counters; stated in docs/events/retransmit.md. */

import assert from 'node:assert/strict';
import type { Counters } from '../../lab/counters.ts';
import { isFailedLate, isInRetransSegs, type Retransmission, segmentsOf } from '../../lab/retransmissions.ts';

type Cause = Retransmission['cause'];

/** How many sequence numbers the segment takes, modulo 2^32. */
export const sequenceNumbers = ({ seq, endSeq }: Retransmission): number =>
  ((endSeq as number) - (seq as number)) >>> 0;

export function of(events: readonly Retransmission[], cause: Cause): Retransmission[] {
  return events.filter((event) => event.cause === cause && event.failed === undefined);
}

/** Every relation that holds between recorded retransmissions and the counters of the sender's namespace. */
export function assertCounters(events: readonly Retransmission[], counters: Counters): void {
  assert.equal(
    segmentsOf(events.filter(isFailedLate)),
    counters.get('TcpExt.TCPRetransFail'),
    'segments that failed = TCPRetransFail',
  );
  const counted = segmentsOf(events.filter(isInRetransSegs));
  assert.equal(counted, counters.get('Tcp.RetransSegs'), 'segments = RetransSegs');
  assert.equal(segmentsOf(of(events, 'fast')), counters.get('TcpExt.TCPFastRetrans'), 'fast = TCPFastRetrans');
  assert.equal(segmentsOf(of(events, 'loss-recovery')), counters.get('TcpExt.TCPSlowStartRetrans'), 'loss-recovery');
  const timeouts = events.filter(({ cause }) => cause === 'rto' || cause === 'syn').length;
  const synAcks = of(events, 'syn-ack').length;
  const timers = counters.get('TcpExt.TCPTimeouts');
  // A SYN-ACK is resent by its timer, which counts, or in answer to a SYN that came again, which does not.
  assert.ok(timeouts <= timers && timers <= timeouts + synAcks, `TCPTimeouts ${timers}: ${timeouts} + ${synAcks}`);
  const handshake = events.filter(({ cause }) => cause === 'syn' || cause === 'syn-ack');
  assert.equal(segmentsOf(handshake), counters.get('TcpExt.TCPSynRetrans'), 'syn + syn-ack = TCPSynRetrans');
  // A probe may also be new data, which is no retransmission.
  assert.ok(of(events, 'tail-loss-probe').length <= counters.get('TcpExt.TCPLossProbes'), 'probes <= TCPLossProbes');
  assert.deepEqual(of(events, 'unknown'), []);
}
