import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseSize } from './size.ts';

test('parseSize', () => {
  const cases: [string, number][] = [
    ['1', 1],
    ['4096', 4096],
    ['512M', 536_870_912],
    ['1G', 1_073_741_824],
    ['1GiB', 1_073_741_824],
    ['1gb', 1_073_741_824],
    ['1.5k', 1536],
    ['2T', 2_199_023_255_552],
    ['100 MB', 104_857_600],
  ];
  for (const [text, bytes] of cases) assert.equal(parseSize(text), bytes, text);
});

test('parseSize refuses what is none', () => {
  for (const text of ['', '0', '0G', '-1G', 'G', '1X', '1GG', '1 G x', '999999999999999T', '1e9']) {
    assert.throws(() => parseSize(text), { code: 'USAGE', message: `"${text}" is not a size` }, text);
  }
});
