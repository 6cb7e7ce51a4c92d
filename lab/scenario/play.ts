/** Plays a scenario under a recorder. */

import { setTimeout as sleep } from 'node:timers/promises';
import type { Family } from '../drop-rule.ts';
import type { Host } from '../host.ts';
import { Lab } from '../lab.ts';
import { Recorder } from '../recorder.ts';
import type { Scenario, Stage } from './scenario.ts';

/** What is still on its way when the traffic has ended has come by then. */
const SETTLE_MS = 150;

export interface Played {
  stage: Stage;
  /** It has ended; its store can be asked. */
  recorder: Recorder;
  evidence: Record<string, number>;
}

export interface PlayOptions {
  family?: Family;
  /** Called when all is set up and recorded, before the fault. */
  onBegin?: (stage: Stage) => void;
}

/**
 * Builds, records, runs, and hands what was recorded to `look`; then removes everything.
 * @throws NOT_SUPPORTED where this kernel cannot make the fault, an Error when the fault did not happen
 */
export async function play<T>(
  scenario: Scenario,
  { family = 4, onBegin }: PlayOptions,
  look: (played: Played) => T | Promise<T>,
): Promise<T> {
  await using lab = Lab.create();
  const stage = await scenario.build(lab, family);
  await using recorder = await Recorder.start({ hosts: recordedHosts(stage) });
  onBegin?.(stage);
  await stage.run();
  await sleep(SETTLE_MS);
  const evidence = await stage.evidence();
  await recorder.stop();
  for (const [what, count] of Object.entries(evidence)) if (count === 0) throw new Error(`did not happen: ${what}`);
  return await look({ stage, recorder, evidence });
}

export const recordedRoles = ({ hosts, recorded }: Stage): readonly string[] => recorded ?? Object.keys(hosts);

const recordedHosts = (stage: Stage): Host[] => recordedRoles(stage).map((role) => stage.hosts[role] as Host);
