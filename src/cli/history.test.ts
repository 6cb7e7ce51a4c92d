import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NS_PER_S, parseRfc3339, wallNs } from '../base/time.ts';
import { coverageText } from './history.ts';

process.env.TZ = 'Europe/Berlin';

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
