/** What an event costs a contestant that has been at work for a while: a runtime that compiles as it goes is dear at first. */

import { setTimeout as sleep } from 'node:timers/promises';
import type { Lab } from '../../lab/lab.ts';
import type { Contestant } from './contestants/contestant.ts';
import { cpuOf, total } from './cost.ts';
import type { Load } from './loads.ts';
import { running } from './measure.ts';

export interface SteadyOptions {
  warmSeconds: number;
  windows: number;
  windowSeconds: number;
}

/** By window, one after the other. */
export interface Steady {
  /** Microseconds of CPU of a segment that was sent again. */
  cpuUs: number[];
  segmentsASecond: number[];
}

/** How long the load must run. */
export const steadySeconds = ({ warmSeconds, windows, windowSeconds }: SteadyOptions): number =>
  warmSeconds + windows * windowSeconds + 2;

/** @param load one that resends all the time, for {@link steadySeconds} */
export function steady(lab: Lab, load: Load, contestant: Contestant, options: SteadyOptions): Promise<Steady> {
  const { hosts, captureAt, events } = load;
  return running(lab, contestant, { hosts, captureAt, events }, async ({ stop }, cgroup) => {
    const traffic = load.run();
    await sleep(options.warmSeconds * 1000);
    const result: Steady = { cpuUs: [], segmentsASecond: [] };
    for (let window = 0; window < options.windows; window++) {
      const [begin, cpu, { segments }] = [performance.now(), total(cpuOf(cgroup)), load.truth()];
      await sleep(options.windowSeconds * 1000);
      const resent = load.truth().segments - segments;
      result.cpuUs.push(((total(cpuOf(cgroup)) - cpu) / resent) * 1e6);
      result.segmentsASecond.push((resent / (performance.now() - begin)) * 1000);
    }
    await traffic;
    await stop();
    return result;
  });
}
