/** A fault that the lab makes on purpose, and what losslog should say about it. One file each in lab/scenarios/. */

import { LosslogError } from '../../src/base/errors.ts';
import { CommandFailed } from '../command.ts';
import type { Family } from '../drop-rule.ts';
import type { Host } from '../host.ts';
import type { Lab } from '../lab.ts';

export interface Scenario {
  /** What goes wrong and where, on one line. */
  readonly description: string;
  /** Address families that it can be made for. Default: both. */
  readonly families?: readonly Family[];
  /** Makes hosts and servers. Nothing is recorded yet. @throws NOT_SUPPORTED where this kernel has not what it takes */
  build(lab: Lab, family: Family): Promise<Stage>;
}

/** A scenario that is set up. */
export interface Stage {
  /** By role; expectations and output call them so. */
  readonly hosts: Readonly<Record<string, Host>>;
  /** Roles of the hosts that are recorded. Default: all. */
  readonly recorded?: readonly string[];
  readonly expected: Expected;
  /** Makes the fault and the traffic that meets it; ends by itself within seconds. */
  run(): Promise<void>;
  /**
   * What others than losslog counted: the kernel, a firewall rule, the traffic program. Each must be above zero;
   * otherwise the fault has not happened.
   */
  evidence(): Promise<Record<string, number>>;
}

/** The verdict that `losslog why` should put first. */
export interface Expected {
  /** The rule that explains it: docs/rules/ has a page for each. Absent: nothing is to be named. */
  readonly rule?: string;
  /** Role of the host at which it happens. Absent: outside of what is recorded. */
  readonly at?: string;
}

/** Runs a step that not every kernel or machine can do. @throws NOT_SUPPORTED with `lacking` and what the tool said */
export function attempt<T>(lacking: string, step: () => T): T {
  try {
    return step();
  } catch (error) {
    if (!(error instanceof CommandFailed)) throw error;
    throw new LosslogError('NOT_SUPPORTED', `cannot be made here: ${lacking} (${error.message})`);
  }
}
