import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LosslogError } from '../base/errors.ts';
import { MAX_SNAPLEN, packetBytes, packetRoom, parseSnaplen } from './snaplen.ts';

test('how much of a packet is kept', () => {
  assert.equal(parseSnaplen('headers'), 'headers');
  assert.equal(parseSnaplen('0'), 0);
  assert.equal(parseSnaplen('96'), 96);
  assert.equal(parseSnaplen(String(MAX_SNAPLEN)), MAX_SNAPLEN);
  for (const text of ['', '-1', '1.5', '257', '9999999', 'all', '0x10']) {
    assert.throws(
      () => parseSnaplen(text),
      (error) => error instanceof LosslogError && error.code === 'USAGE',
      text,
    );
  }
});

test('a record has room for the packet only where one is captured', () => {
  assert.equal(packetBytes(0), 0);
  assert.ok(packetBytes(1) > packetRoom(1));
  assert.ok(packetRoom('headers') >= 14 + 40 + 60, 'Ethernet, IPv6 and the longest TCP header');
});
