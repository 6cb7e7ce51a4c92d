/** Packets that wait on this host, most of them for the address of their next hop, and are dropped after they were to be sent again. */

import { functionOf } from '../wire/drop-class.ts';
import type { Dropped } from './facts.ts';
import type { ResentCase } from './join.ts';
import { allWithout, overlap, type Range } from './sequence.ts';
import { NS_PER_MS, PATIENCE_NS } from './timing.ts';

/** What is known of the packets of one end of a connection that may wait. */
export interface Awaiting {
  /** The last retransmissions, by time. */
  resent?: ResentCase[];
  /** Of these, the ones that were not sent since the original had not left. */
  stuck?: ResentCase[];
  /** The last drop of what had waited for a next hop. */
  purged?: Dropped;
}

/**
 * Packets that wait for the address of their next hop are dropped together when it did not answer, seconds after they were sent
 * (neigh_invalidate(), net/core/neighbour.c; for IPv6 without a reason).
 */
const hasWaited = ({ reason, location }: Dropped): boolean =>
  reason === 'NEIGH_FAILED' || functionOf(location) === 'neigh_invalidate';

/**
 * A packet that waited on this host is dropped: that is why it was sent again in the meantime. TCP itself sends nothing while its
 * own copy waits (`EBUSY`); behind a router each copy waits there, and the last one is what the next retransmission sends again.
 */
export function explainWaiting(connection: Awaiting, drop: Dropped): void {
  const { resent = [], stuck = [], purged } = connection;
  const isUnexplained = ({ fact, lost, lostAck, waited }: ResentCase): boolean =>
    lost.length === 0 && !lostAck && !waited && drop.at - fact.at <= PATIENCE_NS && isOf(fact.range, drop);
  if (drop.direction === 'tx') {
    for (const found of stuck) if (isUnexplained(found)) found.waited = drop;
  }
  if (!hasWaited(drop)) return;
  connection.purged = drop;
  const isFirst = purged === undefined || drop.at - purged.at > NS_PER_MS || purged.owner.netns !== drop.owner.netns;
  const newest = resent.findLast(({ fact }) => fact.failed === undefined && isOf(fact.range, drop));
  const isOfNewest = isFirst && newest !== undefined && drop.at - newest.fact.at > NS_PER_MS;
  const found = isOfNewest ? undefined : resent.findLast((one) => one.fact.failed === undefined && isUnexplained(one));
  if (!found) return;
  found.waited = drop;
  drop.left = allWithout(drop.left, found.fact.range as Range);
}

const isOf = (range: Range | undefined, drop: Dropped): boolean =>
  range !== undefined && drop.range !== undefined && overlap(range, drop.range) !== undefined;
