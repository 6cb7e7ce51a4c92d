import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bootNs, wallNs } from '../base/time.ts';
import type { ClockSample } from '../linux/clock.ts';
import { CoverageLedger } from './coverage.ts';

/** A clock that is a second further each time it is asked, beginning at wall time 1000 s and boot time 1 s. */
function ledgerOfSeconds(): CoverageLedger {
  let seconds = 0n;
  return new CoverageLedger((): ClockSample => {
    const now = seconds++;
    return { wall: wallNs((1000n + now) * 1_000_000_000n), boot: bootNs((1n + now) * 1_000_000_000n) };
  });
}

const totalsOf = (drops: number, resets: number): Map<string, number> =>
  new Map([
    ['drops lost', drops],
    ['resets lost', resets],
  ]);

test('losses are told once, with the time in which they happened', () => {
  const ledger = ledgerOfSeconds();
  assert.deepEqual(ledger.losses(totalsOf(0, 0)), []);
  const common = { kind: 'coverage', state: 'lost', bootNs: 3_000_000_000n, time: 1_002_000_000_000n } as const;
  const span = { from: 1_001_000_000_000n, until: 1_002_000_000_000n };
  assert.deepEqual(ledger.losses(totalsOf(7, 3)), [
    { ...common, ...span, count: 7, why: 'drops lost' },
    { ...common, ...span, count: 3, why: 'resets lost' },
  ]);
  assert.deepEqual(ledger.losses(totalsOf(7, 3)), []);
  const [more, ...rest] = ledger.losses(totalsOf(11, 3));
  assert.deepEqual(rest, []);
  assert.equal(more?.count, 4);
  assert.deepEqual([more?.from, more?.until], [1_003_000_000_000n, 1_004_000_000_000n]);
});

test('a clock that was set by a year does not make a stretch of a year', () => {
  const year = 365n * 86_400_000_000_000n;
  for (const step of [year, -year]) {
    let now: ClockSample = { wall: wallNs(2n * year), boot: bootNs(1_000n) };
    const ledger = new CoverageLedger(() => now);
    now = { wall: wallNs(2n * year + step + 500n), boot: bootNs(1_500n) };
    const [lost] = ledger.losses(totalsOf(7, 0));
    assert.deepEqual([lost?.from, lost?.until], [2n * year + step, 2n * year + step + 500n]);
  }
});

test('what is not seen, and a clock that was set', () => {
  const ledger = ledgerOfSeconds();
  assert.deepEqual(
    ledger.blind(['no drop is seen']).map(({ state, why, from, until }) => ({ state, why, from, until })),
    [{ state: 'blind', why: 'no drop is seen', from: 1_001_000_000_000n, until: 1_001_000_000_000n }],
  );
  const step = { fromNs: wallNs(5_000_000_000n), untilNs: wallNs(1_000_000_000n), stepNs: -4_500_000_000n };
  assert.deepEqual(ledger.clockStep(step), {
    kind: 'coverage',
    time: 1_000_000_000n,
    bootNs: 3_000_000_000n,
    from: 5_000_000_000n,
    until: 1_000_000_000n,
    state: 'recording',
    why: 'the wall clock was set back by 4.500 s',
  });
  const forward = { ...step, stepNs: 3_600_000_000_000n };
  assert.equal(ledger.clockStep(forward).why, 'the wall clock was set forward by 3600.000 s');
});
