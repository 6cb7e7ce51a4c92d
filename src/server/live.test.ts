import assert from 'node:assert/strict';
import { test } from 'node:test';
import { wallNs } from '../base/time.ts';
import type { Event } from '../event/kinds.ts';
import { EPOCH } from '../store/arbitrary-event.test-util.ts';
import { openWriter, temporaryDirectory } from '../store/temporary-store.test-util.ts';
import { Listener } from './listener.test-util.ts';
import { LiveHub } from './live.ts';
import { Site } from './serving.test-util.ts';

const drop = (at: number, process = 'nginx'): Event => ({
  kind: 'drop',
  time: wallNs(EPOCH + BigInt(at)),
  class: 'loss',
  seq: at,
  process,
});

test('a client gets what passes its filter', async (t) => {
  const hub = new LiveHub();
  const site = await Site.start(t, [], { hub });
  const listener = await Listener.open(site.serving.url, '/api/v1/live?process=nginx');
  assert.equal(listener.response.headers['content-type'], 'text/event-stream; charset=utf-8');
  await listener.until(() => listener.of('heartbeat').length === 1);
  hub.write([drop(1), drop(2, 'curl'), { ...drop(3), class: 'benign' } as Event]);
  hub.write([drop(5)]);
  await listener.until(() => listener.seqs.length === 2);
  assert.deepEqual(listener.seqs, [1, 5]);
  assert.equal(listener.of('lost').length, 0);
});

test('a flood is cut and counted, and a client that takes nothing holds nobody back', async (t) => {
  const hub = new LiveHub();
  const site = await Site.start(t, [], { hub });
  const stuck = await Listener.open(site.serving.url, '/api/v1/live');
  stuck.response.pause();
  const listener = await Listener.open(site.serving.url, '/api/v1/live');
  await listener.until(() => listener.of('heartbeat').length === 1);
  const sent = 20_011;
  const long = 'x'.repeat(2000);
  for (let at = 0; at < sent; at += 1000) {
    hub.write(Array.from({ length: Math.min(1000, sent - at) }, (_, i) => drop(at + i, long)));
    await new Promise((resolve) => setTimeout(resolve, 60));
  }
  const lost = (): number => listener.of('lost').reduce((sum, { data }) => sum + data.count, 0);
  await listener.until(() => listener.seqs.length + lost() === sent);
  assert.ok(listener.seqs.length >= 1000);
  assert.deepEqual(
    listener.seqs,
    [...new Set(listener.seqs)].sort((a, b) => a - b),
  );
  stuck.response.resume();
  const lostOf = (of: Listener): number => of.of('lost').reduce((sum, { data }) => sum + data.count, 0);
  await stuck.until(() => stuck.seqs.length + lostOf(stuck) === sent);
  assert.ok(lostOf(stuck) > 0, 'it was behind by 40 MB');
  assert.equal(hub.stats.lost, lost() + lostOf(stuck));
});

test('what half a second brought comes whole, a second and more of the highest rate does not', async (t) => {
  const hub = new LiveHub();
  const site = await Site.start(t, [], { hub });
  const listener = await Listener.open(site.serving.url, '/api/v1/live');
  await listener.until(() => listener.of('heartbeat').length === 1);
  hub.write(Array.from({ length: 5003 }, (_, at) => drop(at)));
  await listener.until(() => listener.seqs.length === 5003);
  assert.equal(listener.of('lost').length, 0);
  hub.write(Array.from({ length: 30_001 }, (_, at) => drop(5003 + at)));
  await listener.until(() => listener.of('lost').length === 1);
  const count: number = listener.of('lost')[0]?.data.count;
  assert.ok(count >= 20_001, `${count} lost`);
  assert.equal(listener.seqs.length + count, 35_004);
});

test('only so many at once, and those that go make room', async (t) => {
  const wanted: boolean[] = [];
  const hub = new LiveHub((isWanted) => wanted.push(isWanted));
  const site = await Site.start(t, [], { hub });
  const listeners = await Promise.all(
    Array.from({ length: 32 }, () => Listener.open(site.serving.url, '/api/v1/live')),
  );
  assert.equal((await site.ask('/api/v1/live')).status, 503);
  for (const { response } of listeners) response.destroy();
  while (hub.stats.clients > 0) await new Promise((resolve) => setTimeout(resolve, 5));
  assert.deepEqual(wanted, [true, false]);
  (await Listener.open(site.serving.url, '/api/v1/live')).response.destroy();
});

test('serve follows what another process stores, each event once', async (t) => {
  const storeDir = temporaryDirectory(t);
  const site = await Site.start(t, [drop(0)], { storeDir });
  const listener = await Listener.open(site.serving.url, '/api/v1/live');
  await listener.until(() => listener.of('heartbeat').length === 1);
  const writer = openWriter(storeDir, { maxSliceRows: 50, commitIntervalMs: 20 });
  t.after(() => writer.close());
  const expected = Array.from({ length: 211 }, (_, i) => i + 1);
  for (const at of expected) {
    // Some late, some in a part of its own, which is sealed meanwhile.
    writer.write([drop(at % 7 === 0 ? at : at * 1000)].map((event) => ({ ...event, seq: at }) as Event));
    if (at % 30 === 0) await new Promise((resolve) => setTimeout(resolve, 40));
  }
  writer.flush();
  await listener.until(() => listener.seqs.length >= expected.length);
  assert.deepEqual(
    listener.seqs.toSorted((a, b) => a - b),
    expected,
  );
});

test('wrong use', async (t) => {
  const site = await Site.start(t, []);
  assert.equal((await site.ask('/api/v1/live?since=1')).status, 400);
  assert.equal((await site.ask('/api/v1/live', { method: 'HEAD' })).status, 200);
});
