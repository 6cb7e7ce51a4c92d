/** The account of what could not be stored, kept until it can be stored itself. */

import { type WallNs, wallNs } from '../base/time.ts';
import type { CoverageEvent, Event } from '../event/kinds.ts';

interface Stretch {
  from: bigint;
  until: bigint;
  count: number;
  readonly why: string;
}

/** As many stretches are kept apart; further ones are added to the last. */
const MAX_STRETCHES = 64;

export class Losses {
  #stretches: Stretch[] = [];
  /** The stretch that is going on. */
  #present: Stretch | undefined;
  #total = 0;

  /** Events that were never stored, since the begin. */
  get total(): number {
    return this.#total;
  }

  get isEmpty(): boolean {
    return this.#stretches.length === 0;
  }

  /** What no stored event tells of: how many, and why the first of them. */
  get untold(): { count: number; why: string } | undefined {
    const count = this.#stretches.reduce((sum, stretch) => sum + stretch.count, 0);
    return count === 0 ? undefined : { count, why: this.#stretches[0]?.why ?? '' };
  }

  /** Counts events as lost. Until {@link endStretch} they join one stretch, whose reason is its first. */
  add(events: readonly Event[], why: string): void {
    const [first] = events;
    if (!first) return;
    const count = events.reduce((sum, event) => sum + (event.kind === 'summary' ? event.events : 1), 0);
    this.#total += count;
    this.#present ??= this.#begin(first.time, why);
    for (const { time } of events) extend(this.#present, time);
    this.#present.count += count;
  }

  /** Notes a stretch of which stored events are no longer there. @param count 0 when nobody knows how many. */
  addGone(count: number, from: bigint, until: bigint, why: string): void {
    const stretch = this.#begin(from, why);
    extend(stretch, until);
    stretch.count += count;
  }

  /** Storing works again: what is lost from now on is another stretch. */
  endStretch(): void {
    this.#present = undefined;
  }

  /** Hands over the stretches; {@link restore} them when they could not be stored. The total stays. */
  take(): Stretch[] {
    const taken = this.#stretches;
    this.#stretches = [];
    this.#present = undefined;
    return taken;
  }

  restore(stretches: readonly Stretch[]): void {
    this.#stretches.unshift(...stretches);
  }

  #begin(at: bigint, why: string): Stretch {
    const last = this.#stretches.at(-1);
    if (last && this.#stretches.length >= MAX_STRETCHES) return last;
    const stretch = { from: at, until: at, count: 0, why };
    this.#stretches.push(stretch);
    return stretch;
  }
}

function extend(stretch: Stretch, time: bigint): void {
  if (time < stretch.from) stretch.from = time;
  if (time > stretch.until) stretch.until = time;
}

/** The coverage event that tells of a stretch. @param now the time that it carries. */
export function coverageOf({ from, until, count, why }: Stretch, now: WallNs): CoverageEvent {
  const known = count > 0 ? { count } : {};
  return { kind: 'coverage', time: now, from: wallNs(from), until: wallNs(until), state: 'lost', ...known, why };
}
