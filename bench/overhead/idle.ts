/** What contestants take while nothing happens. */

import { setTimeout as sleep } from 'node:timers/promises';
import type { Cgroup } from '../../lab/cgroup.ts';
import type { Lab } from '../../lab/lab.ts';
import type { Contestant, Tally, Watch } from './contestants/contestant.ts';
import { cpuOf, type Memory, memoryOf, total } from './cost.ts';
import type { Load } from './loads.ts';
import { running } from './measure.ts';

export interface Idle {
  /** Of one core, by interval. */
  cores: number[];
  memory: Memory;
  /** On disk at its end, without a single event. */
  bytes: number;
}

interface IdleOptions {
  /** Before the first interval: a runtime that compiles as it goes does so for two minutes, the less the longer. */
  restSeconds: number;
  intervals: number;
  seconds: number;
}

/** All at once, since none of them does anything. */
export async function idle(
  lab: Lab,
  load: Load,
  contestants: readonly Contestant[],
  options: IdleOptions,
): Promise<Record<string, Idle>> {
  const { hosts, captureAt } = load;
  const watch = { hosts, captureAt, events: ['retransmission', 'drop'] as const };
  const { result, tallies } = await together(lab, contestants, watch, async (cgroups) => {
    await sleep(options.restSeconds * 1000);
    return { cores: await coresOf(cgroups, options), memory: cgroups.map(memoryOf) };
  });
  const idleOf = (at: number): Idle => ({
    cores: result.cores.map((interval) => interval[at] as number),
    memory: result.memory[at] as Memory,
    bytes: tallies[at]?.bytes ?? 0,
  });
  return Object.fromEntries(contestants.map(({ name }, at) => [name, idleOf(at)]));
}

async function together<T>(
  lab: Lab,
  [first, ...others]: readonly Contestant[],
  watch: Omit<Watch, 'cgroup' | 'directory'>,
  use: (cgroups: readonly Cgroup[]) => Promise<T>,
): Promise<{ result: T; tallies: Tally[] }> {
  if (!first) return { result: await use([]), tallies: [] };
  return await running(lab, first, watch, async ({ stop }, cgroup) => {
    const { result, tallies } = await together(lab, others, watch, (rest) => use([cgroup, ...rest]));
    return { result, tallies: [await stop(), ...tallies] };
  });
}

/** By interval, and by cgroup. */
async function coresOf(cgroups: readonly Cgroup[], { intervals, seconds }: IdleOptions): Promise<number[][]> {
  const cores: number[][] = [];
  for (let interval = 0; interval < intervals; interval++) {
    const before = cgroups.map((cgroup) => total(cpuOf(cgroup)));
    const begin = performance.now();
    await sleep(seconds * 1000);
    const passed = (performance.now() - begin) / 1000;
    cores.push(cgroups.map((cgroup, at) => (total(cpuOf(cgroup)) - (before[at] as number)) / passed));
  }
  return cores;
}
