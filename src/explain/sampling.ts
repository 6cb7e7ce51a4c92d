/**
 * What of a long or stormy period is examined event by event. The rollups of the store tell how much happened in each
 * minute; what is rare and what is sudden is looked at whole, of the rest a part that stands for all of it.
 */

import { NS_PER_MINUTE, type WallNs, wallNs } from '../base/time.ts';
import type { Filter } from '../event/filter.ts';
import type { StoreReader } from '../store/store.ts';

/** A stretch that is examined. */
export interface Sample {
  readonly since: WallNs;
  readonly until: WallNs;
  /** For how many events each one stands. */
  readonly weight: number;
}

export interface Sampling {
  /** In order, not overlapping. */
  samples: Sample[];
  /** The part of the events of the period that they hold. */
  share: number;
}

/** Events examined at most, about: some third of a second of work. */
const BUDGET = 50_000;
/** A reason or cause with no more events in all of the period is looked at whole. */
const RARE = 300;
/** A minute with so many times the events of the middle one is looked at whole. */
const SUDDEN = 3;
/** What stands for the rest is taken in pieces of so many minutes. */
const PIECE_MINUTES = 10;

export function sampling(reader: StoreReader, filter: Filter, since: WallNs, until: WallNs): Sampling {
  const whole: Sampling = { samples: [{ since, until, weight: 1 }], share: 1 };
  const from = wallNs((since / NS_PER_MINUTE) * NS_PER_MINUTE);
  const points = Number((until - from + NS_PER_MINUTE - 1n) / NS_PER_MINUTE);
  const rows = reader.series(
    { since, until, ...(filter.kinds ? { kinds: filter.kinds } : {}) },
    { from, stepNs: NS_PER_MINUTE, points },
  );
  const counts = Array.from({ length: points }, (_, i) => rows.reduce((sum, row) => sum + (row.counts[i] ?? 0), 0));
  const total = sumOf(counts);
  if (total <= BUDGET) return whole;
  const rare = rows.filter((row) => sumOf(row.counts) <= RARE);
  const weights = weightsOf(counts, (i) => rare.some((row) => (row.counts[i] ?? 0) > 0));
  const samples = samplesOf(counts, weights, from).map((sample) => clipped(sample, since, until));
  const examined = counts.reduce((sum, count, i) => sum + ((weights[i] ?? 0) > 0 ? count / shrinkOf(count) : 0), 0);
  return { samples: samples.filter((sample) => sample.since < sample.until), share: examined / total };
}

const sumOf = (counts: readonly number[]): number => counts.reduce((sum, count) => sum + count, 0);

/** Whether a filter asks for nothing that the rollups of minutes do not know. */
export const isTimeOnly = ({ since, until, kinds, all, ...rest }: Filter): boolean =>
  Object.values(rest).every((value) => value === undefined);

/** A minute with more is examined in part only: its begin. */
const MOST_OF_MINUTE = BUDGET / 8;
const shrinkOf = (count: number): number => Math.max(1, count / MOST_OF_MINUTE);
const costOf = (count: number): number => count / shrinkOf(count);

/** For how many events one of each minute stands; 0 for minutes that are not examined. */
export function weightsOf(counts: readonly number[], isRare: (minute: number) => boolean): number[] {
  const weights = counts.map(() => 0);
  let left = BUDGET;
  const take = (minutes: readonly number[], upTo: number): void => {
    for (const minute of minutes) {
      const cost = costOf(counts[minute] as number);
      if (weights[minute] !== 0 || cost > left - upTo) continue;
      weights[minute] = 1;
      left -= cost;
    }
  };
  const busy = [...counts.keys()].filter((minute) => (counts[minute] as number) > 0);
  const middle = median(busy.map((minute) => counts[minute] as number));
  take(busy.filter(isRare), BUDGET / 2);
  const sudden = busy.filter((minute) => (counts[minute] as number) > SUDDEN * middle);
  take(
    sudden.sort((a, b) => (counts[b] as number) - (counts[a] as number)),
    BUDGET / 4,
  );
  takeEvenly(counts, weights, left);
  return weights;
}

/** Gives the minutes that are left a weight, a piece of some minutes in every so many. */
function takeEvenly(counts: readonly number[], weights: number[], budget: number): void {
  const rest = [...counts.keys()].filter((minute) => weights[minute] === 0 && (counts[minute] as number) > 0);
  const all = rest.reduce((sum, minute) => sum + costOf(counts[minute] as number), 0);
  if (all === 0) return;
  const every = Math.max(1, Math.ceil(all / budget));
  const taken = rest.filter((minute) => Math.floor(minute / PIECE_MINUTES) % every === 0);
  const some = taken.length > 0 ? taken : rest.slice(0, 1);
  const share =
    sumOf(some.map((minute) => counts[minute] as number)) / sumOf(rest.map((minute) => counts[minute] as number));
  for (const minute of some) weights[minute] = 1 / share;
}

function median(numbers: number[]): number {
  return numbers.sort((a, b) => a - b)[numbers.length >> 1] ?? 0;
}

/** Minutes of equal weight that follow each other are one sample; a crowded one is cut short. */
function samplesOf(counts: readonly number[], weights: readonly number[], from: WallNs): Sample[] {
  const samples: Sample[] = [];
  for (const [minute, weight] of weights.entries()) {
    if (weight === 0) continue;
    const shrink = shrinkOf(counts[minute] as number);
    const since = wallNs(from + BigInt(minute) * NS_PER_MINUTE);
    const until = wallNs(since + BigInt(Math.round(Number(NS_PER_MINUTE) / shrink)));
    const last = samples.at(-1);
    if (last?.until === since && last.weight === weight * shrink) samples[samples.length - 1] = { ...last, until };
    else samples.push({ since, until, weight: weight * shrink });
  }
  return samples;
}

function clipped({ since, until, weight }: Sample, from: WallNs, to: WallNs): Sample {
  return { since: since < from ? from : since, until: until > to ? to : until, weight };
}
