import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readAddress, readText } from './reader.ts';

const FIELD = 16;

test('a text is read up to its end or that of the field, again and again, whatever was read between', () => {
  const texts = [
    'eth0',
    'veth1',
    'a'.repeat(FIELD),
    'ä',
    '\ufffd',
    ...Array.from({ length: 5000 }, (_, i) => `if${i}`),
  ];
  for (const text of [...texts, ...texts.toReversed(), ...texts]) {
    const bytes = Buffer.alloc(2 * FIELD, 'x');
    bytes.fill(0, 3, 3 + FIELD).write(text, 3);
    assert.equal(readText(bytes, 3, FIELD), text);
  }
  assert.equal(readText(Buffer.alloc(FIELD), 0, FIELD), undefined);
  assert.equal(readText(Buffer.from([0xff, 0xc3, 0]), 0, 3), '\ufffd\ufffd');
});

test('an address outlives the bytes it was read from, and is right whatever was read between', () => {
  const bytes = Buffer.alloc(20);
  const read: { value: number; address: Uint8Array }[] = [];
  for (let i = 0; i < 20_000; i++) {
    const value = Math.imul(i % 7000, 0x01000193) >>> 0;
    bytes.writeUInt32BE(value, 2);
    read.push({ value, address: readAddress(bytes, 2, 4) });
  }
  bytes.fill(0xff);
  for (const { value, address } of read) assert.equal(Buffer.from(address).readUInt32BE(), value);
  const ipv6 = Buffer.from('20010db8000000000000000000000001', 'hex');
  assert.deepEqual(readAddress(ipv6, 0, 16), new Uint8Array(ipv6));
});
