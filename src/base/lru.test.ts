import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Lru } from './lru.ts';

test('forgets the entry that was used longest ago', () => {
  const lru = new Lru<string, number>(2);
  lru.set('a', 1);
  lru.set('b', 2);
  assert.equal(lru.get('a'), 1);
  lru.set('c', 3);
  assert.deepEqual(
    ['a', 'b', 'c'].map((key) => lru.has(key)),
    [true, false, true],
  );
});

test('setting a key again renews it and keeps one entry', () => {
  const lru = new Lru<string, number>(2);
  lru.set('a', 1);
  lru.set('b', 2);
  lru.set('a', 3);
  lru.set('c', 4);
  assert.deepEqual([lru.get('a'), lru.get('b'), lru.get('c')], [3, undefined, 4]);
});

test('what was asked for twice in a row is still forgotten when others were used since', () => {
  const lru = new Lru<string, number>(2);
  lru.set('a', 1);
  assert.deepEqual([lru.get('a'), lru.get('a')], [1, 1]);
  lru.set('b', 2);
  assert.deepEqual([lru.get('a'), lru.get('b')], [1, 2]);
  lru.set('c', 3);
  assert.deepEqual([lru.get('a'), lru.get('b'), lru.get('c')], [undefined, 2, 3]);
});
