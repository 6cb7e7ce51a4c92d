import { placeOf } from './place.ts';
import type { Rule } from './rule.ts';
import { inside, placeWords, plural } from './words.ts';

/** What a device lost before the stack saw it, or after. */
export const device: Rule = {
  name: 'device',
  counter(grown) {
    if (grown.owner.device === undefined) return undefined;
    return {
      place: placeOf(grown, { reason: grown.counter }, true),
      sureness: grown.class === 'unknown' ? 'possible' : 'certain',
    };
  },
  describe(group, known) {
    const { place } = group.claim;
    const isUnsure = group.mainSureness === 'possible';
    return {
      title: `the device lost ${plural(group.grown, 'packet')} ${placeWords(place, known)} (${place.reason})`,
      restsOn: [`the counter ${place.reason} of the device grew by ${Math.round(group.grown)}`],
      alternatives: isUnsure
        ? ['packets that nobody here wanted (unknown protocols), or that are told as drops besides']
        : [],
      advice: [
        { text: 'all counters of the device', command: inside(place, `ip -s -s link show dev ${place.device}`, known) },
        { text: 'those of the driver', command: inside(place, `ethtool -S ${place.device}`, known) },
        {
          text: 'the length of its ring; a longer one takes bursts',
          command: inside(place, `ethtool -g ${place.device}`, known),
        },
      ],
    };
  },
};

/** Counters of the stack that no event shows and that no other rule knows. */
export const otherCounter: Rule = {
  name: 'counter',
  counter(grown) {
    return {
      place: placeOf(grown, { reason: grown.counter }),
      sureness: grown.class === 'unknown' ? 'possible' : 'likely',
    };
  },
  describe(group, known) {
    const { place } = group.claim;
    return {
      title: `the kernel counted ${place.reason} +${Math.round(group.grown)} ${placeWords(place, known)}`,
      restsOn: [`the counter ${place.reason} grew by ${Math.round(group.grown)}`],
      alternatives: ['what it counts may be told as drops besides'],
      advice: [{ text: 'watch it', command: inside(place, `nstat -az '*${place.reason}*'`, known) }],
    };
  },
};
