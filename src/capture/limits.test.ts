import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bound, lane, limit, rodata } from '../wire/layout.ts';
import { NO_LIMITS, writeLimits } from './limits.ts';

const HZ = 250;

test('limits as intervals in parts of a jiffy, and what may be ahead of them', () => {
  const view = new DataView(new ArrayBuffer(rodata.size));
  writeLimits(view, { drops: { perKey: 100, total: 0 }, connections: { perKey: 1, total: 1_000_000 } }, HZ);
  const read = (at: number, of: number) =>
    [limit.interval, limit.burst].map((f) => Number(view.getBigUint64(at + of * limit.size + f, true)));
  const second = HZ * bound.jiffyParts;
  assert.deepEqual(read(rodata.limitKey, lane.drop), [second / 100, 100 * second]);
  assert.deepEqual(read(rodata.limitTotal, lane.drop), [0, 0]);
  assert.deepEqual(read(rodata.limitKey, lane.connection), [second, second]);
  assert.deepEqual(read(rodata.limitTotal, lane.connection), [1, second], 'the least interval that there is');
});

test('no limits leave everything as it is', () => {
  const view = new DataView(new ArrayBuffer(rodata.size));
  writeLimits(view, NO_LIMITS, HZ);
  assert.ok(new Uint8Array(view.buffer).every((byte) => byte === 0));
});
