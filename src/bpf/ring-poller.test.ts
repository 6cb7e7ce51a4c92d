import assert from 'node:assert/strict';
import { closeSync, readSync, writeSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { libc } from './libbpf.ts';
import { RingPoller } from './ring-poller.ts';

/** An eventfd in place of a ring: readable while its count is not zero; reading sets that to zero. */
function counter(t: TestContext): { fd: number; add(count: number): void; take(): number } {
  const fd = Number(libc().eventfd(0, 0x80000));
  t.after(() => closeSync(fd));
  return {
    fd,
    add: (count) => void writeSync(fd, new Uint8Array(BigUint64Array.of(BigInt(count)).buffer)),
    take: () => {
      const count = new BigUint64Array(1);
      readSync(fd, new Uint8Array(count.buffer));
      return Number(count[0]);
    },
  };
}

async function until(condition: () => boolean): Promise<void> {
  for (let waited = 0; !condition(); waited++) {
    assert.ok(waited < 500, 'it did not come true in 5 s');
    await sleep(10);
  }
}

const unexpected = (error: unknown): never => {
  throw error;
};

/** What was drained is given back at once. */
const free = { isHeld: () => false, onError: unexpected };

test('a wake drains; after close nothing does', async (t) => {
  const { fd, add, take } = counter(t);
  let taken = 0;
  const drain = (): number => {
    const count = take();
    taken += count;
    return count;
  };
  const poller = new RingPoller([fd], { ...free, drain }, true);
  t.after(() => poller.close());
  await sleep(30);
  assert.equal(taken, 0);
  add(7);
  await until(() => taken === 7);
  poller.close();
  poller.close();
  add(5);
  await sleep(50);
  assert.equal(taken, 7);
});

test('in a storm the timer takes over, and the poll comes back when it is quiet', async (t) => {
  const { fd, add, take } = counter(t);
  let drains = 0;
  let storm = true;
  const drain = (): number => {
    drains++;
    if (storm) return 1000;
    return take();
  };
  const poller = new RingPoller([fd], { ...free, drain }, true);
  t.after(() => poller.close());
  add(1);
  await sleep(210);
  // Readable all the time: without the timer it would be drained some ten thousand times.
  assert.ok(drains >= 2 && drains <= 20, `${drains} drains in 210 ms`);
  storm = false;
  await sleep(60);
  drains = 0;
  await sleep(60);
  assert.equal(drains, 0, 'quiet: nothing is drained');
  add(1);
  await until(() => drains === 1);
});

test('while drained records wait to be given back, the timer drains, and no poll spins', async (t) => {
  const { fd, add, take } = counter(t);
  let drains = 0;
  let isHeld = true;
  const poller = new RingPoller([fd], { ...free, drain: () => ++drains && 0, isHeld: () => isHeld }, true);
  t.after(() => poller.close());
  add(1);
  await sleep(310);
  // Readable all the time, as a ring is whose records are held.
  assert.ok(drains >= 2 && drains <= 8, `${drains} drains in 310 ms`);
  take();
  isHeld = false;
  await sleep(300);
  drains = 0;
  await sleep(300);
  assert.equal(drains, 0, 'all is given back: nothing is drained');
  isHeld = true;
  add(1);
  await until(() => drains > 0);
});

test('while little comes the timer is slow', async (t) => {
  const { fd, add } = counter(t);
  let drains = 0;
  const drain = (): number => {
    drains++;
    return 5;
  };
  const poller = new RingPoller([fd], { ...free, drain }, true);
  t.after(() => poller.close());
  add(1);
  await sleep(1500);
  assert.ok(drains >= 2 && drains <= 4 + 12, `${drains} drains in 1.5 s`);
});

test('an error in a drain is told, and draining goes on', async (t) => {
  const { fd, add, take } = counter(t);
  const errors: unknown[] = [];
  const drain = (): number => {
    take();
    throw new Error('broken');
  };
  const poller = new RingPoller([fd], { ...free, drain, onError: (error) => errors.push(error) }, true);
  t.after(() => poller.close());
  for (const expected of [1, 2, 3]) {
    add(1);
    await until(() => errors.length === expected);
  }
  assert.deepEqual(errors.map(String), ['Error: broken', 'Error: broken', 'Error: broken']);
});

test('where poll does not work the timer drains', async (t) => {
  const { fd } = counter(t);
  let drains = 0;
  const poller = new RingPoller([fd], { ...free, drain: () => ++drains && 0 }, false);
  t.after(() => poller.close());
  await until(() => drains >= 3);
  poller.close();
  const last = drains;
  await sleep(50);
  assert.equal(drains, last);
});
