/** Most rules of drops differ only in the reasons and places that they claim and in their words. */

import { functionOf } from '../../wire/drop-class.ts';
import type { Dropped } from '../facts.ts';
import type { Endpoint } from '../flows.ts';
import type { Group } from '../group.ts';
import type { Advice, Place, Sureness } from '../types.ts';
import { placeOf } from './place.ts';
import type { Known, Rule } from './rule.ts';
import { joinWords, kernelWords } from './words.ts';

/** Where a packet was dropped, as an incident names it. */
export function dropPlace(drop: Dropped): Place {
  const { reason, direction } = drop;
  return placeOf(drop, { location: functionOf(drop.location) || undefined, reason, direction }, true);
}

interface DropRuleWords {
  name: string;
  /** Reasons that it claims, wherever they happened. */
  reasons: readonly string[];
  /** Functions whose drops it claims where the kernel gives no reason. */
  places?: readonly string[];
  /** Further conditions on those. */
  only?: (drop: Dropped) => boolean;
  sureness?: Sureness;
  /** Stands for reason and location, where one cause has several. */
  what?: string;
  /** What cases of one incident share besides the place. */
  peer?: (drop: Dropped, known: Known) => Endpoint | undefined;
  title: (group: Group, known: Known) => string;
  restsOn?: (group: Group, known: Known) => string[];
  alternatives?: (group: Group, known: Known) => string[];
  advice: (group: Group, known: Known) => Advice[];
}

export function dropRule(words: DropRuleWords): Rule {
  const reasons = new Set(words.reasons);
  const places = new Set(words.places ?? []);
  return {
    name: words.name,
    drop(drop, known) {
      const { reason } = drop;
      const saysNothing = reason === undefined || reason === 'NOT_SPECIFIED';
      if (saysNothing ? !places.has(functionOf(drop.location)) : !reasons.has(reason)) return undefined;
      if (words.only && !words.only(drop)) return undefined;
      const peer = words.peer?.(drop, known);
      return {
        place: dropPlace(drop),
        sureness: words.sureness ?? (saysNothing ? 'likely' : 'certain'),
        ...(words.what === undefined ? {} : { what: words.what }),
        ...(peer === undefined ? {} : { peer }),
      };
    },
    describe: (group, known) => ({
      title: words.title(group, known),
      restsOn: [kernelWords(group.claim.place), ...joinWords(group), ...(words.restsOn?.(group, known) ?? [])],
      alternatives: words.alternatives?.(group, known) ?? [],
      advice: words.advice(group, known),
    }),
  };
}
