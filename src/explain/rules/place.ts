/** Where a retransmission was sent, and what may be missing from the records of its time. */

import type { Fact, Resent } from '../facts.ts';
import { NS_PER_MS } from '../timing.ts';
import type { Place } from '../types.ts';
import type { Known } from './rule.ts';

/** What is resent was sent about this long ago: its drop must have been seen since. A timer waits for the RTO, others do not. */
function lookBack({ cause, rtoMs = 1000 }: Resent): number {
  const isTimer = cause === 'rto' || cause === 'syn' || cause === 'syn-ack';
  return (isTimer ? 1.1 : 0.5) * rtoMs * NS_PER_MS;
}

/** Why the drop of what was resent may be missing from the records; undefined when all was seen. */
export function gapOf(fact: Resent, { coverage }: Known): string | undefined {
  return coverage.gap(fact.at - lookBack(fact), fact.at);
}

/** The namespace of an event and, if told so, its device; `details` as far as they are known. */
export function placeOf(
  { owner }: Pick<Fact, 'owner'>,
  details: { [N in keyof Place]: Place[N] | undefined } = {},
  withDevice = false,
): Place {
  const { netns, netnsName, device } = owner;
  const all = { netns, netnsName, ...(withDevice ? { device } : {}), ...details };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined)) as Place;
}

/** Where a retransmission was sent from. */
export const senderPlace = (fact: Resent): Place => placeOf(fact, {}, true);

/** The address that it went to. */
export function peerOf(fact: Resent, { flows }: Known): { peer?: string } {
  return fact.flow === undefined ? {} : { peer: flows.addressText(flows.destination(fact.flow)) };
}
