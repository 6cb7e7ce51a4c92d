import assert from 'node:assert/strict';
import { test } from 'node:test';
import { afterNs, clockText, durationText, elapsedMs, eventClock, readTime, zoneText } from './time.ts';

const NOW = Date.parse('2026-11-25T12:00:00Z');

test('a clock has as many decimals as asked for', () => {
  const ms = Date.parse('2026-11-25T01:02:03.456Z');
  assert.equal(clockText(ms, 'utc'), '01:02:03');
  assert.equal(clockText(ms, 'utc', 3), '01:02:03.456');
  assert.equal(eventClock('2026-11-25T01:02:03.456789012Z', 'utc'), '01:02:03.456789');
  assert.equal(eventClock('2026-11-25T01:02:03Z', 'utc'), '01:02:03.000000');
  assert.equal(zoneText(ms, 'utc'), 'UTC');
});

test('durations have two units at most', () => {
  const texts = [0.2504, 42, 1500, 59_600, 3_600_000, 5_400_000, 90_061_000].map(durationText);
  assert.deepEqual(texts, ['250us', '42ms', '1.5s', '60s', '1h', '1h 30m', '1d 1h']);
});

test('times are read as a person writes them', () => {
  const read = (text: string) => {
    const ms = readTime(text, NOW, 'utc');
    return ms === undefined ? undefined : new Date(ms).toISOString();
  };
  assert.equal(read('11:30'), '2026-11-25T11:30:00.000Z');
  assert.equal(read('12:30'), '2026-11-24T12:30:00.000Z', 'the latest that has passed');
  assert.equal(read('yesterday 14:05'), '2026-11-24T14:05:00.000Z');
  assert.equal(read('yesterday'), '2026-11-24T00:00:00.000Z');
  assert.equal(read('2026-11-22 20:15:07.5'), '2026-11-22T20:15:07.500Z');
  assert.equal(read('2026-11-22T20:15:07+01:00'), '2026-11-22T19:15:07.000Z');
  assert.equal(read('-1h30m'), '2026-11-25T10:30:00.000Z');
  assert.equal(read('now'), '2026-11-25T12:00:00.000Z');
  for (const text of ['', '25:00', '12:60', 'soon', '-', '-1x']) assert.equal(read(text), undefined, text);
});

test('what lies between two times, to the nanosecond', () => {
  const elapsed = elapsedMs('2026-11-25T12:00:00.999999000Z', '2026-11-25T12:00:01.000001500Z');
  assert.equal(elapsed.toFixed(6), '0.002500');
});

test('the next nanosecond', () => {
  assert.equal(afterNs('2026-11-25T12:00:00.000000001Z'), '2026-11-25T12:00:00.000000002Z');
  assert.equal(afterNs('2026-12-31T23:59:59.999999999Z'), '2027-01-01T00:00:00.000000000Z');
});
