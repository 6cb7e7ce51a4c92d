/** What causes mean, in a sentence each: docs/events/retransmit.md says more. */

export const CAUSE_MEANING: Record<string, string> = {
  syn: 'The first packet of a connection was not answered in time.',
  'syn-ack': 'The answer to a connection attempt was not acknowledged in time.',
  rto: 'Nothing was acknowledged until the retransmission timer fired: the costliest way to recover.',
  'loss-recovery': 'Sent again while recovering from a timeout.',
  fast: 'Acknowledgements showed that a segment is missing while later ones arrived.',
  'tail-loss-probe': 'The last segments went unacknowledged; the kernel asks before the timer fires.',
  unknown: 'The kernel did not tell which mechanism resent it.',
};

export const CLASS_MEANING: Record<string, string> = {
  loss: 'The packet was lost.',
  benign: 'Freed as dropped, but nothing is missing: it did its work, was a duplicate, or nobody wanted it.',
  unknown: 'The kernel does not tell enough to judge whether this harms.',
};
