/** Everything that one run of the benchmark has measured; it can be written as JSON and read again. */

import type { Packaged } from '../packaged.ts';
import type { Drains } from './drain.ts';
import type { Idle } from './idle.ts';
import type { Sample } from './measure.ts';
import type { ProgramTime } from './program-time.ts';
import type { Steady } from './steady.ts';

/** Runs of the load alone; twice in each round, since their difference is the noise. */
export const ALONE = 'nothing';
export const ALONE_AGAIN = 'nothing, again';

/** By contestant, one sample a round. */
export type Samples = Readonly<Record<string, readonly Sample[]>>;

/** Of one contestant; a part is absent where it has no BPF program. */
export interface ProgramTimes {
  contestant: string;
  retransmission?: ProgramTime;
  recordedDrop?: ProgramTime;
  floodDrop?: ProgramTime;
}

export interface Results {
  about: {
    date: string;
    command: string;
    kernel: string;
    machine: string;
    /** What else ran when the run began: the load of the last minute (proc_loadavg(5)). */
    load: number;
    contestants: readonly { name: string; version: string; how: string }[];
    /** Tools for the same that this run did not measure, and why. */
    absent: readonly Packaged[];
    rounds: number;
    /** From the start of the contestants until their idling is measured. */
    restSeconds: number;
  };
  bulk: Samples;
  flood: Samples;
  steady: Readonly<Record<string, Steady>>;
  /** Shares of losslog's CPU time while it is warm. */
  profile: Readonly<Record<string, number>>;
  idle: Readonly<Record<string, Idle>>;
  /** Seconds to the first recorded event, by contestant. */
  startUp: Readonly<Record<string, readonly number[]>>;
  programs: readonly ProgramTimes[];
  /** Of losslog's rings, by themselves. */
  drain: Drains;
}
