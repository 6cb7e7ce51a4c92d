import assert from 'node:assert/strict';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { NS_PER_HOUR, type WallNs, wallNs } from '../base/time.ts';
import { expiredSlices, measureSlices, removeSlice, type StoredSlice, setAside } from './retention.ts';
import { temporaryDirectory } from './temporary-store.test-util.ts';

const slice = (hour: number, bytes: number, busy = false): StoredSlice => ({
  hour,
  part: 1,
  path: `/store/${hour}`,
  bytes,
  busy,
});
const atHour = (hour: number): WallNs => wallNs(BigInt(hour) * NS_PER_HOUR);
const FOREVER = 10n ** 30n;

test('the oldest go until the rest fits', () => {
  const slices = [slice(1, 40), slice(2, 40), slice(3, 40)];
  const hours = (maxBytes: number) =>
    expiredSlices(slices, { maxBytes, maxAgeNs: FOREVER }, atHour(4)).map(({ hour }) => hour);
  assert.deepEqual(hours(120), []);
  assert.deepEqual(hours(119), [1]);
  assert.deepEqual(hours(79), [1, 2]);
  assert.deepEqual(hours(0), [1, 2, 3]);
});

test('a slice is too old when its whole hour is', () => {
  const slices = [slice(1, 1), slice(2, 1)];
  const hours = (now: bigint) =>
    expiredSlices(slices, { maxBytes: 100, maxAgeNs: 5n * NS_PER_HOUR }, wallNs(now)).map(({ hour }) => hour);
  assert.deepEqual(hours(7n * NS_PER_HOUR - 1n), []);
  assert.deepEqual(hours(7n * NS_PER_HOUR), [1]);
});

test('what is written or sealed stays, and the next oldest goes in its place', () => {
  const slices = [slice(1, 40, true), slice(2, 40), slice(3, 40, true)];
  const expired = expiredSlices(slices, { maxBytes: 80, maxAgeNs: FOREVER }, atHour(4));
  assert.deepEqual(
    expired.map(({ hour }) => hour),
    [2],
  );
});

test('a slice counts, goes and is set aside with its -wal and -shm; other files stay', (t) => {
  const dir = temporaryDirectory(t);
  for (const suffix of ['', '-wal', '-shm']) {
    writeFileSync(join(dir, `2026-11-22T20.db${suffix}`), 'x'.repeat(10));
    writeFileSync(join(dir, `2026-11-22T21.db${suffix}`), 'y');
  }
  writeFileSync(join(dir, 'other'), 'z');
  const measured = measureSlices(dir, (path) => path.endsWith('21.db'));
  assert.deepEqual(
    measured.map(({ bytes, busy }) => ({ bytes, busy })),
    [
      { bytes: 30, busy: false },
      { bytes: 3, busy: true },
    ],
  );
  removeSlice(join(dir, '2026-11-22T20.db'));
  setAside(join(dir, '2026-11-22T21.db'));
  assert.deepEqual(readdirSync(dir).sort(), [
    '2026-11-22T21.db.damaged',
    '2026-11-22T21.db.damaged-shm',
    '2026-11-22T21.db.damaged-wal',
    'other',
  ]);
});
