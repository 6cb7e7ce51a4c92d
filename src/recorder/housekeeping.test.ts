import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { Housekeeping } from './housekeeping.ts';

/** Housekeeping on a clock of its own: the times at which it was done. */
function housekeeping(t: TestContext): { housekeeping: Housekeeping; done: number[]; pass(ms: number): void } {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  let nowMs = 0;
  const done: number[] = [];
  const pass = (ms: number): void => {
    for (let i = 0; i < ms; i += 100) {
      nowMs += 100;
      t.mock.timers.tick(100);
    }
  };
  const work = (): void => void done.push(nowMs);
  return { housekeeping: new Housekeeping(work, () => nowMs), done, pass };
}

test('while nothing comes it is done every five seconds', (t) => {
  const { done, pass } = housekeeping(t);
  pass(17_000);
  assert.deepEqual(done, [1000, 6000, 11_000, 16_000]);
});

test('while something comes it is done every second', (t) => {
  const { housekeeping: one, done, pass } = housekeeping(t);
  for (let i = 0; i < 30; i++) {
    one.stir();
    pass(100);
  }
  assert.deepEqual(done, [1000, 2000, 3000]);
  pass(10_000);
  assert.deepEqual(done, [1000, 2000, 3000, 4000, 9000], 'and then seldom again');
});

test('what comes after a quiet time finds done what would have been done', (t) => {
  const { housekeeping: one, done, pass } = housekeeping(t);
  pass(3200);
  one.stir();
  assert.deepEqual(done, [1000, 3200]);
  one.stir();
  pass(1500);
  assert.deepEqual(done, [1000, 3200, 4200]);
});

test('after its end nothing is done', (t) => {
  const { housekeeping: one, done, pass } = housekeeping(t);
  pass(500);
  one.end();
  pass(10_000);
  one.stir();
  assert.deepEqual(done, []);
});
