/** Time as a session of the store reckons it: by the wall clock, and by a clock that nobody sets. */

import { type WallNs, wallNs } from '../base/time.ts';

export interface Clocks {
  now(): WallNs;
  /** In ns since any moment; absent for a store of the past. */
  steady: (() => bigint) | undefined;
  /** Whether something keeps the wall clock right. */
  isSynchronized(): boolean;
}

export class SessionClock {
  /** By the wall clock. */
  readonly started: WallNs;
  readonly #clocks: Clocks;
  readonly #begin: bigint | undefined;

  constructor(clocks: Clocks) {
    this.#clocks = clocks;
    this.started = clocks.now();
    this.#begin = clocks.steady?.();
  }

  /** Time since the start; undefined where only the wall clock tells. */
  get elapsed(): bigint | undefined {
    return this.#begin === undefined ? undefined : (this.#clocks.steady as () => bigint)() - this.#begin;
  }

  /** The time for which ages are reckoned. A wall clock that was set forward, and that nothing keeps right, must not end the history of yesterday. */
  get forAges(): WallNs {
    const now = this.#clocks.now();
    const { elapsed } = this;
    if (elapsed === undefined || this.#clocks.isSynchronized()) return now;
    const counted = wallNs(this.started + elapsed);
    return now < counted ? now : counted;
  }
}
