/** What the recorder could not see, as events in the stream: losses, missing probes, steps of the clock. */

import { NS_PER_S, type WallNs, wallNs } from '../base/time.ts';
import type { CoverageEvent } from '../event/kinds.ts';
import type { ClockSample, ClockStep } from '../linux/clock.ts';

/** Losses told so far, by the sentence that says why, and when that was. */
export interface ToldLosses {
  readonly totals: ReadonlyMap<string, number>;
  readonly until: ClockSample;
}

export class CoverageLedger {
  readonly #now: () => ClockSample;
  #last: ReadonlyMap<string, number> = new Map();
  #lastTime: ClockSample;

  /** @param told what an earlier recorder told of the same counters */
  constructor(now: () => ClockSample, told?: ToldLosses) {
    this.#now = now;
    this.#last = told?.totals ?? new Map();
    this.#lastTime = told?.until ?? now();
  }

  /** What this kernel does not show, a sentence each. */
  blind(whys: readonly string[]): CoverageEvent[] {
    const { wall, boot } = this.#now();
    return whys.map((why) => ({
      kind: 'coverage',
      time: wall,
      bootNs: boot,
      from: wall,
      until: wall,
      state: 'blind',
      why,
    }));
  }

  /**
   * The losses since the last call; nothing when there were none.
   * @param totals since the beginning, by the sentence that says why
   */
  losses(totals: ReadonlyMap<string, number>): CoverageEvent[] {
    const last = this.#last;
    const before = this.#lastTime.boot;
    this.#lastTime = this.#now();
    this.#last = totals;
    const { wall, boot } = this.#lastTime;
    // By the clock as it is now: it may have been set since.
    const from = wallNs(wall - (boot - before));
    const grown = [...totals].map(([why, total]) => ({ why, count: total - (last.get(why) ?? 0) }));
    return grown
      .filter(({ count }) => count !== 0)
      .map(({ why, count }) => ({
        kind: 'coverage',
        time: wall,
        bootNs: boot,
        from,
        until: wall,
        state: 'lost',
        count,
        why,
      }));
  }

  /** What {@link losses} has told. */
  get told(): ToldLosses {
    return { totals: this.#last, until: this.#lastTime };
  }

  /** A stretch of which there is more to say than whether a recorder ran. */
  stretch(state: CoverageEvent['state'], from: WallNs, why: string, count?: number): CoverageEvent {
    const { wall, boot } = this.#now();
    const known = count === undefined ? {} : { count };
    return { kind: 'coverage', time: wall, bootNs: boot, from, until: wall, state, ...known, why };
  }

  /** The wall clock was set: times before and after do not compare. */
  clockStep({ fromNs, untilNs, stepNs }: ClockStep): CoverageEvent {
    const seconds = Number(stepNs) / Number(NS_PER_S);
    return {
      kind: 'coverage',
      time: untilNs,
      bootNs: this.#now().boot,
      from: fromNs,
      until: untilNs,
      state: 'recording',
      why: `the wall clock was set ${stepNs < 0n ? 'back' : 'forward'} by ${Math.abs(seconds).toFixed(3)} s`,
    };
  }
}
