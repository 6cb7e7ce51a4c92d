/** Whether a drop harms, by the rules of drop-rules.ts. */

import type { DropEvent } from '../event/kinds.ts';
import { conditions, type DropFacts, type DropRule, dropRules, NO_REASON } from './drop-rules.ts';

const rulesByReason = new Map<string, DropRule[]>();
for (const rule of dropRules) {
  for (const reason of rule.reasons) {
    const rules = rulesByReason.get(reason);
    if (rules) rules.push(rule);
    else rulesByReason.set(reason, [rule]);
  }
}

/** A reason that no rule names is a loss: a new kernel's reason must never vanish as noise. */
export function classOf(facts: DropFacts): DropEvent['class'] {
  const rules = rulesByReason.get(facts.reason ?? NO_REASON);
  return rules?.find((rule) => matches(rule, facts))?.class ?? 'loss';
}

function matches(rule: DropRule, facts: DropFacts): boolean {
  if (rule.at && !rule.at.includes(functionOf(facts.location))) return false;
  return rule.only === undefined || conditions[rule.only].holds(facts);
}

/** Conditions on what stands in the headers of the packet. */
const ON_HEADERS: readonly DropRule['only'][] = ['group', 'reset', 'noSyn', 'noData', 'icmp'];

/** Whether the class of drops of this reason depends on the headers of the packet. */
export const needsHeaders = (reason: string | undefined): boolean =>
  rulesByReason.get(reason ?? NO_REASON)?.some(({ only }) => ON_HEADERS.includes(only)) === true;

/** GCC names parts and copies of a function `f.isra.0`, `f.part.1`, `f.constprop.2`. */
export function functionOf(location: string | undefined): string {
  return /^[^.+]*/.exec(location ?? '')?.[0] ?? '';
}
