import assert from 'node:assert/strict';
import { test } from 'node:test';
import { causeOf } from './cause.ts';

test('causes, by state, congestion-avoidance state and armed timer', () => {
  const cases: [number, number, number, string][] = [
    [2, 4, 0, 'syn'],
    [1, 4, 0, 'rto'],
    [1, 4, 1, 'loss-recovery'],
    [1, 3, 1, 'fast'],
    [1, 3, 6, 'fast'],
    [1, 0, 5, 'tail-loss-probe'],
    [1, 1, 5, 'tail-loss-probe'],
    [1, 2, 5, 'tail-loss-probe'],
    [1, 0, 1, 'unknown'],
  ];
  for (const [state, caState, pending, cause] of cases) assert.equal(causeOf(state, caState, pending), cause);
});
