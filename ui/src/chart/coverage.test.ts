import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Coverage } from '../api/types.ts';
import { downTime, gapsOf } from './coverage.ts';

const at = (second: number): string => new Date(second * 1000).toISOString();
const stretch = (state: Coverage['state'], from: number, until: number, more: object = {}): Coverage => ({
  kind: 'coverage',
  time: at(from),
  from: at(from),
  until: at(until),
  state,
  ...more,
});
const SPAN = { from: 100_000, until: 200_000 };

test('only what is missing is a gap, cut to the period', () => {
  const gaps = gapsOf([stretch('recording', 0, 150), stretch('down', 150, 300)], SPAN, 0);
  assert.deepEqual(gaps, [{ state: 'down', from: 150_000, until: 200_000 }]);
  assert.equal(downTime(gaps), 50_000);
});

test('before the history begins nothing is known, and that is not the recorder being down', () => {
  const gaps = gapsOf([stretch('down', 100, 160)], SPAN, 150_000);
  assert.deepEqual(gaps, [
    { state: 'before', from: 100_000, until: 150_000 },
    { state: 'down', from: 150_000, until: 160_000 },
  ]);
});

test('a loss without length is one still', () => {
  const gaps = gapsOf([stretch('lost', 120, 120, { count: 5, why: 'ring full' })], SPAN, 0);
  assert.deepEqual(gaps, [{ state: 'lost', from: 120_000, until: 120_000, count: 5, why: 'ring full' }]);
});
