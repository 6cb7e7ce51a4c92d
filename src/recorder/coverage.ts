/** What the recorder could not see, as events in the stream: losses, missing probes, steps of the clock. */

import { NS_PER_S } from '../base/time.ts';
import type { CoverageEvent } from '../event/kinds.ts';
import type { ClockSample, ClockStep } from '../linux/clock.ts';

export class CoverageLedger {
  readonly #now: () => ClockSample;
  #last: ReadonlyMap<string, number> = new Map();
  #lastTime: ClockSample;

  constructor(now: () => ClockSample) {
    this.#now = now;
    this.#lastTime = now();
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
    const from = this.#lastTime.wall;
    this.#lastTime = this.#now();
    this.#last = totals;
    const { wall, boot } = this.#lastTime;
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
