/** One network namespace that is looked at again and again. */

import type { NetnsPlace } from '../linux/netns.ts';
import { COMPARED, Comparison, type Look } from './comparison.ts';
import { type Counted, type Growth, growths, LOSS_COUNTERS } from './loss-growth.ts';
import { NO_TOTALS, type Totals } from './recorded-totals.ts';

/** Names of the counters that are read of each namespace: what is compared, then what tells of losses. */
export const WATCHED: readonly string[] = [...COMPARED, ...LOSS_COUNTERS];

/** What was read of a namespace. */
export interface Reading {
  readonly bootNs: bigint;
  /** In the order of {@link WATCHED}. */
  readonly values: Float64Array;
  readonly devices: Counted['devices'];
  /** What was recorded up to that moment; absent when something was recorded around it. */
  readonly recorded?: Readonly<Totals>;
}

export interface WatchOptions {
  /** The namespace was made after this time; absent when it may be older than the recorder. */
  madeAfterNs?: bigint;
  /** Absent: nothing is compared. */
  tellsFailures?: boolean;
}

export class NetnsWatch {
  readonly inode: number;
  place: NetnsPlace;
  /** When its comparison was last told. */
  toldNs: bigint;
  /** Up to when its losses are known: the last look at it, or its begin. */
  lookedNs: bigint;
  readonly #tellsFailures: boolean | undefined;
  #comparison: Comparison | undefined;
  #counted: Counted | undefined;
  #values: Float64Array | undefined;

  constructor(inode: number, place: NetnsPlace, nowNs: bigint, { madeAfterNs, tellsFailures }: WatchOptions) {
    this.inode = inode;
    this.place = place;
    this.toldNs = nowNs;
    this.lookedNs = madeAfterNs ?? nowNs;
    this.#tellsFailures = tellsFailures;
    if (madeAfterNs !== undefined) {
      const zeros = new Float64Array(WATCHED.length);
      this.#counted = countedOf({ bootNs: madeAfterNs, values: zeros, devices: new Map() });
      this.#compareFrom({ bootNs: madeAfterNs, kernel: zeros, recorded: NO_TOTALS });
    } else this.#compareFrom();
  }

  /** Absent when nothing is compared. */
  get comparison(): Comparison | undefined {
    return this.#comparison;
  }

  get wasRead(): boolean {
    return this.#values !== undefined;
  }

  /** Takes what was read. @returns by how much the counters of losses grew since the last time */
  take(reading: Reading): Growth[] {
    const isOther = this.#values?.some((value, i) => (reading.values[i] as number) < value) === true;
    // The namespace is gone, and another one has got its inode number.
    if (isOther) this.#compareFrom();
    const counted = countedOf(reading);
    const grown = isOther || this.#counted === undefined ? [] : growths(this.#counted, counted);
    this.#counted = counted;
    this.#values = reading.values;
    const { recorded, bootNs, values } = reading;
    this.lookedNs = bootNs;
    if (recorded) this.#comparison?.add({ bootNs, kernel: values, recorded: { ...recorded } });
    return grown;
  }

  #compareFrom(origin?: Look): void {
    if (this.#tellsFailures !== undefined) this.#comparison = new Comparison(this.#tellsFailures, origin);
  }
}

const countedOf = ({ bootNs, values, devices }: Omit<Reading, 'recorded'>): Counted => ({
  bootNs,
  losses: values.subarray(COMPARED.length),
  devices,
});
