/** A bounded number of queries at once; a bounded number wait for their turn. */

import { LosslogError } from '../base/errors.ts';
import type { Chunk, Job } from './query-messages.ts';
import { QueryThread } from './query-thread.ts';

export interface PoolOptions {
  readonly storeDir: string;
  readonly version: string;
  /** Queries at once. */
  readonly threads: number;
  /** Queries that wait; further ones are refused. */
  readonly maxWaiting: number;
}

export class QueryPool {
  readonly #maxWaiting: number;
  readonly #all: readonly QueryThread[];
  readonly #free: QueryThread[];
  readonly #waiting: ((thread: QueryThread) => void)[] = [];

  constructor({ threads, maxWaiting, ...settings }: PoolOptions) {
    this.#maxWaiting = maxWaiting;
    this.#all = Array.from({ length: threads }, () => new QueryThread(settings));
    this.#free = [...this.#all];
  }

  /** Runs a query as soon as a thread is free. @throws LIMIT when too many wait; see {@link QueryThread.run}. */
  async *run(job: Job, signal: AbortSignal): AsyncGenerator<Chunk> {
    const thread = await this.#take(signal);
    try {
      if (!signal.aborted) yield* thread.run(job, signal);
    } finally {
      this.#give(thread);
    }
  }

  /** Starts the threads ahead of the first query. */
  warm(): void {
    for (const thread of this.#free) thread.warm();
  }

  async close(): Promise<void> {
    await Promise.all(this.#all.map((thread) => thread.close()));
  }

  /** The thread that was free last: its slices are still open. */
  #take(signal: AbortSignal): Promise<QueryThread> {
    const thread = this.#free.pop();
    if (thread) return Promise.resolve(thread);
    if (this.#waiting.length >= this.#maxWaiting) {
      throw new LosslogError('LIMIT', 'too many queries at once', { hint: 'try again in a moment' });
    }
    return new Promise((resolve, reject) => {
      const onAbort = (): void => {
        this.#waiting.splice(this.#waiting.indexOf(begin), 1);
        reject(new LosslogError('LIMIT', 'the query was given up'));
      };
      const begin = (free: QueryThread): void => {
        signal.removeEventListener('abort', onAbort);
        resolve(free);
      };
      signal.addEventListener('abort', onAbort, { once: true });
      this.#waiting.push(begin);
    });
  }

  #give(thread: QueryThread): void {
    const next = this.#waiting.shift();
    if (next) next(thread);
    else this.#free.push(thread);
  }
}
