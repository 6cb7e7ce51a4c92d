import { gapOf, peerWords, senderPlace } from './place.ts';
import type { Rule } from './rule.ts';
import { inside, netnsWords, plural, processWords } from './words.ts';

/** A SYN that got no answer: nothing of it was dropped here. */
export const peerSilent: Rule = {
  name: 'peer-silent',
  resent(found, known) {
    const { fact } = found;
    if (fact.cause !== 'syn' || fact.flow === undefined) return undefined;
    const gap = gapOf(fact, known);
    return {
      place: senderPlace(fact),
      peer: known.flows.destination(fact.flow),
      sureness: gap === undefined ? 'likely' : 'possible',
      ...(gap === undefined ? {} : { note: gap }),
    };
  },
  describe(group, known) {
    const { place } = group.claim;
    const peer = peerWords(group, known);
    const gaps = group.notes
      .top(2)
      .map(([text]) => `a drop on this host may be missing from the records, because ${text}`);
    const [address = '', port = ''] = group.claim.peer === undefined ? [] : peer.split(/:(?=\d+$)/);
    return {
      title: `${peer} did not answer: ${plural(group.segments, 'SYN')}${processWords(group)} sent again (${netnsWords(place, known)})`,
      restsOn: [
        `${plural(group.connections.size, 'connection')} sent the first packet again, ${plural(group.resent, 'time')} in all, and nothing came back`,
        ...(gaps.length > 0 ? gaps : ['no drop of them or of an answer was recorded on this host']),
      ],
      alternatives: [
        'a firewall on the way or at the peer drops them without a word',
        'the peer is down, or its address is wrong',
        "the peer's accept queue or SYN queue is full: its kernel then ignores a SYN",
      ],
      advice: [
        ...(address === ''
          ? []
          : [
              {
                text: 'try it by hand',
                command: inside(place, `nc -vz -w 3 ${address.replace(/[[\]]/g, '')} ${port}`, known),
              },
              {
                text: 'see how far it gets',
                command: inside(place, `traceroute -T -p ${port} ${address.replace(/[[\]]/g, '')}`, known),
              },
            ]),
        { text: 'at the peer: does it listen, and is Recv-Q above Send-Q', command: 'ss -ltn' },
      ],
    };
  },
};
