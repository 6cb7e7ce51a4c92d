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

test('addresses: IPv4 as a signed number, the highest byte first', () => {
  const writer = new PackedWriter();
  const ipv6 = Uint8Array.of(0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1);
  for (const bytes of [Uint8Array.of(192, 0, 2, 1), ipv6, new Uint8Array()]) writer.addAddress(bytes);
  const reader = new PackedReader(writer.bytes());
  assert.deepEqual(
    [reader.takeAddress(), reader.takeAddress(), reader.takeAddress()],
    [0xc0000201 | 0, ipv6, undefined],
  );
  assert.ok(reader.isAtEnd);
});

test('what ends too early is refused', () => {
  const cut = (): PackedReader => new PackedReader(pack([2 ** 53]).subarray(0, 3));
  assert.throws(() => cut().takeNumber(), { code: 'STORE' });
  assert.throws(() => new PackedReader(Uint8Array.of(4, 10, 0, 0)).takeAddress(), { code: 'STORE' });
  assert.throws(() => cut().takeBytes(4), { code: 'STORE' });
});
