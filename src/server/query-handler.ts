/** Answers the endpoints of the store in worker threads. */

import type { ServerResponse } from 'node:http';
import { wallFromMs } from '../base/time.ts';
import { endpointAt } from './endpoints.ts';
import { HttpError } from './http-error.ts';
import { parseParameters } from './parameter.ts';
import type { Chunk, Job } from './query-messages.ts';
import { QueryPool } from './query-pool.ts';
import { JSON_TYPE } from './reply.ts';
import type { Exchange } from './server.ts';

const NDJSON_TYPE = 'application/x-ndjson';
/** A query ends after so long. */
const QUERY_MS = 20_000;
/** One that joins everything that was lost in the period. */
const LONG_MS = 60_000;
/** A stream of lines may take longer, since its reader may be slow. */
const LINES_MS = 600_000;
/** A reader that takes nothing for so long is cut off. */
const STALL_MS = 30_000;

export interface QuerySettings {
  readonly storeDir: string;
  readonly version: string;
}

export class QueryHandler {
  /** Two at once: one that takes long does not hold back the others. */
  readonly #queries: QueryPool;
  readonly #longQueries: QueryPool;
  /** Streams have threads of their own: their readers decide how long they last. */
  readonly #streams: QueryPool;

  constructor(settings: QuerySettings) {
    this.#queries = new QueryPool({ ...settings, threads: 2, maxWaiting: 32 });
    this.#longQueries = new QueryPool({ ...settings, threads: 1, maxWaiting: 8 });
    this.#streams = new QueryPool({ ...settings, threads: 2, maxWaiting: 0 });
  }

  /** @throws HttpError, LosslogError */
  async handle({ request, response, path, query }: Exchange): Promise<boolean> {
    const found = endpointAt(path);
    if (!found) return false;
    const { endpoint, fromPath } = found;
    const given = new URLSearchParams(query);
    for (const [name, value] of Object.entries(fromPath)) {
      if (given.has(name)) throw new HttpError(400, 'USAGE', `${name} belongs into the path`);
      given.set(name, value);
    }
    const asLines = endpoint.lines !== undefined && /\bapplication\/x-ndjson\b/.test(request.headers.accept ?? '');
    const job: Job = {
      path: endpoint.path,
      values: parseParameters(endpoint.parameters, given),
      now: wallFromMs(Date.now()),
      asLines,
      gzip: /\bgzip\b/.test(request.headers['accept-encoding'] ?? ''),
      timeoutMs: asLines ? LINES_MS : endpoint.isLong ? LONG_MS : QUERY_MS,
    };
    const closed = new AbortController();
    response.once('close', () => closed.abort());
    const pool = asLines ? this.#streams : endpoint.isLong ? this.#longQueries : this.#queries;
    const chunks = pool.run(job, closed.signal);
    await send(response, asLines ? NDJSON_TYPE : JSON_TYPE, chunks, closed.signal);
    return true;
  }

  /** Asks what is no endpoint. @throws LosslogError */
  async ask(path: string, values: object): Promise<unknown> {
    const job: Job = { path, values, now: wallFromMs(Date.now()), asLines: false, gzip: false, timeoutMs: QUERY_MS };
    const pieces: Uint8Array[] = [];
    for await (const { bytes } of this.#queries.run(job, new AbortController().signal)) pieces.push(bytes);
    return JSON.parse(Buffer.concat(pieces).toString());
  }

  /** Gets ready for the questions of a page that is being loaded. */
  warm(): void {
    this.#queries.warm();
  }

  async close(): Promise<void> {
    await Promise.all([this.#queries, this.#longQueries, this.#streams].map((pool) => pool.close()));
  }
}

async function send(
  response: ServerResponse,
  type: string,
  chunks: AsyncGenerator<Chunk>,
  closed: AbortSignal,
): Promise<void> {
  try {
    for await (const { bytes, gzip } of chunks) {
      if (closed.aborted) return;
      if (!response.headersSent) {
        response.writeHead(200, {
          'Content-Type': type,
          Vary: 'Accept',
          ...(gzip ? { 'Content-Encoding': 'gzip' } : {}),
        });
      }
      if (!response.write(bytes)) await taken(response, closed);
    }
    if (!response.headersSent) response.writeHead(200, { 'Content-Type': type });
    response.end();
  } catch (error) {
    if (!closed.aborted) throw error;
  }
}

/** Waits until the reader has taken what was written; cuts it off when it does not. */
function taken(response: ServerResponse, closed: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => response.destroy(), STALL_MS);
    const done = (): void => {
      clearTimeout(timer);
      response.off('drain', done);
      closed.removeEventListener('abort', done);
      resolve();
    };
    response.once('drain', done);
    closed.addEventListener('abort', done, { once: true });
  });
}
