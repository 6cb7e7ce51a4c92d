/** Entry of a worker thread that answers queries, one after the other. A chunk is made only when the one before was taken. */

import { parentPort, workerData } from 'node:worker_threads';
import { gzipSync } from 'node:zlib';
import { LosslogError, messageOf } from '../base/errors.ts';
import { StoreReader } from '../store/reader.ts';
import { SliceCache } from '../store/slice-cache.ts';
import type { QueryContext } from './endpoint.ts';
import { endpoints } from './endpoints.ts';
import { totals } from './queries/totals.ts';
import type { Chunk, FromWorker, Job, PlainError, ToWorker, WorkerSettings } from './query-messages.ts';

const { storeDir, version, cancelled } = workerData as WorkerSettings;
const flag = new Int32Array(cancelled);
const cache = new SliceCache();
/** Lines are handed over in pieces of about this many characters. */
const PIECE = 65_536;
/** Shorter answers are not worth compressing. */
const MIN_GZIP = 4096;

const send = (message: FromWorker, transfer: ArrayBuffer[] = []): void => parentPort?.postMessage(message, transfer);

let onMore: (() => void) | undefined;
const more = (): Promise<void> =>
  new Promise((resolve) => {
    onMore = resolve;
  });

parentPort?.on('message', (message: ToWorker) => {
  if (message.type === 'more') onMore?.();
  else void run(message.job);
});

async function run(job: Job): Promise<void> {
  try {
    const checkpoint = checkpointOf(job);
    const reader = StoreReader.open(storeDir, { cache, checkpoint });
    try {
      for (const chunk of answer({ reader, storeDir, version, now: job.now, checkpoint }, job)) {
        send({ type: 'chunk', ...chunk }, [chunk.bytes.buffer as ArrayBuffer]);
        await more();
        checkpoint();
      }
    } finally {
      reader.close();
    }
    send({ type: 'end' });
  } catch (error) {
    send({ type: 'error', error: plain(error) });
  }
}

function checkpointOf({ timeoutMs }: Job): () => void {
  const end = performance.now() + timeoutMs;
  return () => {
    if (Atomics.load(flag, 0) !== 0) throw new LosslogError('LIMIT', 'the query was given up');
    if (performance.now() < end) return;
    throw new LosslogError('LIMIT', `the query took longer than ${Math.round(timeoutMs / 1000)} s`, {
      hint: 'ask for a shorter time, or fewer events',
    });
  };
}

function* answer(context: QueryContext, job: Job): Generator<Chunk> {
  const endpoint = [...endpoints, totals].find(({ path }) => path === job.path);
  if (!endpoint) throw new LosslogError('INTERNAL', `no endpoint ${job.path}`);
  if (!job.asLines || !endpoint.lines) {
    yield chunkOf(endpoint.answer(context, job.values as never), job.gzip);
    return;
  }
  let piece = '';
  for (const line of endpoint.lines(context, job.values as never)) {
    piece += line;
    if (piece.length < PIECE) continue;
    yield chunkOf(piece, false);
    piece = '';
  }
  if (piece !== '') yield chunkOf(piece, false);
}

/** The bytes own their buffer, so that it can be handed over whole. */
function chunkOf(text: string, gzip: boolean): Chunk {
  const compress = gzip && text.length >= MIN_GZIP;
  return { bytes: new Uint8Array(compress ? gzipSync(text, { level: 1 }) : Buffer.from(text)), gzip: compress };
}

function plain(error: unknown): PlainError {
  if (!(error instanceof LosslogError)) return { code: 'INTERNAL', message: messageOf(error) };
  const { code, message, hint } = error;
  return hint === undefined ? { code, message } : { code, message, hint };
}
