import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatWall, parseRfc3339, type WallNs } from '../base/time.ts';
import { parseTimeArgument } from './time-argument.ts';

process.env.TZ = 'Europe/Berlin';

const at = (text: string): WallNs => parseRfc3339(text) as WallNs;
/** A Sunday, 20:30:10 in Berlin. */
const now = at('2026-11-22T19:30:10.5Z');
const parse = (text: string, when = now): string => formatWall(parseTimeArgument(text, when));
const ns = (text: string): string => formatWall(at(text));

test('absolute times', () => {
  const cases: [string, string][] = [
    ['2026-11-22T20:15:07.123456789Z', '2026-11-22T20:15:07.123456789Z'],
    ['2026-11-22T20:15:07+02:00', '2026-11-22T18:15:07Z'],
    ['2026-11-22T20:15Z', '2026-11-22T20:15:00Z'],
    ['2026-11-22 20:15', '2026-11-22T19:15:00Z'],
    ['2026-11-22T20:15', '2026-11-22T19:15:00Z'],
    ['2026-11-22 20:15:07', '2026-11-22T19:15:07Z'],
    ['2026-11-22 20:15:07.123', '2026-11-22T19:15:07.123Z'],
    ['2026-07-01 08:00', '2026-07-01T06:00:00Z'],
    ['2026-11-20', '2026-11-19T23:00:00Z'],
    ['2028-02-29', '2028-02-28T23:00:00Z'],
    ['11-21 20:15:07.5', '2026-11-21T19:15:07.5Z'],
    ['12-24 18:00', '2025-12-24T17:00:00Z'],
    [' 2026-11-22 20:15 ', '2026-11-22T19:15:00Z'],
  ];
  for (const [text, expected] of cases) assert.equal(parse(text), ns(expected), text);
});

test('relative times', () => {
  const cases: [string, string][] = [
    ['now', '2026-11-22T19:30:10.5Z'],
    ['-2h', '2026-11-22T17:30:10.5Z'],
    ['-90s', '2026-11-22T19:28:40.5Z'],
    ['-3d', '2026-11-19T19:30:10.5Z'],
    ['-1h30m', '2026-11-22T18:00:10.5Z'],
  ];
  for (const [text, expected] of cases) assert.equal(parse(text), ns(expected), text);
});

test('a time of day is the latest one that has passed', () => {
  assert.equal(parse('20:15'), ns('2026-11-22T19:15:00Z'));
  assert.equal(parse('20:15:07.25'), ns('2026-11-22T19:15:07.25Z'));
  assert.equal(parse('8:05'), ns('2026-11-22T07:05:00Z'));
  assert.equal(parse('23:00'), ns('2026-11-21T22:00:00Z'));
});

test('days by name', () => {
  const cases: [string, string][] = [
    ['today', '2026-11-21T23:00:00Z'],
    ['yesterday', '2026-11-20T23:00:00Z'],
    ['yesterday 14:05', '2026-11-21T13:05:00Z'],
    ['Yesterday at 14:05', '2026-11-21T13:05:00Z'],
    ['today 23:59', '2026-11-22T22:59:00Z'],
    ['last thursday 14:05', '2026-11-19T13:05:00Z'],
    ['thursday 14:05', '2026-11-19T13:05:00Z'],
    ['thu', '2026-11-18T23:00:00Z'],
    ['monday', '2026-11-15T23:00:00Z'],
    ['sunday', '2026-11-21T23:00:00Z'],
    ['last sunday', '2026-11-14T23:00:00Z'],
    ['sunday 21:00', '2026-11-15T20:00:00Z'],
  ];
  for (const [text, expected] of cases) assert.equal(parse(text), ns(expected), text);
});

test('days of 23 and 25 hours', () => {
  assert.equal(parse('yesterday', at('2026-10-26T08:00:00Z')), ns('2026-10-24T22:00:00Z'));
  assert.equal(parse('today', at('2026-10-25T20:00:00Z')), ns('2026-10-24T22:00:00Z'));
  assert.equal(parse('2026-03-29 03:00'), ns('2026-03-29T01:00:00Z'));
});

test('what the local clock showed twice or never is refused', () => {
  const hint = 'give it with an offset from UTC, like 2026-10-25T02:30:00+01:00';
  assert.throws(() => parse('2026-10-25 02:30'), {
    code: 'USAGE',
    message: '"2026-10-25 02:30" occurred twice here: the clocks were changed',
    hint,
  });
  assert.throws(() => parse('2026-03-29 02:30'), {
    message: '"2026-03-29 02:30" did not occur here: the clocks were changed',
  });
  assert.equal(parse('2026-10-25T02:30:00+02:00'), ns('2026-10-25T00:30:00Z'));
});

test('what is no time is refused with examples', () => {
  const bad = ['', 'soon', '25:00', '12:60', '2026-02-30', '2026-13-01', '2026-11-22 24:00', '-2', '-2x', '2h', 'last'];
  for (const text of [
    ...bad,
    'last week',
    'last yesterday',
    '20:15 yesterday',
    '2026-11-22T20:15:61Z',
    '2026-02-30T10:00:00Z',
    '1763842507',
  ]) {
    assert.throws(() => parse(text), {
      code: 'USAGE',
      message: `"${text}" is not a time`,
      hint: /"last thursday 14:05"/,
    });
  }
});
