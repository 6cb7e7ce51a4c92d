import { gapOf, senderPlace } from './place.ts';
import type { Rule } from './rule.ts';
import { inside, netnsWords, plural, processWords } from './words.ts';

/** A SYN-ACK that got no answer, or whose SYN came again. */
export const handshake: Rule = {
  name: 'handshake',
  resent(found, known) {
    const { fact } = found;
    if (fact.cause !== 'syn-ack' || fact.flow === undefined) return undefined;
    const gap = gapOf(fact, known);
    return {
      place: senderPlace(fact),
      peer: known.flows.source(fact.flow),
      sureness: gap === undefined ? 'likely' : 'possible',
      ...(gap === undefined ? {} : { note: gap }),
    };
  },
  describe(group, known) {
    const { place } = group.claim;
    const peer = group.claim.peer === undefined ? 'several ports' : known.flows.endpointText(group.claim.peer);
    return {
      title: `clients did not finish the handshake with ${peer}${processWords(group)}: ${plural(group.resent, 'SYN-ACK')} sent again (${netnsWords(place, known)})`,
      restsOn: [
        `${plural(group.connections.size, 'connection')} got no answer to the SYN-ACK, or the SYN came again`,
        ...(group.notes.total > 0
          ? group.notes.top(2).map(([text]) => `a drop on this host may be missing from the records, because ${text}`)
          : ['no drop of the SYN-ACK or of its answer was recorded on this host']),
      ],
      alternatives: [
        'the SYN-ACK or its answer was lost outside this host',
        'the client has gone, or its address is forged (a scan, a SYN flood)',
        'the accept queue was full when the answer came: the kernel then ignores it',
      ],
      advice: [
        { text: 'handshakes that wait', command: inside(place, 'ss -tn state syn-recv', known) },
        { text: 'Recv-Q against Send-Q of the listener', command: inside(place, 'ss -ltn', known) },
      ],
    };
  },
};
