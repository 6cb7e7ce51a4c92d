/** How many events become records of their own; the kernel side counts the rest (bpf/limit.h, docs/design/storms.md). */

import { bound, lane, limit, rodata } from '../wire/layout.ts';

/** Records a second; 0: no limit. */
export interface RateLimit {
  /** Of one key: of one connection, or of one reason at one place in one network namespace. */
  readonly perKey: number;
  /** Of all keys together. */
  readonly total: number;
}

export interface Limits {
  readonly drops: RateLimit;
  /** Retransmissions and resets. */
  readonly connections: RateLimit;
}

/**
 * What a recorder stores with less than a quarter of a core (docs/design/storms.md). A flood of drops would else push
 * everything else out of a store of 1 GiB within the hour: 100 a second are 60 MB an hour.
 */
export const DEFAULT_LIMITS: Limits = {
  drops: { perKey: 100, total: 1000 },
  connections: { perKey: 5000, total: 10_000 },
};

export const NO_LIMITS: Limits = { drops: { perKey: 0, total: 0 }, connections: { perKey: 0, total: 0 } };

/**
 * A key, and all together, may be so many seconds' worth of records ahead. Of drops so many that an ordinary incident is
 * recorded whole (by default 10,000 of a key, which the ring holds at once, and 20,000 in all) and `why` can join each:
 * only what goes on for long or comes in floods is limited.
 */
export const BURST_SECONDS: { readonly [lane in keyof Limits]: RateLimit } = {
  drops: { perKey: 100, total: 20 },
  connections: { perKey: 1, total: 1 },
};

/** Writes the limits into the constants of the kernel side. @param hz jiffies a second */
export function writeLimits(view: DataView, limits: Limits, hz: number): void {
  const write = (at: number, perSecond: number, burstSeconds: number): void => {
    if (perSecond === 0) return;
    const partsASecond = hz * bound.jiffyParts;
    view.setBigUint64(at + limit.interval, BigInt(Math.max(1, Math.round(partsASecond / perSecond))), true);
    view.setBigUint64(at + limit.burst, BigInt(Math.round(partsASecond * burstSeconds)), true);
  };
  for (const [at, name] of [
    [lane.drop, 'drops'],
    [lane.connection, 'connections'],
  ] as const) {
    write(rodata.limitKey + at * limit.size, limits[name].perKey, BURST_SECONDS[name].perKey);
    write(rodata.limitTotal + at * limit.size, limits[name].total, BURST_SECONDS[name].total);
  }
}
