/** The events of one incident, found again by its id. */

import { LosslogError } from '../base/errors.ts';
import { type WallNs, wallNs } from '../base/time.ts';
import type { Filter } from '../event/filter.ts';
import type { Event } from '../event/kinds.ts';
import type { StoreReader } from '../store/store.ts';
import { type ExplainOptions, explain } from './cases.ts';
import type { Fact } from './facts.ts';
import { hashOf, keyOf, parseId } from './id.ts';
import type { Verdict } from './verdicts.ts';

/** Events less than this apart are read at one go. */
const NEAR_NS = 1e9;

/**
 * The events that an incident rests on, oldest first: drops, retransmissions and resets.
 * @param filter with which the incident was found; its times do not count
 * @throws USAGE when it is no id, NOT_FOUND when the store holds no such incident.
 */
export function* evidenceOf(
  reader: StoreReader,
  id: string,
  filter: Filter = {},
  options: ExplainOptions = {},
): Generator<Event> {
  const { rule, from, until, hash } = parseId(id);
  const facts: Fact[] = [];
  const isOf = (verdict: Verdict): boolean => {
    if (verdict.rule.name !== rule) return false;
    return [true, false].some((withPeer) => hashOf(keyOf(rule, verdict.claim, withPeer)) === hash);
  };
  const explained = explain(reader, { ...filter, since: from, until }, { ...options, examineAll: true }, () => ({
    drop: (verdict, drop) => isOf(verdict) && facts.push(drop),
    resent: (verdict, { fact }) => isOf(verdict) && facts.push(fact),
    reset: (verdict, { fact }) => isOf(verdict) && facts.push(fact),
    counter: (verdict, grown) => isOf(verdict) && facts.push(grown),
    summary: (verdict, summed) => isOf(verdict) && facts.push(summed),
  }));
  if (!explained || facts.length === 0) {
    throw new LosslogError('NOT_FOUND', `the store holds no incident ${id}`, {
      hint: 'its events may have been removed by the bound of the store; losslog why lists what is there',
    });
  }
  yield* eventsOf(
    reader,
    facts.sort((a, b) => a.at - b.at),
    explained.base,
  );
}

function* eventsOf(reader: StoreReader, facts: readonly Fact[], base: WallNs): Generator<Event> {
  for (let i = 0; i < facts.length; ) {
    const first = i;
    while (i < facts.length && (facts[i] as Fact).at - (facts[Math.max(first, i - 1)] as Fact).at < NEAR_NS) i++;
    const some = facts.slice(first, i);
    const wanted = new Set(some.map((fact) => `${fact.kind} ${timeOf(fact, base)}`));
    const since = timeOf(some[0] as Fact, base);
    const until = wallNs(timeOf(some.at(-1) as Fact, base) + 1n);
    const kinds = ['retransmit', 'drop', 'reset', 'counter', 'summary'] as const;
    for (const event of reader.events({ since, until, kinds, all: true }, { order: 'oldest' })) {
      if (wanted.has(`${event.kind} ${event.time}`)) yield event;
    }
  }
}

const timeOf = ({ at }: Fact, base: WallNs): WallNs => wallNs(base + BigInt(at));
