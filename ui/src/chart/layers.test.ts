import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SeriesLine } from '../api/types.ts';
import { layersOf, roundUp, stacked, totalOf } from './layers.ts';

const drop = (what: string, counts: number[], more: Partial<SeriesLine> = {}): SeriesLine => ({
  kind: 'drop',
  what,
  class: 'loss',
  counts,
  ...more,
});

test('the most frequent reasons have colours of their own, the rest is one', () => {
  const series = Array.from({ length: 10 }, (_, at) => drop(`REASON_${at}`, [at + 1, 0]));
  const { dropped } = layersOf(series);
  assert.deepEqual(
    dropped.map(({ what }) => what),
    [9, 8, 7, 6, 5, 4, 3].map((at) => `REASON_${at}`).concat('other reasons'),
  );
  assert.deepEqual(dropped.at(-1)?.counts, [6, 0]);
  assert.equal(new Set(dropped.map(({ color }) => color)).size, 8);
  assert.equal(totalOf(dropped), 55);
});

test('a reason keeps its colour when others come before it', () => {
  const [alone] = layersOf([drop('KEPT', [1])]).dropped;
  const both = layersOf([drop('LARGER', [5]), drop('KEPT', [1])]).dropped;
  assert.equal(both.find(({ what }) => what === 'KEPT')?.color, alone?.color);
});

test('benign drops are apart, and classes of one reason together', () => {
  const { dropped } = layersOf([
    drop('NO_SOCKET', [3, 1]),
    drop('NO_SOCKET', [0, 2], { class: 'unknown' }),
    drop('TCP_OLD_ACK', [7, 0], { class: 'benign' }),
  ]);
  assert.deepEqual(
    dropped.map(({ what, counts, isBenign }) => [what, counts, isBenign]),
    [
      ['NO_SOCKET', [3, 3], false],
      ['benign', [7, 0], true],
    ],
  );
});

test('the topmost layer comes first and holds all below it', () => {
  const { dropped } = layersOf([drop('BELOW', [3, 3]), drop('ABOVE', [1, 0])]);
  assert.deepEqual(stacked(dropped, 2), [
    [4, 3],
    [3, 3],
  ]);
});

test('an axis ends at a round number that holds all', () => {
  assert.deepEqual([0, 4, 5, 11, 101, 210, 950].map(roundUp), [4, 4, 5, 12, 120, 240, 1000]);
});
