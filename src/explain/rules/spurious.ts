import type { Resent } from '../facts.ts';
import { peerOf, senderPlace } from './place.ts';
import type { Rule } from './rule.ts';
import { FEW, isRare, isVanishing } from './trifle.ts';
import { flowWords, inside, netnsWords, plural, processWords } from './words.ts';

/** What packets that overtake each other make. */
const GAPS = ['fast', 'unknown'] as const;
/**
 * A late acknowledgement makes them fire once, as when a CPU stalls; the sender takes back what it did to its window (RFC 5682,
 * RFC 8985 7.4). What is `loss-recovery` follows an `rto`.
 */
const TIMERS = ['rto', 'syn', 'syn-ack', 'tail-loss-probe'] as const;

/** The receiver, on this host too, threw the second copy away: nothing had been lost. */
export const spurious: Rule = {
  name: 'spurious',
  resent(found, known) {
    if (!found.needless) return undefined;
    return { place: senderPlace(found.fact), ...peerOf(found.fact, known), sureness: 'certain' };
  },
  isHarmless({ segments, causes, connections }, sent) {
    if (isVanishing(segments, sent)) return true;
    const count = (some: readonly Resent['cause'][]): number => some.reduce((sum, one) => sum + causes.of(one), 0);
    return count(GAPS) <= FEW && isRare(count(TIMERS), connections.size);
  },
  describe(group, known, { reordered }) {
    const { place } = group.claim;
    const probes = group.causes.of('tail-loss-probe');
    const timeouts = group.causes.of('rto');
    return {
      title: `${plural(group.segments, 'segment')}${processWords(group)}${flowWords(group, known)} sent again without need (${netnsWords(place, known)})`,
      restsOn: [
        'the receiver is on this host and dropped the second copy (TCP_OLD_DATA and the like): the first had arrived',
        ...(timeouts > 0
          ? [
              `${plural(timeouts, 'retransmission')} came from a timeout that fired too early, or whose acknowledgement was late`,
            ]
          : []),
        ...(probes > 0
          ? [`${plural(probes, 'retransmission')} were tail loss probes, which ask for an acknowledgement that is late`]
          : []),
        ...(reordered > 0
          ? [`the senders saw packets acknowledged out of order, in ${plural(reordered, 'case')} (reord_seen)`]
          : []),
      ],
      alternatives: [
        'packets overtook each other on the way (several paths, several queues)',
        'the acknowledgement was late or lost: a busy receiver, delayed acknowledgements',
      ],
      advice: [
        {
          text: 'what the sender itself counted as spurious and as reordered',
          command: inside(
            place,
            'nstat -az TcpExtTCPDSACKRecv TcpExtTCPDSACKUndo TcpExtTCPSpuriousRTOs TcpExtTCPSACKReorder',
            known,
          ),
        },
        {
          text: 'queues that make packets wait',
          command: inside(place, `tc -s qdisc show${place.device ? ` dev ${place.device}` : ''}`, known),
        },
      ],
    };
  },
};
