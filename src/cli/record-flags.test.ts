import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LosslogError } from '../base/errors.ts';
import { parseRateLimit } from './record-flags.ts';

test('limits of record', () => {
  assert.deepEqual(parseRateLimit('100/1000'), { perKey: 100, total: 1000 });
  assert.deepEqual(parseRateLimit('0/1000'), { perKey: 0, total: 1000 });
  assert.deepEqual(parseRateLimit('0'), { perKey: 0, total: 0 });
  for (const text of ['', '100', '1/2/3', '-1/2', '1.5/2', 'a/b', '1000001/1', '/', '100/']) {
    assert.throws(
      () => parseRateLimit(text),
      (error) => error instanceof LosslogError && error.code === 'USAGE',
      text,
    );
  }
});
