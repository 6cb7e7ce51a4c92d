/** One run of a load, seen by one contestant or by none. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Cgroup } from '../../lab/cgroup.ts';
import { CleanupStack } from '../../lab/cleanup.ts';
import type { Lab } from '../../lab/lab.ts';
import type { Contestant, Running, Tally, Watch } from './contestants/contestant.ts';
import { countRetransmissions } from './contestants/perf.ts';
import { type Cpu, cpuOf, cpuSince, type Memory, memoryOf } from './cost.ts';
import type { Load, Rates, Truth } from './loads.ts';

/** Until then what was recorded is written. */
export const SETTLE_MS = 1200;
/** Until then a contestant has started: what that takes is a figure of its own (start-up.ts). */
const STARTED_MS = 3000;

/** What a contestant has taken and told of one run of a load. */
export interface Seen {
  /** From the begin of the load until the contestant has come to rest, in `seconds`. */
  cpu: Cpu;
  seconds: number;
  /** Until it has ended, from then on. */
  cpuOfEnd: Cpu;
  memory: Memory;
  tally: Tally;
}

export interface Sample {
  rates: Rates;
  /** While the contestant ran; `retransmissions` as events of the tracepoint, where they were counted. */
  truth: Truth & { retransmissions?: number };
  /** In the part of the load of which the cost counts. */
  part: Truth;
  /** Absent: nothing ran beside the load. */
  seen?: Seen;
}

let runs = 0;

/** Starts a contestant in a cgroup and a directory of its own, which are gone when `use` has ended. */
export async function running<T>(
  lab: Lab,
  contestant: Contestant,
  watch: Omit<Watch, 'cgroup' | 'directory'>,
  use: (running: Running, cgroup: Cgroup) => Promise<T>,
): Promise<T> {
  const cleanup = new CleanupStack();
  try {
    const directory = mkdtempSync(join(tmpdir(), 'losslog-bench-'));
    cleanup.defer(() => rmSync(directory, { recursive: true, force: true, maxRetries: 10 }));
    const cgroup = lab.cgroup(`run-${runs++}`);
    const started = await contestant.start({ ...watch, cgroup, directory });
    cleanup.defer(() => started.close());
    return await use(started, cgroup);
  } finally {
    cleanup.run();
  }
}

export const truthSince = (now: Truth, before: Truth): Truth => ({
  segments: now.segments - before.segments,
  drops: now.drops - before.drops,
});

export interface PlayOptions {
  /** Count the retransmissions as events, too, by perf stat. */
  countEvents: boolean;
}

interface Played extends Sample {
  cpu: Cpu;
  seconds: number;
}

const NO_CPU: Cpu = { user: 0, system: 0 };

/** Runs a load to its end, and a little longer. `cpuNow` is read around the part of which the cost counts. */
export async function play(load: Load, { countEvents }: PlayOptions, cpuNow = (): Cpu => NO_CPU): Promise<Played> {
  const atStart = load.truth();
  const counting = countEvents ? await countRetransmissions() : undefined;
  const ratesBefore = await load.before?.();
  const atPart = load.truth();
  const cpuAtPart = cpuNow();
  const begin = performance.now();
  const rates = { ...ratesBefore, ...(await load.run()) };
  await sleep(SETTLE_MS);
  const cpu = cpuSince(cpuNow(), cpuAtPart);
  const seconds = (performance.now() - begin) / 1000;
  const retransmissions = await counting?.end();
  const atEnd = load.truth();
  const truth = { ...truthSince(atEnd, atStart), ...(retransmissions !== undefined && { retransmissions }) };
  return { rates, truth, part: truthSince(atEnd, atPart), cpu, seconds };
}

/** A run of the load by itself. */
export async function alone(load: Load, options: PlayOptions): Promise<Sample> {
  const { rates, truth, part } = await play(load, options);
  return { rates, truth, part };
}

/** A run of the load that a contestant records. */
export function beside(lab: Lab, load: Load, contestant: Contestant, options: PlayOptions): Promise<Sample> {
  const { hosts, captureAt, events } = load;
  return running(lab, contestant, { hosts, captureAt, events }, async ({ stop }, cgroup) => {
    await sleep(STARTED_MS);
    const { rates, truth, part, cpu, seconds } = await play(load, options, () => cpuOf(cgroup));
    const memory = memoryOf(cgroup);
    const before = cpuOf(cgroup);
    const tally = await stop();
    const cpuOfEnd = cpuSince(cpuOf(cgroup), before);
    return { rates, truth, part, seen: { cpu, seconds, cpuOfEnd, memory, tally } };
  });
}
