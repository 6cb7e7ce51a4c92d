/** Medians of alternated runs, and ratios of runs of the same round. */

/** @throws when there is no value */
export function median(values: readonly number[]): number {
  if (values.length === 0) throw new RangeError('no median of nothing');
  const sorted = values.toSorted((a, b) => a - b);
  const upper = sorted[sorted.length >> 1] as number;
  return sorted.length % 2 === 1 ? upper : ((sorted[(sorted.length >> 1) - 1] as number) + upper) / 2;
}

/** What is in the middle of some values, and how far they reach. */
export interface Spread {
  median: number;
  min: number;
  max: number;
}

export const spreadOf = (values: readonly number[]): Spread => ({
  median: median(values),
  min: Math.min(...values),
  max: Math.max(...values),
});

/**
 * Of each value its ratio to the one at the same place: both were measured in the same round, so that what disturbed one
 * mostly disturbed the other. @throws when there are not as many of both
 */
export function pairedRatios(values: readonly number[], bases: readonly number[]): number[] {
  if (values.length !== bases.length) throw new RangeError(`${values.length} values for ${bases.length} bases`);
  return values.map((value, at) => value / (bases[at] as number));
}

/** The list, begun at another place in each round, so that no one always runs first. */
export const rotated = <T>(list: readonly T[], round: number): T[] => {
  const at = list.length === 0 ? 0 : round % list.length;
  return [...list.slice(at), ...list.slice(0, at)];
};
