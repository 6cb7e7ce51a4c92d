/** Seals slices one after the other in a worker thread, since building indexes takes most of a second. */

import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';

/** The worker beside this file: `.ts` in a checkout, `.js` in the published package. */
const WORKER = new URL(`./seal-worker${extname(import.meta.url)}`, import.meta.url);

/** Its memory is that of SQLite, outside of the heap. */
const WORKER_LIMITS = { maxYoungGenerationSizeMb: 2, maxOldGenerationSizeMb: 32 };

export class Sealer {
  readonly #onDone: () => void;
  readonly #onThread: () => void;
  readonly #waiting: string[] = [];
  /** Could not be sealed (read by somebody, disk full); tried again with the next slice. */
  readonly #failed: string[] = [];
  /** Lives while there is something to seal. */
  #worker: Worker | undefined;
  #sealing: string | undefined;
  #whenIdle: (() => void)[] = [];

  /**
   * @param onDone called after each slice, sealed or not.
   * @param onThread called when the worker has begun, and when it is gone, since nothing is left to seal.
   */
  constructor(onDone: () => void, onThread: () => void) {
    this.#onDone = onDone;
    this.#onThread = onThread;
  }

  /** Whether a slice is being sealed at this moment. */
  isSealing(path: string): boolean {
    return this.#sealing === path;
  }

  /** Whether a slice is waiting for its turn, being sealed, or to be tried again. */
  holds(path: string): boolean {
    return this.isSealing(path) || this.#waiting.includes(path) || this.#failed.includes(path);
  }

  enqueue(path: string): void {
    this.#waiting.push(path, ...this.#failed.splice(0));
    if (this.#sealing === undefined) this.#next();
  }

  /** Resolves when nothing is waiting or being sealed. */
  idle(): Promise<void> {
    if (this.#sealing === undefined) return Promise.resolve();
    this.#worker?.ref();
    return new Promise((resolve) => this.#whenIdle.push(resolve));
  }

  /** Begins no further slice. One being sealed is cut off; SQLite rolls it back and the next start takes it up. */
  stop(): void {
    this.#waiting.length = 0;
    this.#finish();
  }

  #next(): void {
    this.#sealing = this.#waiting.shift();
    if (this.#sealing === undefined) {
      this.#finish();
      return;
    }
    try {
      this.#worker ??= this.#startWorker();
      this.#worker.postMessage(this.#sealing);
    } catch {
      // No thread can be made (pids.max); whoever retires a slice has stored its events.
      this.#done(undefined, false);
    }
  }

  #startWorker(): Worker {
    const worker = new Worker(WORKER, { resourceLimits: WORKER_LIMITS });
    if (this.#whenIdle.length === 0) worker.unref();
    worker.once('online', this.#onThread);
    worker.on('message', (isSealed: boolean) => this.#done(worker, isSealed));
    worker.on('error', () => {
      if (worker !== this.#worker) return;
      this.#worker = undefined;
      this.#done(undefined, false);
    });
    return worker;
  }

  #done(worker: Worker | undefined, isSealed: boolean): void {
    if (worker !== this.#worker || this.#sealing === undefined) return;
    if (!isSealed) this.#failed.push(this.#sealing);
    this.#sealing = undefined;
    this.#onDone();
    if (this.#sealing === undefined) this.#next();
  }

  #finish(): void {
    void this.#worker?.terminate().then(this.#onThread);
    this.#worker = undefined;
    this.#sealing = undefined;
    for (const resolve of this.#whenIdle.splice(0)) resolve();
  }
}
