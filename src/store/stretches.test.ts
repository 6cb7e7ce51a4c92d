import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NS_PER_S, wallNs } from '../base/time.ts';
import { gapsIn, type Stretch } from './stretches.ts';

const s = (from: number, until: number): Stretch => ({
  from: wallNs(BigInt(from) * NS_PER_S),
  until: wallNs(BigInt(until) * NS_PER_S),
});

test('gapsIn', () => {
  const cases: [Stretch, Stretch[], Stretch[]][] = [
    [s(10, 20), [], [s(10, 20)]],
    [s(10, 20), [s(0, 30)], []],
    [s(10, 20), [s(10, 20)], []],
    [s(10, 20), [s(12, 14)], [s(10, 12), s(14, 20)]],
    [s(10, 20), [s(16, 30), s(0, 12)], [s(12, 16)]],
    [s(10, 20), [s(0, 5), s(25, 30)], [s(10, 20)]],
    [s(10, 20), [s(8, 18), s(9, 12)], [s(18, 20)]],
    [s(10, 20), [s(11, 20)], [s(10, 11)]],
  ];
  for (const [asked, covered, gaps] of cases) assert.deepEqual(gapsIn(asked, covered), gaps);
});
