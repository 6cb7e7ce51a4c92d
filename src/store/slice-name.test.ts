import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseRfc3339, type WallNs, wallNs } from '../base/time.ts';
import { hourOf, hourStart, parseSliceName, sliceFileName } from './slice-name.ts';

const at = (text: string): WallNs => parseRfc3339(text) as WallNs;

test('a time belongs to the hour in which it lies', () => {
  const hour = hourOf(at('2026-11-22T20:00:00Z')) as number;
  assert.equal(hourOf(at('2026-11-22T20:59:59.999999999Z')), hour);
  assert.equal(hourOf(at('2026-11-22T19:59:59.999999999Z')), hour - 1);
  assert.equal(hourStart(hour), at('2026-11-22T20:00:00Z'));
  assert.equal(hourOf(at('2026-11-22T21:00:00Z')), hour + 1);
  assert.equal(hourOf(at('2026-11-22T20:00:00Z')), hour);
});

test('times that a name cannot hold have no hour', () => {
  assert.equal(hourOf(wallNs(0n)), 0);
  assert.equal(hourOf(wallNs(-1n)), undefined);
  assert.equal(sliceFileName({ hour: hourOf(at('9999-12-31T23:59:59Z')) as number, part: 1 }), '9999-12-31T23.db');
  assert.equal(hourOf(wallNs(at('9999-12-31T23:59:59.999999999Z') + 1n)), undefined);
});

test('names and slices correspond', () => {
  const hour = hourOf(at('2026-11-22T20:00:00Z')) as number;
  for (const [part, file] of [
    [1, '2026-11-22T20.db'],
    [2, '2026-11-22T20.2.db'],
    [37, '2026-11-22T20.37.db'],
  ] as const) {
    assert.equal(sliceFileName({ hour, part }), file);
    assert.deepEqual(parseSliceName(file), { file, hour, part, damaged: false });
    assert.deepEqual(parseSliceName(`${file}.damaged`), { file: `${file}.damaged`, hour, part, damaged: true });
  }
});

test('other files are no slices', () => {
  for (const file of [
    'writer.lock',
    '2026-11-22T20.db-wal',
    '2026-11-22T20.db.damaged-shm',
    '2026-11-22.db',
    '2026-13-22T20.db',
    '2026-11-22T25.db',
    'a2026-11-22T20.db',
    '2026-11-22T20.x.db',
  ]) {
    assert.equal(parseSliceName(file), undefined, file);
  }
});
