import { packetKind } from '../group.ts';
import type { Rule } from './rule.ts';

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
    describe(group, known) {
      const inner = (group.claim.via as Rule).describe(group, known);
      const effect = group.resent === 0 ? 'without effect so far' : 'so that data was sent again that had arrived';
      return { ...inner, title: `acknowledgements lost, ${effect}: ${inner.title}` };
    },
  };
}
