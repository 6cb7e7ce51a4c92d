import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NS_PER_DAY, NS_PER_S, wallNs } from '../base/time.ts';
import { SessionClock } from './session-clock.ts';

const START = wallNs(1_772_359_200n * NS_PER_S);

function sessionOf({ isSynchronized = false, hasSteady = true } = {}) {
  let [wall, steady] = [START, 0n];
  const clock = new SessionClock({
    now: () => wall,
    steady: hasSteady ? () => steady : undefined,
    isSynchronized: () => isSynchronized,
  });
  const pass = (ns: bigint, stepNs = 0n): void => {
    wall = wallNs(wall + ns + stepNs);
    steady += ns;
  };
  return { clock, pass };
}

test('ages go by time that passed when the wall clock was set forward and nothing keeps it right', () => {
  const { clock, pass } = sessionOf();
  pass(NS_PER_DAY);
  assert.equal(clock.forAges, START + NS_PER_DAY);
  pass(NS_PER_S, 365n * NS_PER_DAY);
  assert.equal(clock.forAges, START + NS_PER_DAY + NS_PER_S);
  assert.equal(clock.elapsed, NS_PER_DAY + NS_PER_S);
});

test('a wall clock that was set back is believed, and one that is kept right', () => {
  const back = sessionOf();
  back.pass(NS_PER_S, -365n * NS_PER_DAY);
  assert.equal(back.clock.forAges, START + NS_PER_S - 365n * NS_PER_DAY);
  const kept = sessionOf({ isSynchronized: true });
  kept.pass(NS_PER_S, 365n * NS_PER_DAY);
  assert.equal(kept.clock.forAges, START + NS_PER_S + 365n * NS_PER_DAY);
});

test('a store of the past has the wall clock only', () => {
  const { clock, pass } = sessionOf({ hasSteady: false });
  pass(0n, 365n * NS_PER_DAY);
  assert.deepEqual([clock.elapsed, clock.forAges], [undefined, START + 365n * NS_PER_DAY]);
});
