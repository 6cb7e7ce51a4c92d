/** What is read off the samples of one contestant. */

import { total } from './cost.ts';
import type { Truth } from './loads.ts';
import type { Sample, Seen } from './measure.ts';
import { ALONE, type Samples } from './results.ts';
import { median, pairedRatios, type Spread, spreadOf } from './statistics.ts';

const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);

export const samplesOf = (samples: Samples, contestant: string): readonly Sample[] => {
  const found = samples[contestant];
  if (!found) throw new RangeError(`no samples of ${contestant}`);
  return found;
};

export const ratesOf = (samples: Samples, contestant: string, rate: string): number[] =>
  samplesOf(samples, contestant).map(({ rates }) => rates[rate] as number);

/** A contestant's rate by that of the load alone in the same round. */
export const ratioToAlone = (samples: Samples, contestant: string, rate: string): Spread =>
  spreadOf(pairedRatios(ratesOf(samples, contestant, rate), ratesOf(samples, ALONE, rate)));

/** Nanoseconds of CPU that each packet of the flood costs its sender more than alone; median of the rounds. */
export function addedNsAPacket(flood: Samples, contestant: string): number {
  const base = ratesOf(flood, ALONE, 'cpu');
  return median(ratesOf(flood, contestant, 'cpu').map((rate, at) => (1 / rate - 1 / (base[at] as number)) * 1e9));
}

const seenOf = (samples: Samples, contestant: string): Seen[] =>
  samplesOf(samples, contestant).flatMap(({ seen }) => (seen ? [seen] : []));

export const medianOf = (samples: Samples, contestant: string, value: (seen: Seen) => number): number =>
  median(seenOf(samples, contestant).map(value));

/** Of one core, while the load ran. */
export const cores = ({ cpu, seconds }: Seen): number => total(cpu) / seconds;

/** Microseconds of CPU of an event that happened; in the bulk traffic contestants look at retransmissions only. */
export function cpuUsAnEvent(
  samples: Samples,
  contestant: string,
  when: 'load' | 'end',
  events: readonly (keyof Truth)[],
): number {
  const each = samplesOf(samples, contestant).flatMap(({ seen, part }) =>
    seen ? [total(when === 'load' ? seen.cpu : seen.cpuOfEnd) / sum(events.map((event) => part[event]))] : [],
  );
  return median(each) * 1e6;
}

/** On disk, of an event that was recorded by itself. */
export const bytesAnEvent = ({ tally }: Seen): number => tally.bytes / (tally.retransmissions + (tally.drops ?? 0));

/** All rounds together: what the kernel counted, and what became of it. */
export interface Completeness {
  happened: number;
  /** One by one. */
  single: number;
  counted: number;
  toldLost: number;
  /** Neither recorded nor told; less than none when it recorded others' events, too. */
  silent: number;
}

function completeness(parts: readonly Omit<Completeness, 'silent'>[]): Completeness {
  const of = (key: keyof Omit<Completeness, 'silent'>): number => sum(parts.map((part) => part[key]));
  const all = { happened: of('happened'), single: of('single'), counted: of('counted'), toldLost: of('toldLost') };
  return { ...all, silent: all.happened - all.single - all.counted - all.toldLost };
}

export const dropsOf = (samples: Samples, contestant: string): Completeness =>
  completeness(
    samplesOf(samples, contestant).map(({ truth, seen }) => ({
      happened: truth.drops,
      single: seen?.tally.drops ?? 0,
      counted: seen?.tally.counted ?? 0,
      toldLost: seen?.tally.toldLost ?? 0,
    })),
  );

/**
 * Retransmissions in the unit that the contestant tells: segments as TcpRetransSegs, or the tracepoint's events, of which one may be
 * several segments.
 */
export const resentOf = (samples: Samples, contestant: string, unit: 'segments' | 'events'): Completeness =>
  completeness(
    samplesOf(samples, contestant).map(({ truth, seen }) => ({
      happened: unit === 'segments' ? truth.segments : (truth.retransmissions ?? truth.segments),
      single: (unit === 'segments' ? seen?.tally.segments : undefined) ?? seen?.tally.retransmissions ?? 0,
      counted: 0,
      toldLost: seen?.tally.toldLost ?? 0,
    })),
  );
