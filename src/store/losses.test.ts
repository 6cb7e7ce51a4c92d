import assert from 'node:assert/strict';
import { test } from 'node:test';
import { wallNs } from '../base/time.ts';
import type { ResetEvent } from '../event/kinds.ts';
import { coverageOf, Losses } from './losses.ts';

const reset = (ns: bigint): ResetEvent => ({ kind: 'reset', time: wallNs(ns), direction: 'sent' });

test('what is lost without a break is one stretch, with its first reason and its true ends', () => {
  const losses = new Losses();
  losses.add([reset(5n), reset(9n)], 'disk full');
  losses.add([reset(3n)], 'something else');
  losses.endStretch();
  losses.add([reset(20n)], 'I/O error');
  losses.add([], 'nothing');
  assert.equal(losses.total, 4);
  assert.deepEqual(
    losses.take().map((stretch) => coverageOf(stretch, wallNs(99n))),
    [
      { kind: 'coverage', time: 99n, from: 3n, until: 9n, state: 'lost', count: 3, why: 'disk full' },
      { kind: 'coverage', time: 99n, from: 20n, until: 20n, state: 'lost', count: 1, why: 'I/O error' },
    ],
  );
  assert.ok(losses.isEmpty);
  assert.equal(losses.total, 4);
});

test('stretches that could not be told are kept, before the later ones', () => {
  const losses = new Losses();
  losses.add([reset(1n)], 'a');
  const taken = losses.take();
  losses.add([reset(2n)], 'b');
  losses.restore(taken);
  assert.deepEqual(
    losses.take().map(({ why }) => why),
    ['a', 'b'],
  );
});

test('memory is bounded: beyond 64 stretches the last one grows', () => {
  const losses = new Losses();
  for (let i = 0; i < 1000; i++) {
    losses.add([reset(BigInt(i))], `why ${i}`);
    losses.endStretch();
  }
  const taken = losses.take();
  assert.equal(taken.length, 64);
  assert.equal(
    taken.reduce((sum, { count }) => sum + count, 0),
    1000,
  );
  assert.deepEqual(taken.at(-1), { from: 63n, until: 999n, count: 937, why: 'why 63' });
});

test('a stretch of which nobody knows how much is gone has no count', () => {
  const losses = new Losses();
  losses.addGone(0, 1n, 2n, 'damaged');
  assert.equal(losses.total, 0);
  const [stretch] = losses.take();
  assert.ok(stretch);
  assert.deepEqual(coverageOf(stretch, wallNs(3n)), {
    kind: 'coverage',
    time: 3n,
    from: 1n,
    until: 2n,
    state: 'lost',
    why: 'damaged',
  });
});
