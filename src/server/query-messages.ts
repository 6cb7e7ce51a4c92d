/** What the server and a worker thread that answers queries say to each other. */

import type { ErrorCode } from '../base/errors.ts';
import type { WallNs } from '../base/time.ts';

/** One query. */
export interface Job {
  /** Of the endpoint. */
  readonly path: string;
  readonly values: object;
  readonly now: WallNs;
  /** As one JSON object a line. */
  readonly asLines: boolean;
  /** The caller takes gzip. */
  readonly gzip: boolean;
  /** The query is given up after so long. */
  readonly timeoutMs: number;
}

export interface WorkerSettings {
  readonly storeDir: string;
  readonly version: string;
  /** One Int32: 1 once the present query is given up. */
  readonly cancelled: SharedArrayBuffer;
}

export type ToWorker = { readonly type: 'run'; readonly job: Job } | { readonly type: 'more' };

export interface Chunk {
  readonly bytes: Uint8Array;
  readonly gzip: boolean;
}

export interface PlainError {
  readonly code: ErrorCode;
  readonly message: string;
  readonly hint?: string;
}

export type FromWorker =
  | ({ readonly type: 'chunk' } & Chunk)
  | { readonly type: 'end' }
  | { readonly type: 'error'; readonly error: PlainError };
