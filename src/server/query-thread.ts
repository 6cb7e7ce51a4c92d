/** One worker thread that answers queries; started when it is first needed, ended when it is idle or does not obey. */

import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import { LosslogError } from '../base/errors.ts';
import type { Chunk, FromWorker, Job, ToWorker } from './query-messages.ts';

/** The worker beside this file: `.ts` in a checkout, `.js` in the published package. */
const WORKER = new URL(`./query-worker${extname(import.meta.url)}`, import.meta.url);
/** Bound of the memory of a query. */
const RESOURCE_LIMITS = { maxOldGenerationSizeMb: 192, maxYoungGenerationSizeMb: 32 };
/** A query looks up between two slices whether it was given up; one statement takes some tens of milliseconds. */
const OBEY_MS = 2000;
const IDLE_MS = 30_000;

export class QueryThread {
  readonly #settings: { readonly storeDir: string; readonly version: string };
  readonly #cancelled = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
  #worker: Worker | undefined;
  #onMessage: (message: FromWorker) => void = () => undefined;
  #idle: NodeJS.Timeout | undefined;

  constructor(settings: { readonly storeDir: string; readonly version: string }) {
    this.#settings = settings;
  }

  /**
   * Runs a query. When the caller ends before the last chunk, or the signal says so, the query is given up.
   * @throws LosslogError
   */
  async *run(job: Job, signal: AbortSignal): AsyncGenerator<Chunk> {
    clearTimeout(this.#idle);
    Atomics.store(this.#cancelled, 0, 0);
    const worker = this.#started();
    let isOver = false;
    const onAbort = (): void => this.#giveUp();
    signal.addEventListener('abort', onAbort);
    try {
      let message = this.#next(job.timeoutMs + OBEY_MS);
      this.#send(worker, { type: 'run', job });
      for (;;) {
        const answer = await message;
        if (answer.type !== 'chunk') isOver = true;
        if (answer.type === 'error') throw toError(answer.error);
        if (answer.type === 'end') return;
        yield answer;
        if (this.#worker !== worker) throw new LosslogError('INTERNAL', 'the query ended unexpectedly');
        message = this.#next(job.timeoutMs + OBEY_MS);
        this.#send(worker, { type: 'more' });
      }
    } finally {
      signal.removeEventListener('abort', onAbort);
      if (!isOver) await this.#settle(worker);
      this.#idle = setTimeout(() => void this.close(), IDLE_MS).unref();
    }
  }

  /** Starts the thread ahead of the first query; it ends when none comes. */
  warm(): void {
    if (this.#worker) return;
    this.#started();
    this.#idle = setTimeout(() => void this.close(), IDLE_MS).unref();
  }

  /** Ends the thread, whatever it does; resolves when it reads nothing any more. */
  async close(): Promise<void> {
    clearTimeout(this.#idle);
    const worker = this.#worker;
    this.#worker = undefined;
    await worker?.terminate();
  }

  #started(): Worker {
    if (this.#worker) return this.#worker;
    const workerData = { ...this.#settings, cancelled: this.#cancelled.buffer };
    const worker = new Worker(WORKER, { workerData, resourceLimits: RESOURCE_LIMITS, stdout: false, stderr: false });
    worker.unref();
    worker.on('message', (message: FromWorker) => this.#onMessage(message));
    worker.on('error', (error: NodeJS.ErrnoException) => this.#died(worker, error));
    worker.on('exit', () => this.#died(worker, undefined));
    this.#worker = worker;
    return worker;
  }

  #died(worker: Worker, error: NodeJS.ErrnoException | undefined): void {
    // Another one may have been started since; then nobody waits for this one.
    if (this.#worker !== undefined && this.#worker !== worker) return;
    this.#worker = undefined;
    const isTooBig = error?.code === 'ERR_WORKER_OUT_OF_MEMORY';
    this.#onMessage({
      type: 'error',
      error: isTooBig
        ? {
            code: 'LIMIT',
            message: 'the answer needs too much memory',
            hint: 'ask for a shorter time, or fewer events',
          }
        : { code: 'INTERNAL', message: 'the query ended unexpectedly' },
    });
  }

  #send(worker: Worker, message: ToWorker): void {
    worker.postMessage(message);
  }

  /** The next message, or an error after `ms`. */
  #next(ms: number): Promise<FromWorker> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        void this.close();
        resolve({ type: 'error', error: { code: 'LIMIT', message: 'the query took too long' } });
      }, ms);
      this.#onMessage = (message) => {
        clearTimeout(timer);
        this.#onMessage = () => undefined;
        resolve(message);
      };
    });
  }

  #giveUp(): void {
    Atomics.store(this.#cancelled, 0, 1);
  }

  /** Waits until the thread has given up its query; ends it when it does not. */
  async #settle(worker: Worker): Promise<void> {
    this.#giveUp();
    if (this.#worker !== worker) return;
    this.#send(worker, { type: 'more' });
    for (let answer = await this.#next(OBEY_MS); answer.type === 'chunk'; answer = await this.#next(OBEY_MS)) {
      this.#send(worker, { type: 'more' });
    }
  }
}

const toError = ({
  code,
  message,
  hint,
}: {
  code: LosslogError['code'];
  message: string;
  hint?: string;
}): LosslogError => new LosslogError(code, message, hint === undefined ? {} : { hint });
