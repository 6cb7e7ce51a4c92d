import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatDuration, parseDuration } from './duration.ts';

test('parseDuration', () => {
  const cases: [string, bigint][] = [
    ['500ms', 500_000_000n],
    ['10s', 10_000_000_000n],
    ['5m', 300_000_000_000n],
    ['1h30m', 5_400_000_000_000n],
    ['1.5h', 5_400_000_000_000n],
    ['0.25s', 250_000_000n],
    ['2d', 172_800_000_000_000n],
    ['1w', 604_800_000_000_000n],
    ['7us', 7_000n],
    ['1ns', 1n],
  ];
  for (const [text, ns] of cases) assert.equal(parseDuration(text), ns, text);
});

test('parseDuration refuses what is none', () => {
  for (const text of ['', '10', 's', '10 s', '-2h', '1h30', '1x', '0s', 'ten seconds', '1.s', '10S']) {
    assert.throws(() => parseDuration(text), { code: 'USAGE', message: `"${text}" is not a duration` }, text);
  }
});

test('formatDuration', () => {
  const cases: [bigint, string][] = [
    [0n, '0ns'],
    [999n, '999ns'],
    [450_000n, '450us'],
    [1_234_000n, '1.2ms'],
    [2_000_000n, '2ms'],
    [12_345_000n, '12ms'],
    [1_840_000_000n, '1.8s'],
    [59_999_999_999n, '59s'],
    [60_000_000_000n, '1m'],
    [5_400_000_000_000n, '1h30m'],
    [3n * 86_400_000_000_000n + 7_200_000_000_000n, '3d2h'],
    [-1_500_000_000n, '-1.5s'],
  ];
  for (const [ns, text] of cases) assert.equal(formatDuration(ns), text);
});
