import { dropPlace } from './drop-rule.ts';
import type { Rule } from './rule.ts';
import { flowWords, inside, joinWords, kernelWords, packets, placeWords } from './words.ts';

/** Any drop that no other rule knows: the kernel's own words are told as they are. */
export const otherDrop: Rule = {
  name: 'other-drop',
  drop: (drop) => ({ place: dropPlace(drop), sureness: drop.class === 'unknown' ? 'possible' : 'likely' }),
  describe(group, known) {
    const { place } = group.claim;
    const isLoss = group.mainSureness !== 'possible';
    const why = place.reason === undefined || place.reason === 'NOT_SPECIFIED' ? 'without a reason' : place.reason;
    const at = place.location === undefined ? '' : ` in ${place.location}()`;
    return {
      title: `${packets(group)}${flowWords(group, known)} dropped ${placeWords(place, known)}: ${why}${at}`,
      restsOn: [kernelWords(place), ...joinWords(group)],
      alternatives: isLoss ? [] : ['it may be harmless: nothing is known of this place in the kernel'],
      advice: [
        { text: 'the counters of the kernel that grow along with it', command: inside(place, 'nstat -az', known) },
        ...(place.device === undefined
          ? []
          : [
              {
                text: 'and those of the device',
                command: inside(place, `ip -s -s link show dev ${place.device}`, known),
              },
            ]),
      ],
    };
  },
};
