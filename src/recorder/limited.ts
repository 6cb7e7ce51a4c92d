/** The stretches in which events were only counted, as coverage. */

import type { Counted } from '../capture/capture.ts';
import type { CoverageEvent, SummaryEvent } from '../event/kinds.ts';
import type { ClockSample } from '../linux/clock.ts';

/** A storm that goes on is told of this often, so that a look at the store meanwhile shows it. */
const TELL_AFTER_NS = 10_000_000_000n;

interface Stretch {
  from: bigint;
  until: bigint;
  count: number;
  noRoom: number;
}

export class LimitedStretches {
  readonly #now: () => ClockSample;
  #stretch: Stretch | undefined;

  constructor(now: () => ClockSample) {
    this.#now = now;
  }

  /** To be called each second with what was counted in it. @returns a stretch that has ended, or is long enough to tell. */
  note({ summaries, noRoom }: Counted): CoverageEvent[] {
    if (summaries.length === 0) return this.end();
    const events = summaries.map(({ event }) => event as SummaryEvent);
    const stretch = this.#stretch ?? { from: (events[0] as SummaryEvent).from, until: 0n, count: 0, noRoom };
    if (this.#stretch) stretch.noRoom += noRoom;
    for (const { from, until, events: count } of events) {
      if (from < stretch.from) stretch.from = from;
      if (until > stretch.until) stretch.until = until;
      stretch.count += count;
    }
    this.#stretch = stretch;
    return stretch.until - stretch.from < TELL_AFTER_NS ? [] : this.end();
  }

  /** Ends the stretch that goes on, if one does. */
  end(): CoverageEvent[] {
    const stretch = this.#stretch;
    if (stretch === undefined) return [];
    this.#stretch = undefined;
    const { from, until, count, noRoom } = stretch;
    const { wall, boot } = this.#now();
    return [{ kind: 'coverage', time: wall, bootNs: boot, from, until, state: 'limited', count, why: whyOf(noRoom) }];
  }
}

const whyOf = (noRoom: number): string =>
  noRoom === 0
    ? 'beyond the limits: counted in summaries, not recorded one by one'
    : `counted in summaries, not recorded one by one: ${noRoom} found a ring full, the rest was beyond the limits`;
