import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { PackedReader, PackedWriter } from './packed.ts';

const number = fc.oneof(fc.constantFrom(0, 127, 128, 2 ** 32, 2 ** 53), fc.maxSafeNat());
const item = fc.oneof(number, fc.uint8Array({ maxLength: 2000 }));

function pack(items: readonly (number | Uint8Array)[]): Uint8Array {
  const writer = new PackedWriter();
  for (const each of items) {
    if (typeof each === 'number') writer.addNumber(each);
    else writer.addBytes(each);
  }
  return writer.bytes();
}

test('what is packed comes out again', () => {
  fc.assert(
    fc.property(fc.array(item), (items) => {
      const reader = new PackedReader(pack(items));
      for (const each of items) {
        if (typeof each === 'number') assert.equal(reader.takeNumber(), each);
        else assert.deepEqual(Uint8Array.from(reader.takeBytes(each.length)), each);
      }
      assert.ok(reader.isAtEnd);
    }),
  );
});

test('four bytes are a signed number, the highest first', () => {
  const reader = new PackedReader(Uint8Array.of(192, 0, 2, 1, 9));
  assert.equal(reader.takeInt32(), 0xc0000201 | 0);
  assert.equal(reader.takeNumber(), 9);
});

test('what ends too early is refused', () => {
  const cut = (): PackedReader => new PackedReader(pack([2 ** 53]).subarray(0, 3));
  assert.throws(() => cut().takeNumber(), { code: 'STORE' });
  assert.throws(() => cut().takeInt32(), { code: 'STORE' });
  assert.throws(() => cut().takeBytes(4), { code: 'STORE' });
});
