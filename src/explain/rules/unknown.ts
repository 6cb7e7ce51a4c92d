import { gapOf, peerOf, senderPlace } from './place.ts';
import type { Rule } from './rule.ts';
import { flowWords, netnsWords, plural, processWords } from './words.ts';

/** No drop was found, and a drop may be missing from the records. */
export const unknown: Rule = {
  name: 'unknown',
  resent(found, known) {
    const { fact } = found;
    const because = fact.flow === undefined ? 'the addresses are not known' : gapOf(fact, known);
    return {
      place: senderPlace(fact),
      ...(fact.flow === undefined ? {} : peerOf(fact, known)),
      sureness: 'possible',
      ...(because === undefined ? {} : { note: because }),
    };
  },
  describe(group, known) {
    const reasons = group.notes.top(3).map(([text]) => text);
    return {
      title: `${plural(group.segments, 'segment')}${processWords(group)}${flowWords(group, known)} lost, unknown where (sent ${netnsWords(group.claim.place, known)})`,
      restsOn: [
        'no recorded drop is of these segments or of their acknowledgements',
        ...reasons.map((text) => `but one may be missing, because ${text}`),
      ],
      alternatives: [
        'dropped on this host where or when it was not recorded',
        'lost outside this host',
        'only late, and resent without need',
      ],
      advice: [
        { text: 'see what the recorder could not see', command: 'losslog coverage' },
        { text: 'record all of the host, so that the next time can be explained', command: 'losslog record' },
      ],
    };
  },
};
