/** Asks the rules, and remembers what they said of drops that they cannot tell apart. */

import type { Dropped, Owner } from './facts.ts';
import { packetKind } from './packet-kind.ts';
import { rules } from './rules/index.ts';
import type { Claim, Known, Rule } from './rules/rule.ts';

export interface Verdict {
  readonly rule: Rule;
  readonly claim: Claim;
}

/** Owners of which verdicts are remembered. */
const MAX_REMEMBERED = 10_000;

interface Remembered {
  readonly like: Dropped;
  readonly verdict: Verdict;
}

export class DropVerdicts {
  readonly #known = new Map<Owner, Map<string | undefined, Remembered[]>>();

  of(drop: Dropped, known: Known): Verdict | undefined {
    const alike = this.#alike(drop);
    const before = alike.find(({ like }) => isAlike(like, drop))?.verdict;
    // only the peer of a claim is of the single drop
    if (before?.claim.peer !== undefined) return { ...before, claim: before.rule.drop?.(drop, known) ?? before.claim };
    const verdict = before ?? firstClaim((rule) => rule.drop?.(drop, known));
    if (verdict && !before) alike.push({ like: drop, verdict });
    return verdict;
  }

  /** What is remembered of the same owner and place. */
  #alike({ owner, location }: Dropped): Remembered[] {
    let places = this.#known.get(owner);
    if (places === undefined) {
      if (this.#known.size >= MAX_REMEMBERED) this.#known.clear();
      places = new Map();
      this.#known.set(owner, places);
    }
    let alike = places.get(location);
    if (alike === undefined) {
      alike = [];
      places.set(location, alike);
    }
    return alike;
  }
}

const isAlike = (a: Dropped, b: Dropped): boolean =>
  a.reason === b.reason && a.direction === b.direction && a.class === b.class && packetKind(a) === packetKind(b);

export function firstClaim(claimOf: (rule: Rule) => Claim | undefined): Verdict | undefined {
  for (const rule of rules) {
    const claim = claimOf(rule);
    if (claim) return { rule, claim };
  }
  return undefined;
}
