import type { Share } from '../denominator.ts';
import { gapOf, peerOf, senderPlace } from './place.ts';
import type { Description, Rule } from './rule.ts';
import { flowWords, inside, netnsWords, plural, processWords } from './words.ts';

/** The other ends got twice whatever was sent to them twice: nothing was lost. */
const allCameTwice = ({ retransmitted, spurious }: Share): boolean => retransmitted > 0 && spurious >= retransmitted;

const needless = (what: string, where: string): Description => ({
  title: `${what} sent again without need (${where})`,
  restsOn: ['nothing on this host dropped them'],
  alternatives: ['the acknowledgements were late, or lost on the way back'],
  advice: [{ text: 'record on the other end too: it tells which of them came twice' }],
});

/** Nothing on this host dropped it, and everything on this host was seen. */
export const outside: Rule = {
  name: 'outside',
  resent(found, known) {
    if (found.fact.flow === undefined || gapOf(found.fact, known) !== undefined) return undefined;
    return { place: senderPlace(found.fact), ...peerOf(found.fact, known), sureness: 'likely' };
  },
  isHarmless: (_, sent) => allCameTwice(sent),
  describe(group, known, sent) {
    const { place, peer } = group.claim;
    const timeouts = group.causes.of('rto');
    const what = `${plural(group.segments, 'segment')}${processWords(group)}${flowWords(group, known)}`;
    if (allCameTwice(sent)) return needless(what, netnsWords(place, known));
    return {
      title: `${what} lost outside ${known.coverage.isPartial ? 'the recorded namespaces' : 'this host'} (sent ${netnsWords(place, known)})`,
      restsOn: [
        `every drop ${known.coverage.isPartial ? 'in the namespaces that are recorded' : 'on this host, in every namespace,'} was recorded in that time, and none was of these segments or of their acknowledgements`,
        ...(timeouts > 0
          ? [`${plural(timeouts, 'retransmission')} came after a timeout: for that long nothing came back at all`]
          : []),
      ],
      alternatives: [
        ...(known.coverage.isPartial ? ['dropped in another namespace of this host: only some are recorded'] : []),
        'lost in the device itself or its driver, where no skb is freed as dropped (ring overflow, XDP in the driver)',
        'only late: without the other end it is not known which retransmissions were needless',
      ],
      advice: [
        {
          text: 'errors and drops of the device, which the stack never sees',
          command: inside(place, `ip -s -s link show${place.device ? ` dev ${place.device}` : ''}`, known),
        },
        ...(peer === undefined
          ? []
          : [
              {
                text: 'where on the path it begins',
                command: inside(place, `mtr -T -c 100 -r ${known.flows.addressText(peer)}`, known),
              },
            ]),
        { text: 'record on the other end too: it tells what was dropped there' },
      ],
    };
  },
};
