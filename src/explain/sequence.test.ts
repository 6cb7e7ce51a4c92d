import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { allWithout, lengthOf, overlap, type Range, without } from './sequence.ts';

const range = (begin: number, length: number): Range => ({ begin: begin >>> 0, end: (begin + length) >>> 0 });

test('ranges that share something', () => {
  assert.deepEqual(overlap(range(100, 50), range(120, 10)), range(120, 10));
  assert.deepEqual(overlap(range(100, 50), range(140, 50)), range(140, 10));
  assert.deepEqual(overlap(range(140, 50), range(100, 50)), range(140, 10));
  assert.equal(overlap(range(100, 50), range(150, 50)), undefined);
  assert.deepEqual(overlap(range(2 ** 32 - 10, 20), range(0, 5)), range(0, 5));
  assert.deepEqual(overlap(range(0, 5), range(2 ** 32 - 10, 20)), range(0, 5));
  assert.deepEqual(without(range(2 ** 32 - 10, 20), range(0, 5)), [range(2 ** 32 - 10, 10), range(5, 5)]);
});

test('they behave as sets of numbers do, wherever the numbers wrap', () => {
  const near = fc.tuple(fc.nat(40), fc.nat(20));
  fc.assert(
    fc.property(fc.nat(2 ** 32 - 1), near, fc.array(near, { maxLength: 4 }), (base, [at, length], others) => {
      const whole = range(base + at, length);
      const left = others.reduce((ranges, [at, length]) => allWithout(ranges, range(base + at, length)), [whole]);
      const expected = new Set(Array.from({ length }, (_, i) => at + i));
      for (const [at, length] of others) for (let i = 0; i < length; i++) expected.delete(at + i);
      const sum = left.filter((one) => lengthOf(one) > 0).reduce((sum, one) => sum + lengthOf(one), 0);
      assert.equal(sum, expected.size);
    }),
  );
});
