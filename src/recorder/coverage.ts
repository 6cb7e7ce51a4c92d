/** What the recorder could not see, as events in the stream: losses, missing probes, steps of the clock. */

import { NS_PER_S } from '../base/time.ts';
import type { LossTotals } from '../capture/loss-counters.ts';
import type { CoverageEvent } from '../event/kinds.ts';
import type { ClockSample, ClockStep } from '../linux/clock.ts';

export class CoverageLedger {
  readonly #now: () => ClockSample;
  #last: LossTotals = { ringFull: { retransmit: 0, drop: 0, reset: 0 }, missed: 0 };
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

  /** The losses since the last call; nothing when there were none. */
  losses(totals: LossTotals): CoverageEvent[] {
    const last = this.#last;
    const from = this.#lastTime.wall;
    this.#lastTime = this.#now();
    this.#last = totals;
    const { wall, boot } = this.#lastTime;
    const lost = (count: number, why: string): CoverageEvent[] =>
      count === 0 ? [] : [{ kind: 'coverage', time: wall, bootNs: boot, from, until: wall, state: 'lost', count, why }];
    return [
      ...lost(totals.ringFull.retransmit - last.ringFull.retransmit, 'retransmissions lost: their ring was full'),
      ...lost(totals.ringFull.reset - last.ringFull.reset, 'resets lost: their ring was full'),
      ...lost(totals.ringFull.drop - last.ringFull.drop, 'drops lost: their ring was full'),
      ...lost(totals.missed - last.missed, 'events missed: the kernel skipped both programs of a probe'),
    ];
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
