import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Histogram } from './histogram.ts';

const S = 1e9;

test('steps get longer as the stretch does, and nothing is lost', () => {
  const histogram = new Histogram();
  for (let second = 3; second < 1003; second++) histogram.add(second * S);
  assert.equal(histogram.stepNs, 20.48 * S);
  assert.equal(histogram.from, 0);
  assert.deepEqual(histogram.counts.slice(0, 3), [18, 20, 21]);
  assert.equal(
    histogram.counts.reduce((sum, count) => sum + count, 0),
    1000,
  );
});

test('what is added late may be earlier', () => {
  const [whole, late] = [new Histogram(), new Histogram()];
  const times = [700, 5, 33, 31, 2000, 4];
  for (const at of times.toSorted((a, b) => a - b)) whole.add(at * S);
  for (const at of times) late.add(at * S);
  assert.deepEqual([late.stepNs, late.from, late.counts], [whole.stepNs, whole.from, whole.counts]);
});

test('two of different steps are put together as if everything had been added to one', () => {
  const [whole, first, second] = [new Histogram(), new Histogram(), new Histogram()];
  const times = [5, 6, 7, 500, 2000];
  const later = [5, 31, 33, 700];
  for (const at of [...times, ...later].sort((a, b) => a - b)) whole.add(at * S);
  for (const at of times) first.add(at * S);
  for (const at of later) second.add(at * S);
  second.addAll(first);
  assert.deepEqual([second.stepNs, second.from, second.counts], [whole.stepNs, whole.from, whole.counts]);
});
