import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { decodePacket } from './decode-packet.ts';
import { packetRecord as at, packetBegin } from './layout.ts';

const FRAME = Array.from({ length: 20 }, (_, i) => i);

/** A record of a packet behind `offset` other bytes, as the kernel side writes it on a little-endian host. */
function record(offset: number, { begin, length, vlan }: { begin: number; length: number; vlan?: boolean }): Buffer {
  const bytes = Buffer.alloc(offset + at.size + FRAME.length);
  bytes.writeUInt32LE(length, offset + at.length);
  bytes.writeUInt16LE(FRAME.length, offset + at.captured);
  bytes[offset + at.begin] = begin;
  if (vlan) {
    bytes[offset + at.hasVlan] = 1;
    bytes.set([0x88, 0xa8], offset + at.vlanEthertype);
    bytes.writeUInt16LE(0x2005, offset + at.vlanTci);
  }
  bytes.set(FRAME, offset + at.size);
  return bytes;
}

test('captured bytes come out as they were, with the length of the whole', () => {
  const bytes = record(8, { begin: packetBegin.ip, length: 1500 });
  assert.deepEqual(decodePacket(bytes, 8, bytes.length - 8), {
    begin: 'ip',
    length: 1500,
    bytes: Uint8Array.from(FRAME),
  });
});

test('a VLAN tag that the kernel kept beside the frame stands behind the addresses', () => {
  const bytes = record(0, { begin: packetBegin.ethernet, length: 1000, vlan: true });
  const packet = decodePacket(bytes, 0, bytes.length);
  assert.deepEqual(packet, {
    begin: 'ethernet',
    length: 1004,
    bytes: Buffer.from([...FRAME.slice(0, 12), 0x88, 0xa8, 0x20, 0x05, ...FRAME.slice(12)]),
  });
});

test('a record without room for a packet, or of one that could not be read, has none', () => {
  const bytes = record(0, { begin: packetBegin.none, length: 0 });
  assert.equal(decodePacket(bytes, 0, bytes.length), undefined);
  assert.equal(decodePacket(bytes, 0, 0), undefined);
});

test('whatever the bytes are, no more come out than the record has', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 80 }), (random) => {
      const packet = decodePacket(Buffer.from(random), 0, random.length);
      assert.ok((packet?.bytes.length ?? 0) <= Math.max(0, random.length - at.size) + 4);
    }),
  );
});
