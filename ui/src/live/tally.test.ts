import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JsonEvent } from '../api/types.ts';
import { BUCKET_MS, BUCKETS, LiveTally, WINDOW_S } from './tally.ts';

const T0 = 1_800_000_000_000;
const resent = (more: object = {}): JsonEvent =>
  ({
    kind: 'retransmit',
    time: new Date(T0).toISOString(),
    cause: 'rto',
    segments: 2,
    dst: '10.0.0.9',
    ...more,
  }) as JsonEvent;
const dropped = (more: object = {}): JsonEvent =>
  ({
    kind: 'drop',
    time: new Date(T0).toISOString(),
    class: 'loss',
    reason: 'NO_SOCKET',
    src: '10.0.0.9',
    dst: '10.0.0.2',
    direction: 'rx',
    ...more,
  }) as JsonEvent;

const sum = (counts: readonly number[]): number => counts.reduce((total, count) => total + count, 0);

test('events are added up by cause, by reason and by name', () => {
  const tally = new LiveTally();
  tally.add([resent(), resent({ process: 'nginx' }), dropped()], T0);
  assert.deepEqual(
    tally.series().map(({ what, counts }) => [what, sum(counts), counts.at(-1)]),
    [
      ['rto', 4, 4],
      ['NO_SOCKET', 1, 1],
    ],
  );
  assert.deepEqual(
    tally.rows('peer').map(({ key, segments, drops }) => [key, segments, drops]),
    [['10.0.0.9', 4, 1]],
  );
  assert.deepEqual(
    tally.rows('process').map(({ key, segments }) => [key, segments]),
    [['nginx', 2]],
  );
});

test('bars grow old and go, and names with them', () => {
  const tally = new LiveTally();
  tally.add([resent()], T0);
  tally.advance(T0 + 10 * BUCKET_MS);
  assert.equal(tally.series()[0]?.counts.at(-11), 2);
  tally.advance(T0 + (BUCKETS - 1) * BUCKET_MS);
  assert.equal(tally.series()[0]?.counts[0], 2);
  tally.advance(T0 + BUCKETS * BUCKET_MS);
  assert.equal(sum(tally.series()[0]?.counts ?? []), 0);
  assert.deepEqual(tally.rows('cause'), []);
  assert.equal(tally.seen, 1);
});

test('an event is in the bar of its own time, however late it comes', () => {
  const tally = new LiveTally();
  tally.add([resent(), resent({ time: new Date(T0 - 3 * BUCKET_MS).toISOString() })], T0 + BUCKET_MS);
  const counts = tally.series()[0]?.counts ?? [];
  assert.deepEqual(counts.slice(-6), [0, 2, 0, 0, 2, 0]);
});

test('a table is of the last seconds', () => {
  const tally = new LiveTally();
  tally.add([dropped()], T0);
  tally.add([dropped()], T0 + WINDOW_S * 1000);
  assert.equal(tally.rows('reason')[0]?.drops, 2);
  tally.advance(T0 + (WINDOW_S + 1) * 1000);
  assert.equal(tally.rows('reason')[0]?.drops, 1);
});

test('however many names and events come, what is kept has a bound', () => {
  const tally = new LiveTally();
  const many = Array.from({ length: 5000 }, (_, at) => dropped({ src: `name ${at}` }));
  tally.add(many, T0);
  assert.equal(tally.newest.length, 300);
  assert.deepEqual(tally.newest[0], many.at(-1));
  assert.equal(tally.rows('peer')[0]?.key, '(others)');
  assert.equal(tally.rows('peer')[0]?.drops, 4000);
});
