/** Which listening socket refused what the counters of a namespace tell, by what each socket counted itself (sk_drops). */

import type { Listener } from '../wire/listener-records.ts';
import { type Growth, LISTEN_COUNTERS, LISTEN_DROPS, LISTEN_OVERFLOWS, SYN_QUEUE_DROPS } from './loss-growth.ts';

/** A part of a growth, and the listener that it is of; absent when that is not known. */
export interface Share {
  readonly growth: Growth;
  readonly count: number;
  readonly listener?: Listener;
}

export const isOfListener = ({ counter }: Growth): boolean => LISTEN_COUNTERS.has(counter);

/** A listener that refused something since it was last asked. */
interface Refuser {
  readonly listener: Listener;
  readonly refused: number;
}

export class ListenerShares {
  /** What of each listener's drops is accounted for, by its inode. */
  #accounted = new Map<bigint, number>();

  /** Takes what was refused before now as accounted for. */
  begin(listeners: ReadonlyMap<bigint, Listener>): void {
    this.#accounted = new Map([...listeners].map(([inode, { drops }]) => [inode, drops]));
  }

  /**
   * Deals out the growths of the listen counters, by namespace.
   * @param listeners all of them, read after the counters
   */
  deal(
    byNetns: ReadonlyMap<number, readonly Growth[]>,
    listeners: ReadonlyMap<bigint, Listener>,
  ): Map<number, Share[]> {
    for (const inode of this.#accounted.keys()) if (!listeners.has(inode)) this.#accounted.delete(inode);
    const refusers = Map.groupBy(
      [...listeners.values()].map((listener): Refuser => ({ listener, refused: this.#refusedBy(listener) })),
      ({ listener }) => listener.netns,
    );
    return new Map(
      [...byNetns].map(([netns, growths]) => {
        const here = (refusers.get(netns) ?? []).filter(({ refused }) => refused > 0);
        return [netns, this.#dealHere(growths, here)];
      }),
    );
  }

  /** Modulo 2^32. A listener that was not there before began with none. */
  #refusedBy({ inode, drops }: Listener): number {
    return (drops - (this.#accounted.get(inode) ?? 0)) >>> 0;
  }

  #dealHere(growths: readonly Growth[], refusers: readonly Refuser[]): Share[] {
    const drops = growths.find(({ counter }) => counter === LISTEN_DROPS)?.count ?? 0;
    const shared = growths.filter((growth) => !isRepeated(growth, growths));
    const shares = shared.flatMap((growth) => split(growth, drops, refusers));
    this.#account(drops, refusers);
    return shares;
  }

  /**
   * What a listener refused after its namespace's counters were read stays open for the next time; where several did, or
   * one that is gone, that cannot be told.
   */
  #account(drops: number, refusers: readonly Refuser[]): void {
    const [only] = refusers;
    for (const { listener } of refusers) {
      const before = this.#accounted.get(listener.inode) ?? 0;
      const isSure = refusers.length === 1 && (only?.refused ?? 0) >= drops;
      this.#accounted.set(listener.inode, isSure ? (before + drops) >>> 0 : listener.drops);
    }
  }
}

/** `ListenDrops` where it says nothing beyond the two counters that are also in it. */
function isRepeated({ counter, count }: Growth, growths: readonly Growth[]): boolean {
  if (counter !== LISTEN_DROPS) return false;
  const told = growths.filter((growth) => growth.counter === LISTEN_OVERFLOWS || growth.counter === SYN_QUEUE_DROPS);
  return told.reduce((sum, growth) => sum + growth.count, 0) >= count;
}

function split(growth: Growth, drops: number, refusers: readonly Refuser[]): Share[] {
  let left = growth.count;
  const shares: Share[] = [];
  for (const { listener, refused } of candidates(growth, drops, refusers)) {
    const count = Math.min(left, refused);
    if (count > 0) shares.push({ growth, count, listener });
    left -= count;
  }
  return left > 0 ? [...shares, { growth, count: left }] : shares;
}

/** Listeners that may have made this counter grow: all where every drop was of this kind, else the ones whose queue is full. */
function candidates({ counter, count }: Growth, drops: number, refusers: readonly Refuser[]): readonly Refuser[] {
  if (counter === LISTEN_DROPS || count === drops || refusers.length === 1) return refusers;
  const full = refusers.filter(({ listener: { queue, backlog, synQueue } }) =>
    counter === LISTEN_OVERFLOWS ? queue > backlog : synQueue >= backlog,
  );
  return full.length === 1 ? full : [];
}
