/** Time stamps of a trace log, in two numbers: nanoseconds of a long uptime are no exact number. */

export interface Stamp {
  /** Whole seconds; NaN for a stamp that counts something else (`trace_clock` counter, x86-tsc, uptime) or from the trace's begin. */
  readonly seconds: number;
  /** What is beyond them, 0 to 999,999,999. */
  readonly ns: number;
}

export const NO_TIME: Stamp = { seconds: Number.NaN, ns: 0 };

/** 317 years: what is beyond is no time. */
const MAX_SECONDS = 1e10;
const DIGITS = 9;
const DOT = 0x2e;
const ZERO = 0x30;

/** Reads `2621728.977959` between two places of a line; all that is not of that form is no time. */
export function stampOf(line: string, begin = 0, end = line.length): Stamp {
  let seconds = 0;
  let at = begin;
  for (let digit = digitAt(line, at); at < end && digit >= 0 && digit <= 9; digit = digitAt(line, ++at))
    seconds = seconds * 10 + digit;
  if (at === begin || at === end || line.charCodeAt(at) !== DOT || seconds >= MAX_SECONDS) return NO_TIME;
  let ns = 0;
  for (let place = 1; place <= DIGITS; place++) ns = ns * 10 + (at + place < end ? digitAt(line, at + place) : 0);
  return ns >= 0 && ns < 1e9 ? { seconds, ns } : NO_TIME;
}

const digitAt = (line: string, at: number): number => line.charCodeAt(at) - ZERO;

/** Seconds whose nanoseconds are an exact number. */
const MAX_QUICK_SECONDS = 9_000_000;

/** Nanoseconds; undefined where the stamp is no time. */
export function stampNs({ seconds, ns }: Stamp): bigint | undefined {
  if (seconds < MAX_QUICK_SECONDS) return BigInt(seconds * 1e9 + ns);
  return seconds >= MAX_QUICK_SECONDS ? BigInt(seconds) * 1_000_000_000n + BigInt(ns) : undefined;
}
