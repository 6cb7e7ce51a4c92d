import assert from 'node:assert/strict';
import { test } from 'node:test';
import { didYouMean, editDistance, nearest } from './suggest.ts';

test('editDistance', () => {
  const cases: [string, string, number][] = [
    ['', '', 0],
    ['', 'abc', 3],
    ['kitten', 'sitting', 3],
    ['shwo', 'show', 1],
    ['ca', 'abc', 3],
    ['same', 'same', 0],
  ];
  for (const [a, b, distance] of cases) assert.equal(editDistance(a, b), distance, `${a} ${b}`);
});

test('nearest finds what was meant and nothing far-fetched', () => {
  const commands = ['record', 'show', 'top', 'doctor'];
  assert.equal(nearest('shwo', commands), 'show');
  assert.equal(nearest('recrod', commands), 'record');
  assert.equal(nearest('SHOW', commands), 'show');
  assert.equal(nearest('explain', commands), undefined);
});

test('didYouMean', () => {
  assert.equal(didYouMean('fats', ['fast', 'rto']), 'did you mean fast?');
  assert.equal(didYouMean('zzzz', ['fast', 'rto']), 'one of fast, rto');
});
