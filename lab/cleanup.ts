/**
 * A stack of undo steps that also runs when the process ends in any way that JavaScript can see: normal exit,
 * uncaught exception, SIGINT, SIGTERM, SIGHUP. Steps are synchronous, since nothing else runs in an exit handler.
 * After SIGKILL nothing runs; stale.ts mends that at the next start.
 */

import { constants } from 'node:os';

const live = new Set<CleanupStack>();
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
let handlersInstalled = false;

export class CleanupStack {
  readonly #steps: (() => void)[] = [];

  constructor() {
    installHandlers();
    live.add(this);
  }

  /** Adds a step; the last added runs first. */
  defer(step: () => void): void {
    this.#steps.push(step);
  }

  /** Runs every step, also after one failed. @throws AggregateError of what failed, once all have run. */
  run(): void {
    const errors: unknown[] = [];
    for (let step = this.#steps.pop(); step; step = this.#steps.pop()) {
      try {
        step();
      } catch (error) {
        errors.push(error);
      }
    }
    live.delete(this);
    if (errors.length > 0) throw new AggregateError(errors, `cleaning up: ${errors.map(String).join('; ')}`);
  }
}

function installHandlers(): void {
  if (handlersInstalled) return;
  handlersInstalled = true;
  process.on('exit', runAll);
  for (const signal of SIGNALS) process.on(signal, () => process.exit(128 + constants.signals[signal]));
}

function runAll(): void {
  for (const stack of [...live].reverse()) {
    try {
      stack.run();
    } catch (error) {
      process.stderr.write(`lab: ${error instanceof Error ? error.message : error}\n`);
    }
  }
}
