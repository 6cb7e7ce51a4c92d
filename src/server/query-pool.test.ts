import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type WallNs, wallFromMs, wallNs } from '../base/time.ts';
import type { Event } from '../event/kinds.ts';
import { EPOCH } from '../store/arbitrary-event.test-util.ts';
import { openWriter, temporaryDirectory } from '../store/temporary-store.test-util.ts';
import type { Chunk, Job } from './query-messages.ts';
import { QueryPool } from './query-pool.ts';

const EVENTS = 3001;

/** A pool on a store with some thousand events. */
function poolOf(t: Parameters<typeof temporaryDirectory>[0], threads = 1, maxWaiting = 1): QueryPool {
  let pool: QueryPool | undefined;
  t.after(() => pool?.close());
  const storeDir = temporaryDirectory(t);
  const writer = openWriter(storeDir);
  writer.write(Array.from({ length: EVENTS }, (_, i) => drop(wallNs(EPOCH + BigInt(i)))));
  writer.close();
  pool = new QueryPool({ storeDir, version: '0', threads, maxWaiting });
  return pool;
}

const drop = (time: WallNs): Event => ({ kind: 'drop', time, class: 'loss', location: 'x'.repeat(100) });

const job = (values: object, changes: Partial<Job> = {}): Job => ({
  path: '/api/v1/events',
  values,
  now: wallFromMs(Date.now()),
  asLines: true,
  gzip: false,
  timeoutMs: 60_000,
  ...changes,
});

async function textOf(chunks: AsyncIterable<Chunk>): Promise<string> {
  let text = '';
  for await (const { bytes } of chunks) text += Buffer.from(bytes);
  return text;
}

const never = new AbortController().signal;

test('lines come in pieces, all of them', async (t) => {
  const text = await textOf(poolOf(t).run(job({ limit: 0 }), never));
  assert.equal(text.split('\n').length, EVENTS + 1);
});

test('whoever stops taking gives the thread to the next one', async (t) => {
  const pool = poolOf(t);
  for await (const { bytes } of pool.run(job({ limit: 0 }), never)) {
    assert.ok(bytes.length > 0);
    break;
  }
  const closed = new AbortController();
  const chunks = pool.run(job({ limit: 0 }), closed.signal);
  await chunks.next();
  closed.abort();
  await assert.rejects(() => textOf(chunks), { code: 'LIMIT', message: 'the query was given up' });
  assert.equal((await textOf(pool.run(job({ limit: 7 }), never))).trimEnd().split('\n').length, 7);
});

test('a query that takes too long is ended, and the next one is answered', async (t) => {
  const pool = poolOf(t);
  await assert.rejects(() => textOf(pool.run(job({ limit: 0 }, { timeoutMs: 0 }), never)), {
    code: 'LIMIT',
    message: 'the query took longer than 0 s',
  });
  assert.equal((await textOf(pool.run(job({ limit: 1 }), never))).trimEnd().split('\n').length, 1);
});

test('so many run, so many wait, the others are refused', async (t) => {
  const pool = poolOf(t);
  const first = pool.run(job({ limit: 0 }), never);
  await first.next();
  const waiting = textOf(pool.run(job({ limit: 3 }), never));
  await assert.rejects(() => textOf(pool.run(job({ limit: 3 }), never)), {
    code: 'LIMIT',
    message: 'too many queries at once',
  });
  await first.return(undefined);
  assert.equal((await waiting).trimEnd().split('\n').length, 3);
});

test('whoever waits may go away', async (t) => {
  const pool = poolOf(t);
  const first = pool.run(job({ limit: 0 }), never);
  await first.next();
  const closed = new AbortController();
  const waiting = textOf(pool.run(job({ limit: 3 }), closed.signal));
  closed.abort();
  await assert.rejects(() => waiting, { message: 'the query was given up' });
  await first.return(undefined);
  assert.equal((await textOf(pool.run(job({ limit: 3 }), never))).trimEnd().split('\n').length, 3);
});

test('threads started ahead are as many as there may be, answer, and end with the pool', async (t) => {
  const pool = poolOf(t, 2);
  const started: number[] = [];
  const onWorker = ({ threadId }: { threadId: number }): unknown => started.push(threadId);
  process.on('worker', onWorker);
  t.after(() => process.off('worker', onWorker));
  pool.warm();
  pool.warm();
  assert.equal((await textOf(pool.run(job({ limit: 1 }), never))).trimEnd().split('\n').length, 1);
  assert.equal(started.length, 2);
  await pool.close();
});

test('a defect is told as one, and the next query is answered', async (t) => {
  const pool = poolOf(t);
  await assert.rejects(() => textOf(pool.run(job({}, { path: 'no such endpoint' }), never)), { code: 'INTERNAL' });
  assert.equal((await textOf(pool.run(job({ limit: 1 }), never))).trimEnd().split('\n').length, 1);
});
