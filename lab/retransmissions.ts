/** Which of the recorded retransmissions the kernel's counters count; docs/events/retransmit.md states the relations. */

import type { JsonEvent } from './recorder.ts';

export type Retransmission = JsonEvent<'retransmit'>;

/** A failure after the segment was counted: __tcp_retransmit_skb() had called tcp_transmit_skb(). */
const FAILED_LATE = new Set(['NET_XMIT_DROP', 'EPERM', 'ENOBUFS']);

/** Whether TCPRetransFail counts its segments. */
export const isFailedLate = ({ failed }: Retransmission): boolean => failed !== undefined && FAILED_LATE.has(failed);

/** Whether Tcp.RetransSegs counts its segments: not where the packet was given up before it was sent, such as by EBUSY. */
export const isInRetransSegs = (event: Retransmission): boolean => event.failed === undefined || isFailedLate(event);

export const segmentsOf = (events: readonly Retransmission[]): number =>
  events.reduce((sum, { segments }) => sum + (segments as number), 0);
