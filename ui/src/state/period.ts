/** The chosen stretch of time: how it follows from the address, and how one moves in it. */

import { readBack } from '../format/time.ts';

/** Milliseconds since 1970. */
export interface Span {
  readonly from: number;
  readonly until: number;
}

/** Nothing shorter is shown: a millisecond is the narrowest bar. */
const SHORTEST_MS = 50;
const LONGEST_MS = 400 * 86_400_000;

export function spanOf(since: string, until: string | undefined, now: number): Span {
  const end = until === undefined ? now : (timeOf(until, now) ?? now);
  const from = timeOf(since, now) ?? end - 3_600_000;
  return from < end ? { from, until: end } : { from: end - SHORTEST_MS, until: end };
}

function timeOf(text: string, now: number): number | undefined {
  const back = readBack(text);
  if (back !== undefined) return now - back;
  const ms = Date.parse(text);
  return Number.isNaN(ms) ? undefined : ms;
}

/** The span made `factor` times as long around `center`, within the limits. */
export function zoomed({ from, until }: Span, factor: number, center = (from + until) / 2): Span {
  const length = Math.min(LONGEST_MS, Math.max(SHORTEST_MS, (until - from) * factor));
  const share = (center - from) / (until - from);
  const begin = Math.round(center - share * length);
  return { from: begin, until: begin + Math.round(length) };
}

/** The span moved by a part of its own length; not beyond `now`. */
export function panned({ from, until }: Span, share: number, now: number): Span {
  const step = Math.min(Math.round((until - from) * share), Math.max(0, Math.ceil(now - until)));
  return { from: from + step, until: until + step };
}

/** From `a` to `b` in whichever order, at least as long as may be. */
export function between(a: number, b: number): Span {
  const from = Math.round(Math.min(a, b));
  return { from, until: Math.max(from + SHORTEST_MS, Math.round(Math.max(a, b))) };
}

const STEPS_MS = [
  1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 15_000, 30_000, 60_000, 120_000, 300_000, 600_000,
  900_000, 1_800_000, 3_600_000, 7_200_000, 10_800_000, 21_600_000, 43_200_000, 86_400_000, 604_800_000,
];

/** The shortest step of those that people use with which the span has at most `most` bars. */
export function stepFor({ from, until }: Span, most: number): number {
  return STEPS_MS.find((step) => (until - from) / step <= most) ?? (STEPS_MS.at(-1) as number);
}
