import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NS_PER_S, parseRfc3339, wallNs } from '../base/time.ts';
import { coverageText, gapsIn, type Stretch } from './history.ts';

process.env.TZ = 'Europe/Berlin';

const s = (from: number, until: number): Stretch => ({
  from: wallNs(BigInt(from) * NS_PER_S),
  until: wallNs(BigInt(until) * NS_PER_S),
});

test('gapsIn', () => {
  const cases: [Stretch, Stretch[], Stretch[]][] = [
    [s(10, 20), [], [s(10, 20)]],
    [s(10, 20), [s(0, 30)], []],
    [s(10, 20), [s(10, 20)], []],
    [s(10, 20), [s(12, 14)], [s(10, 12), s(14, 20)]],
    [s(10, 20), [s(16, 30), s(0, 12)], [s(12, 16)]],
    [s(10, 20), [s(0, 5), s(25, 30)], [s(10, 20)]],
    [s(10, 20), [s(8, 18), s(9, 12)], [s(18, 20)]],
    [s(10, 20), [s(11, 20)], [s(10, 11)]],
  ];
  for (const [asked, covered, gaps] of cases) assert.deepEqual(gapsIn(asked, covered), gaps);
});

test('coverageText', () => {
  assert.equal(coverageText([]), 'the recorder was running all that time');
  const from = parseRfc3339('2026-11-22T19:15:00Z');
  assert.ok(from);
  const gap = { from, until: wallNs(from + 5400n * NS_PER_S) };
  assert.equal(
    coverageText([gap]),
    'the recorder was not running from 2026-11-22 20:15:00 to 2026-11-22 21:45:00 (1h30m)',
  );
  assert.match(
    coverageText([gap, gap, gap, gap, gap]),
    /^the recorder was not running (from [^,]+, ){3}and 2 more times$/,
  );
});
