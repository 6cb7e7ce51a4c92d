/** How long a contestant takes until it records. */

import { setTimeout as sleep } from 'node:timers/promises';
import type { Lab } from '../../lab/lab.ts';
import type { Contestant } from './contestants/contestant.ts';
import type { Load } from './loads.ts';
import { running, SETTLE_MS, truthSince } from './measure.ts';

/** Seconds from the start of a contestant's process to the first event that it records, by what it misses of an even rate. */
export async function startUp(lab: Lab, load: Load, contestant: Contestant, rate: number): Promise<number | undefined> {
  const before = load.truth();
  const traffic = load.run();
  await sleep(100);
  const atStart = load.truth().drops;
  return await running(lab, contestant, load, async ({ stop }) => {
    await traffic;
    await sleep(SETTLE_MS);
    const { drops, counted = 0 } = await stop();
    if (drops === undefined) return undefined;
    const { drops: happened } = truthSince(load.truth(), { ...before, drops: atStart });
    return Math.max(0, happened - drops - counted) / rate;
  });
}
