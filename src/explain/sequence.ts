/** Sequence numbers of TCP: modulo 2^32 (RFC 9293 3.4). */

/** Sequence numbers from `begin` on and before `end`. */
export interface Range {
  readonly begin: number;
  readonly end: number;
}

/** How far `b` is behind `a`; negative when before. Right for distances below 2^31. */
export const distance = (a: number, b: number): number => (b - a) | 0;

export const lengthOf = ({ begin, end }: Range): number => (end - begin) >>> 0;

/** What two ranges share; undefined when nothing. */
export function overlap(a: Range, b: Range): Range | undefined {
  const offset = distance(a.begin, b.begin);
  const from = Math.max(0, offset);
  const to = Math.min(lengthOf(a), offset + lengthOf(b));
  return to > from ? { begin: (a.begin + from) >>> 0, end: (a.begin + to) >>> 0 } : undefined;
}

/** What ranges share with others, none of which overlap among themselves. */
export const overlaps = (some: readonly Range[], others: readonly Range[]): Range[] =>
  some.flatMap((a) => others.map((b) => overlap(a, b))).filter((shared) => shared !== undefined);

/** What is left of `a` without `b`: none, one or two ranges. */
export function without(a: Range, b: Range): Range[] {
  const shared = overlap(a, b);
  if (!shared) return [a];
  return [
    { begin: a.begin, end: shared.begin },
    { begin: shared.end, end: a.end },
  ].filter((range) => range.begin !== range.end);
}

/** What is left of all of `ranges` without `b`. */
export const allWithout = (ranges: readonly Range[], b: Range): Range[] => ranges.flatMap((a) => without(a, b));
