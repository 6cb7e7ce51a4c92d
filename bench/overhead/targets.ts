/** What losslog is meant to reach in this benchmark, and whether it did. */

import type { Memory } from './cost.ts';
import { bytesAnEvent, cores, dropsOf, medianOf, ratesOf, ratioToAlone, resentOf } from './figures.ts';
import { ALONE, ALONE_AGAIN, type ProgramTimes, type Results, type Samples } from './results.ts';
import { median, type Spread } from './statistics.ts';

export interface Target {
  what: string;
  /** The limit, with its unit. */
  limit: string;
  measured: string;
  isMet: boolean;
  /** What the figure consists of. */
  note?: string;
}

const US = 'losslog';
const PEER = 'bpftrace';

export const percent = (share: number, digits = 1): string => `${(share * 100).toFixed(digits)} %`;

export const range = ({ median, min, max }: Spread): string =>
  `${percent(median)} (${percent(min, 0)} to ${percent(max, 0)})`.replace(/ %( to|\))/g, '$1');

const programs = ({ programs }: Results, contestant: string): ProgramTimes | undefined =>
  programs.find((times) => times.contestant === contestant);

/** Ratios as far from 1 as those of two runs alone: what the machine itself does between two runs. */
export function isWithinNoise(samples: Samples, rate: string): boolean {
  const noise = ratioToAlone(samples, ALONE_AGAIN, rate);
  const { median } = ratioToAlone(samples, US, rate);
  const reach = Math.max(1 - noise.min, noise.max - 1);
  return Math.abs(median - 1) <= reach;
}

const atMost = (what: string, limit: number, value: number, write: (value: number) => string): Target => ({
  what,
  limit: `≤ ${write(limit)}`,
  measured: write(value),
  isMet: value <= limit,
});

const atLeast = (what: string, limit: number, value: number, write: (value: number) => string): Target => ({
  what,
  limit: `≥ ${write(limit)}`,
  measured: write(value),
  isMet: value >= limit,
});

const ns = (value: number): string => `${value.toFixed(0)} ns`;
const us = (value: number): string => `${value.toFixed(1)} µs`;
const shortUs = (value: number): string => `${value.toFixed(2)} µs`;
const megabytes = (value: number): string => `${value.toFixed(0)} MB`;
const bytes = (value: number): string => `${value.toFixed(0)} bytes`;
const aSecond = (value: number): string => `${Math.round(value).toLocaleString('en')}/s`;

/** Of each kind of event, beside bpftrace's minimal script. */
function timesInBpf(results: Results): Target[] {
  const ours = programs(results, US);
  const theirs = programs(results, PEER);
  const kinds = [
    ['retransmission', 'BPF time of a retransmission, at most that of bpftrace’s minimal script'],
    ['recordedDrop', 'BPF time of a recorded drop, likewise'],
  ] as const;
  return kinds.flatMap(([kind, what]) => {
    const [our, their] = [ours?.[kind]?.nsAnEvent, theirs?.[kind]?.nsAnEvent];
    return our !== undefined && their !== undefined ? [atMost(what, their, our, ns)] : [];
  });
}

/**
 * The program that is entered only to find the event handled costs little more than its measuring: its time is
 * taken from that of each program.
 */
export function netOfMeasuring(nsARun: readonly number[]): number {
  const measuring = Math.min(...nsARun);
  return nsARun.reduce((sum, run) => sum + run - measuring, 0);
}

function countedDrop(results: Results): Target[] {
  const time = programs(results, US)?.floodDrop;
  if (!time) return [];
  const target = atMost(
    'BPF time of a drop that is only counted, without the measuring',
    150,
    netOfMeasuring(time.nsARun),
    ns,
  );
  const raw = time.nsARun.map((run) => run.toFixed(0)).join(' + ');
  return [{ ...target, measured: `${target.measured} (${raw} with it)` }];
}

function inFlood({ flood }: Results): Target[] {
  const drops = dropsOf(flood, US);
  const resent = resentOf(flood, US, 'segments');
  const kinds = ['peak', 'anonymous', 'file', 'shared'] as const;
  const memory = Object.fromEntries(
    kinds.map((kind) => [kind, medianOf(flood, US, (seen) => seen.memory[kind])]),
  ) as unknown as Memory;
  const off = drops.single + drops.counted - drops.happened;
  return [
    atLeast('flood: packets dropped alone', 300_000, median(ratesOf(flood, ALONE, 'wall')), aSecond),
    atLeast('flood: the sender keeps, by its CPU time', 0.9, ratioToAlone(flood, US, 'cpu').median, percent),
    atLeast('flood: the sender keeps, by the clock', 0.9, ratioToAlone(flood, US, 'wall').median, percent),
    atMost('flood: CPU of user space, of one core', 0.25, medianOf(flood, US, cores), percent),
    {
      what: 'flood: drops recorded or counted',
      limit: `${drops.happened}`,
      measured: `${drops.single + drops.counted}`,
      isMet: off === 0,
    },
    {
      what: 'flood: retransmissions recorded beside it',
      limit: `${resent.happened}`,
      measured: `${resent.single}`,
      isMet: resent.single === resent.happened,
    },
    {
      ...atMost('flood: peak resident memory', 120, memory.peak, megabytes),
      note: memoryNote(memory),
    },
  ];
}

/** The fixed part is the larger, the shorter a run is. */
function storeNote({ bulk, idle }: Results): string {
  const empty = idle[US]?.bytes ?? 0;
  const each = medianOf(bulk, US, ({ tally }) => (tally.bytes - empty) / tally.retransmissions);
  const events = medianOf(bulk, US, ({ tally }) => tally.retransmissions);
  return `an empty store is ${bytes(empty)}; without them it is ${bytes(each)} for each of ${events} events`;
}

export const residentOf = ({ anonymous, file, shared }: Memory): number => anonymous + file + shared;

const memoryNote = ({ anonymous, file, shared }: Memory): string =>
  `${megabytes(anonymous)} anonymous (V8's heap, malloc, SQLite's cache), ${megabytes(file)} of files (the binary of Node.js, shared with all that run it), ${megabytes(shared)} shared`;

function inBulk(results: Results): Target[] {
  const { bulk, steady } = results;
  const rates = [
    ['clean', 'iperf3 without loss, by that alone: within the noise'],
    ['lossy', 'iperf3 at 1 % loss, likewise'],
  ] as const;
  return [
    ...rates.map(([rate, what]) => ({
      what,
      limit: range(ratioToAlone(bulk, ALONE_AGAIN, rate)),
      measured: range(ratioToAlone(bulk, US, rate)),
      isMet: isWithinNoise(bulk, rate),
    })),
    atMost(
      'CPU of a stored retransmission, warm: drain, decode, enrich, store',
      4,
      median(steady[US]?.cpuUs ?? []),
      us,
    ),
    {
      ...atMost(
        'bytes on disk of a stored retransmission, before indexes',
        110,
        medianOf(bulk, US, bytesAnEvent),
        bytes,
      ),
      note: storeNote(results),
    },
  ];
}

function inUserSpace({ drain: { drops, retransmissions } }: Results): Target[] {
  return [
    atMost('drain and decode: CPU of an event', 0.3, Math.max(drops.cpuUs, retransmissions.cpuUs), shortUs),
    atLeast(
      'drain and decode: events on one core',
      1_000_000,
      Math.min(drops.eventsASecond, retransmissions.eventsASecond),
      aSecond,
    ),
  ];
}

function atRest({ idle }: Results): Target[] {
  const ours = idle[US];
  if (!ours) return [];
  return [
    atMost('idle: CPU, of one core', 0.001, median(ours.cores), (value) => percent(value, 3)),
    { ...atMost('idle: resident memory', 90, residentOf(ours.memory), megabytes), note: memoryNote(ours.memory) },
  ];
}

export const targetsOf = (results: Results): Target[] => [
  ...timesInBpf(results),
  ...countedDrop(results),
  ...inFlood(results),
  ...inBulk(results),
  ...inUserSpace(results),
  ...atRest(results),
];
