import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Addresses } from './addresses.ts';

test('an address has one number, however many there are', () => {
  const addresses = new Addresses();
  const made = Array.from({ length: 5000 }, (_, i) => {
    const bytes = new Uint8Array(i % 2 === 0 ? 4 : 16);
    new DataView(bytes.buffer).setUint32(0, i);
    return bytes;
  });
  const numbers = () => made.map((address) => addresses.numberOf(address));
  assert.deepEqual(numbers(), [...made.keys()]);
  assert.deepEqual(numbers(), [...made.keys()]);
  assert.equal(addresses.size, made.length);
  for (const [number, address] of made.entries()) assert.deepEqual(addresses.at(number), address);
  // The first bytes of a longer one are another address.
  assert.equal(addresses.numberOf(Uint8Array.of(0, 0, 0, 1)), made.length);
});
