/** What contestants take while nothing happens. */

import { setTimeout as sleep } from 'node:timers/promises';
import type { Cgroup } from '../../lab/cgroup.ts';
import type { Lab } from '../../lab/lab.ts';
import type { Contestant, Watch } from './contestants/contestant.ts';
import { cpuOf, type Memory, memoryOf, total } from './cost.ts';
import type { Load } from './loads.ts';
import { running } from './measure.ts';

export interface Idle {
  /** Of one core, by interval. */
  cores: number[];
  memory: Memory;
}

interface IdleOptions {
  intervals: number;
  seconds: number;
}

/** Until then all have come to rest. */
const REST_MS = 3000;

/** All at once, since none of them does anything. */
export async function idle(
  lab: Lab,
  load: Load,
  contestants: readonly Contestant[],
  options: IdleOptions,
): Promise<Record<string, Idle>> {
  const { hosts, captureAt } = load;
  return await together(lab, contestants, { hosts, captureAt, events: ['retransmission', 'drop'] }, async (cgroups) => {
    await sleep(REST_MS);
    const cores = await coresOf(cgroups, options);
    const resultOf = (cgroup: Cgroup, at: number): Idle => ({
      cores: cores.map((interval) => interval[at] as number),
      memory: memoryOf(cgroup),
    });
    return Object.fromEntries(contestants.map(({ name }, at) => [name, resultOf(cgroups[at] as Cgroup, at)]));
  });
}

async function together<T>(
  lab: Lab,
  [first, ...others]: readonly Contestant[],
  watch: Omit<Watch, 'cgroup' | 'directory'>,
  use: (cgroups: readonly Cgroup[]) => Promise<T>,
): Promise<T> {
  if (!first) return await use([]);
  return await running(lab, first, watch, async ({ stop }, cgroup) => {
    const result = await together(lab, others, watch, (rest) => use([cgroup, ...rest]));
    await stop();
    return result;
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
