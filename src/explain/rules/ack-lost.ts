import type { Group } from '../group.ts';
import { packetKind } from '../packet-kind.ts';
import { peerOf, senderPlace } from './place.ts';
import type { Description, Known, Rule } from './rule.ts';
import { flowWords, inside, netnsWords, plural, processWords } from './words.ts';

/** Nothing recorded dropped them, but the receiver on this host had the data, and what it answered did not come. */
function describeUnseen(group: Group, known: Known): Description {
  const { place } = group.claim;
  return {
    title: `acknowledgements of data${processWords(group)}${flowWords(group, known)} lost on the way back: ${plural(group.resent, 'timeout')} for what had arrived (sent ${netnsWords(place, known)})`,
    restsOn: [
      'the receiver is on this host and dropped copy after copy of the same data (TCP_OLD_DATA and the like): it had arrived',
      'a receiver answers each copy at once (RFC 9293, 3.10.7.4), yet no answer came until the next timeout',
    ],
    alternatives: ['answers that came later than a whole timeout: a path that suddenly became much slower'],
    advice: [
      {
        text: 'how many timeouts the sender itself took for needless',
        command: inside(place, 'nstat -az TcpExtTCPDSACKRecv TcpExtTCPTimeouts TcpExtTCPSpuriousRTOs', known),
      },
      { text: 'record every namespace and host on the way back: the one that drops tells the reason' },
    ],
  };
}

function effect({ resent, resets, connections }: Group): string {
  if (resent > 0) return 'so that data was sent again that had arrived';
  if (resets > 0) return `so that ${plural(connections.size, 'connection')} got no answer to keepalives and ended`;
  return 'without effect so far';
}

/**
 * Acknowledgements that were dropped: the data had arrived, and is sent again all the same. What dropped them is told by
 * the rule that knows the place.
 */
export function ackLost(placeRules: readonly Rule[]): Rule {
  return {
    name: 'ack-lost',
    drop(drop, known) {
      if (drop.class === 'benign' || packetKind(drop) !== 'acknowledgement') return undefined;
      for (const via of placeRules) {
        const claim = via.drop?.(drop, known);
        if (claim) return { ...claim, via };
      }
      return undefined;
    },
    resent(found, known) {
      const { fact, isNeedlessAgain } = found;
      if (!isNeedlessAgain || fact.cause !== 'rto') return undefined;
      return { place: senderPlace(fact), ...peerOf(fact, known), sureness: 'likely' };
    },
    describe(group, known, sent) {
      if (group.claim.via === undefined) return describeUnseen(group, known);
      const inner = (group.claim.via as Rule).describe(group, known, sent);
      return { ...inner, title: `acknowledgements lost, ${effect(group)}: ${inner.title}` };
    },
  };
}
