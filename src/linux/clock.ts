/** The kernel's clocks, and wall-clock times for times since boot. */

import { type BootNs, bootNs, NS_PER_MS, NS_PER_S, type WallNs, wallNs } from '../base/time.ts';
import { libc } from './libc.ts';

/** include/uapi/linux/time.h */
const CLOCK_REALTIME = 0;
const CLOCK_MONOTONIC = 1;
const CLOCK_MONOTONIC_COARSE = 6;
const CLOCK_BOOTTIME = 7;

/** Both clocks at one moment. */
export interface ClockSample {
  readonly boot: BootNs;
  readonly wall: WallNs;
}

/** A change of the wall clock that was set, not slewed. */
export interface ClockStep {
  /** Wall time of the last sample before it. */
  readonly fromNs: WallNs;
  /** Wall time of the first sample after it; before `fromNs` where the clock was set back far. */
  readonly untilNs: WallNs;
  /** How far the wall clock went beyond the time that passed; negative: it was set back. */
  readonly stepNs: bigint;
}

type ClockFunction = (clock: number, timespec: BigInt64Array) => number;

const clockGettime = libc.func('int clock_gettime(int clock, void *timespec)') as unknown as ClockFunction;
const clockGetres = libc.func('int clock_getres(int clock, void *timespec)') as unknown as ClockFunction;
const adjtimex = libc.func('int adjtimex(void *timex)') as unknown as (timex: Uint8Array) => number;
const timespec = new BigInt64Array(2);
/** Larger than struct timex (208 bytes); zero modes only ask. */
const TIMEX_SIZE = 512;
/** TIME_ERROR, include/uapi/linux/timex.h: nobody keeps this clock right. */
const CLOCK_UNSYNCHRONIZED = 5;

function readTimespec(read: ClockFunction, clock: number): bigint {
  read(clock, timespec);
  return (timespec[0] as bigint) * NS_PER_S + (timespec[1] as bigint);
}

/** Time since boot, suspend included. */
export function bootNow(): BootNs {
  return bootNs(readTimespec(clockGettime, CLOCK_BOOTTIME));
}

/** Reads both clocks; of three tries the one that was interrupted least. */
export function sampleClocks(): ClockSample {
  let best: { gap: bigint; sample: ClockSample } | undefined;
  for (let i = 0; i < 3; i++) {
    const before = readTimespec(clockGettime, CLOCK_REALTIME);
    const boot = bootNow();
    const gap = readTimespec(clockGettime, CLOCK_REALTIME) - before;
    if (gap < 0n || (best && gap >= best.gap)) continue;
    best = { gap, sample: { boot, wall: wallNs(before + gap / 2n) } };
  }
  // Only when the clock was set back during each of the three tries.
  return best?.sample ?? { boot: bootNow(), wall: wallNs(readTimespec(clockGettime, CLOCK_REALTIME)) };
}

/**
 * Wall time of the moment at which CLOCK_MONOTONIC was 0: the boot, but for the time that the host was suspended. The default clock
 * of ftrace (`local`, sched_clock()) stands still in a suspend, too.
 */
export function wallFromMonotonic(): WallNs {
  const { wall } = sampleClocks();
  return wallNs(wall - readTimespec(clockGettime, CLOCK_MONOTONIC));
}

/** Nanoseconds of a jiffy, 1/HZ: the resolution of the coarse clock is one (kernel/time/posix-timers.c). */
export function jiffyNs(): number {
  return Number(readTimespec(clockGetres, CLOCK_MONOTONIC_COARSE));
}

/** Whether something (NTP, PTP) keeps the wall clock right, as the kernel was told (adjtimex(2)). */
export function isClockSynchronized(): boolean {
  return adjtimex(new Uint8Array(TIMEX_SIZE)) !== CLOCK_UNSYNCHRONIZED;
}

/** How fast the kernel slews the clock at most: MAXFREQ, 500 ppm (include/linux/timex.h). */
const SLEW_PARTS = 2000n;
/** What a sample may be wrong by. */
const SAMPLE_ERROR_NS = NS_PER_MS;

/** Turns times since boot into wall-clock times, by an offset that is sampled again and again. */
export class WallClock {
  readonly #sampler: () => ClockSample;
  #last: ClockSample;

  constructor(sampler: () => ClockSample = sampleClocks) {
    this.#sampler = sampler;
    this.#last = sampler();
  }

  /** Samples the offset anew, and tells when the wall clock was set since the last sample. A suspend is no step. */
  sample(): ClockStep | undefined {
    const from = this.#last;
    const until = this.#sampler();
    this.#last = until;
    const elapsed = until.boot - from.boot;
    const stepNs = until.wall - from.wall - elapsed;
    const size = stepNs < 0n ? -stepNs : stepNs;
    if (size <= elapsed / SLEW_PARTS + SAMPLE_ERROR_NS) return undefined;
    return { fromNs: from.wall, untilNs: until.wall, stepNs };
  }

  /** Wall-clock time of a moment, by the offset of the last sample. */
  toWall(boot: BootNs): WallNs {
    return wallNs(this.#last.wall + (boot - this.#last.boot));
  }
}
