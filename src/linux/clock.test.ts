import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { bootNs, NS_PER_MS, NS_PER_S, NS_PER_US, wallNs } from '../base/time.ts';
import { bootNow, type ClockSample, jiffyNs, sampleClocks, WallClock } from './clock.ts';

const START = 1_795_392_333n * NS_PER_S;

/** A clock that gives these samples one after the other: time since boot, and how far the wall clock is off from START. */
function clockOf(...samples: readonly (readonly [bootSeconds: number, offset: bigint])[]): WallClock {
  const rest: ClockSample[] = samples.map(([seconds, offset]) => {
    const boot = BigInt(seconds) * NS_PER_S;
    return { boot: bootNs(boot), wall: wallNs(START + boot + offset) };
  });
  return new WallClock(() => rest.shift() ?? assert.fail('sampled once too often'));
}

test('a time since boot becomes a wall time by the newest offset', () => {
  const clock = clockOf([100, 0n], [110, 7n * NS_PER_US]);
  assert.equal(clock.toWall(bootNs(100n * NS_PER_S + 1n)), START + 100n * NS_PER_S + 1n);
  assert.equal(clock.toWall(bootNs(1n)), START + 1n);
  clock.sample();
  assert.equal(clock.toWall(bootNs(111n * NS_PER_S)), START + 111n * NS_PER_S + 7n * NS_PER_US);
});

test('slewing is no step', () => {
  // 10 s at 500 ppm are 5 ms, and a sample may be 1 ms off.
  assert.equal(clockOf([100, 0n], [110, 6n * NS_PER_MS]).sample(), undefined);
  assert.equal(clockOf([100, 0n], [110, -6n * NS_PER_MS]).sample(), undefined);
  assert.equal(clockOf([100, 0n], [110, 6n * NS_PER_MS + 1n]).sample()?.stepNs, 6n * NS_PER_MS + 1n);
});

test('a clock that was set is a step, forth and back', () => {
  const clock = clockOf([100, 0n], [110, 3_200n * NS_PER_MS], [120, 3_200n * NS_PER_MS], [130, -60n * NS_PER_S]);
  assert.deepEqual(clock.sample(), {
    fromNs: START + 100n * NS_PER_S,
    untilNs: START + 113n * NS_PER_S + 200n * NS_PER_MS,
    stepNs: 3_200n * NS_PER_MS,
  });
  assert.equal(clock.sample(), undefined);
  assert.deepEqual(clock.sample(), {
    fromNs: START + 123n * NS_PER_S + 200n * NS_PER_MS,
    untilNs: START + 70n * NS_PER_S,
    stepNs: -63_200n * NS_PER_MS,
  });
});

test('a suspend is no step: both clocks count it', () => {
  const clock = clockOf([100, 0n], [100 + 8 * 3600, 0n]);
  assert.equal(clock.sample(), undefined);
});

test('the real clocks', () => {
  const before = Date.now();
  const sample = sampleClocks();
  const after = Date.now();
  const wallMs = Number(sample.wall / NS_PER_MS);
  assert.ok(wallMs >= before && wallMs <= after, `${before} ${wallMs} ${after}`);
  const uptime = Number(readFileSync('/proc/uptime', 'utf8').split(' ')[0]);
  assert.ok(Math.abs(uptime - Number(sample.boot) / 1e9) < 5, `${uptime} ${sample.boot}`);
  assert.ok(bootNow() >= sample.boot);
  assert.equal(new WallClock().sample(), undefined);
});

test('a jiffy is one of the lengths that kernels are built with', () => {
  assert.ok([10_000_000, 4_000_000, 3_333_333, 1_000_000].includes(jiffyNs()), String(jiffyNs()));
});
