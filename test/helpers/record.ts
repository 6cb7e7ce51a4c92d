/** One recording with nothing lost on the way. */

import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Host } from '../../lab/host.ts';
import { type JsonEvent, Recorder } from '../../lab/recorder.ts';
import { seen } from './seen.ts';

export type Drop = JsonEvent<'drop'>;
export type Reset = JsonEvent<'reset'>;

/** What is still on its way when the traffic program ends (a backlog queue, an answer) has come by then. */
const SETTLE_MS = 100;

export interface Recorded<T> {
  drops: Drop[];
  resets: Reset[];
  result: T;
}

/** Records `hosts` while `traffic` runs. */
export function record<T>(hosts: readonly Host[], traffic: () => Promise<T>): Promise<Recorded<T>> {
  return seen(() => recordOnce(hosts, traffic));
}

async function recordOnce<T>(hosts: readonly Host[], traffic: () => Promise<T>): Promise<Recorded<T>> {
  await using recorder = await Recorder.start({ hosts });
  const result = await traffic();
  await sleep(SETTLE_MS);
  await recorder.stop();
  assert.deepEqual(recorder.gaps(), [], 'nothing was lost on the way');
  return { drops: recorder.eventsOf('drop'), resets: recorder.eventsOf('reset'), result };
}

/** How often each text occurs. */
export function tally(texts: Iterable<string>): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const text of texts) counts[text] = (counts[text] ?? 0) + 1;
  return counts;
}
