/** Where a retransmission was sent, and what may be missing from the records of its time. */

import type { Fact, Owner, Resent } from '../facts.ts';
import { addressOf, type Endpoint } from '../flows.ts';
import type { Group } from '../group.ts';
import { NS_PER_MS } from '../timing.ts';
import type { Place } from '../types.ts';
import type { Known } from './rule.ts';
import { plural } from './words.ts';

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
  const place: Place = {};
  const { netns, netnsName, device } = owner;
  if (netns !== undefined) place.netns = netns;
  if (netnsName !== undefined) place.netnsName = netnsName;
  if (withDevice && device !== undefined) place.device = device;
  if (details.location !== undefined) place.location = details.location;
  if (details.reason !== undefined) place.reason = details.reason;
  if (details.direction !== undefined) place.direction = details.direction;
  return place;
}

const senderPlaces = new WeakMap<Owner, Place>();

/** Where a retransmission was sent from. */
export function senderPlace(fact: Resent): Place {
  let place = senderPlaces.get(fact.owner);
  if (place === undefined) {
    place = placeOf(fact, {}, true);
    senderPlaces.set(fact.owner, place);
  }
  return place;
}

/** The address that it went to. */
export function peerOf(fact: Resent, { flows }: Known): { peer?: Endpoint } {
  return fact.flow === undefined ? {} : { peer: addressOf(flows.destination(fact.flow)) };
}

/** The peer of a group in words: `10.0.0.9:443`, `10.0.0.9 and 11 others`, `12 peers`. */
export function peerWords({ claim: { peer }, peers }: Group, { flows }: Known): string {
  if (peer !== undefined) return flows.endpointText(peer);
  const main = peers.main(0.6);
  if (main === undefined || peers.size < 2) return plural(peers.size, 'peer');
  return `${flows.addressText(main)} and ${plural(peers.size - 1, 'other')}`;
}
