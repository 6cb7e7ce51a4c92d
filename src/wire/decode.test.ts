import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { LosslogError } from '../base/errors.ts';
import { toJson } from '../event/json.ts';
import { decodeRecord } from './decode.ts';
import type { Decoding } from './head.ts';
import {
  connectionRecord,
  direction,
  dropRecord,
  flag,
  kind,
  recordHead,
  resetRecord,
  retransmitRecord,
} from './layout.ts';
import { bytesOf, decodingOf, recordFixtures } from './record-fixture.test-util.ts';

const fixtures = recordFixtures();

const isDecodeError = (error: unknown): boolean => error instanceof LosslogError && error.code === 'DECODE';

for (const [path, fixture] of fixtures) {
  test(`a captured record decodes as it did on its kernel: ${path}`, () => {
    const bytes = bytesOf(fixture);
    const { event } = decodeRecord(bytes, 0, bytes.length, decodingOf(fixture));
    assert.deepEqual(JSON.parse(toJson(event)), fixture.event);
  });

  test(`cut anywhere it is a DECODE error: ${path}`, () => {
    const bytes = bytesOf(fixture);
    for (let length = 0; length < bytes.length; length++) {
      assert.throws(() => decodeRecord(bytes.subarray(0, length), 0, length, decodingOf(fixture)), isDecodeError);
      // The ring says less than there is, or the file has less than the ring said.
      assert.throws(() => decodeRecord(bytes, 0, length, decodingOf(fixture)), isDecodeError);
      const behindOthers = Buffer.concat([Buffer.alloc(8), bytes.subarray(0, length)]);
      assert.throws(() => decodeRecord(behindOthers, 8, bytes.length, decodingOf(fixture)), isDecodeError);
    }
  });
}

test('every kind of record was captured, of both families', () => {
  const captured = new Set(
    [...fixtures.values()].map(({ event }) => `${event.kind} ${event.cause ?? ''} ${event.family}`),
  );
  for (const family of ['ipv4', 'ipv6']) {
    for (const what of ['retransmit rto', 'retransmit syn-ack', 'drop ', 'reset ', 'connection ']) {
      assert.ok(captured.has(`${what} ${family}`), `${what} ${family}`);
    }
  }
});

const decoding: Decoding = {
  toWall: (time) => time as never,
  dropReason: (code) => ({ reason: `REASON_${code}` }),
  resetReason: (code) => `RESET_${code}`,
  symbol: () => undefined,
  jiffyMs: 4,
};

test('whatever the bytes are, they are an event or a DECODE error', () => {
  const size = Math.max(retransmitRecord.size, dropRecord.size, connectionRecord.size);
  fc.assert(
    fc.property(
      fc.uint8Array({ minLength: size, maxLength: size }),
      fc.integer({ min: 0, max: kind.count }),
      (random, of) => {
        const bytes = Buffer.from(random);
        bytes[recordHead.kind] = of;
        if (of === kind.count) assert.throws(() => decodeRecord(bytes, 0, size, decoding), isDecodeError);
        else assert.match(toJson(decodeRecord(bytes, 0, size, decoding).event), /^\{"time":".*\}$/);
      },
    ),
  );
});

test('an unknown kind says its number', () => {
  const bytes = Buffer.alloc(resetRecord.size);
  bytes[recordHead.kind] = 200;
  assert.throws(() => decodeRecord(bytes, 0, bytes.length, decoding), /unknown kind 200/);
});

/** A drop record with nothing in it but what `write` writes. */
function drop(write: (bytes: Buffer) => void, options: Partial<Decoding> = {}) {
  const bytes = Buffer.alloc(dropRecord.size);
  bytes[recordHead.kind] = kind.drop;
  write(bytes);
  const { event } = decodeRecord(bytes, 0, bytes.length, { ...decoding, ...options });
  assert.ok(event.kind === 'drop');
  return event;
}

test('what is not known is absent', () => {
  assert.deepEqual(
    drop(() => {}),
    { kind: 'drop', time: 0n, bootNs: 0n, class: 'benign', length: 0 },
  );
});

test('a message of a Unix socket has no direction', () => {
  const event = drop((bytes) => {
    bytes[recordHead.direction] = direction.tx;
  });
  assert.equal(event.direction, undefined);
});

test('a packet that XDP refuses in a veth is on its way in, whatever the skb says', () => {
  const write = (bytes: Buffer): void => {
    bytes[recordHead.direction] = direction.tx;
    bytes.write('eth0', recordHead.device);
  };
  assert.equal(drop(write, { symbol: () => 'veth_xdp_rcv_skb+0x27d' }).direction, 'rx');
  assert.equal(drop(write, { symbol: () => 'veth_xmit+0x10' }).direction, 'tx');
});

test('TCP data is counted across the end of the sequence space, SYN and FIN apart', () => {
  const classOfOldAck = (seq: number, endSeq: number, flags: number): string =>
    drop(
      (bytes) => {
        bytes[recordHead.protocol] = 6;
        bytes[recordHead.flags] = flag.hasFlow | flag.hasSeq | flag.hasReason;
        bytes.writeUInt32LE(seq, dropRecord.seq);
        bytes.writeUInt32LE(endSeq, dropRecord.endSeq);
        bytes[dropRecord.tcpFlags] = flags;
      },
      // benign only without data
      { dropReason: () => ({ reason: 'TCP_TOO_OLD_ACK' }) },
    ).class;
  assert.equal(classOfOldAck(5, 5, 16), 'benign');
  assert.equal(classOfOldAck(0xffff_ffff, 0, 17), 'benign');
  assert.equal(classOfOldAck(0xffff_ffff, 1, 17), 'loss');
  assert.equal(classOfOldAck(5, 6, 16), 'loss');
});

test('the acknowledgement number of a dropped packet is there when it has one', () => {
  const fixture = fixtures.get('6.18/drop-tcp-ipv4-netfilter_drop.json');
  assert.ok(fixture);
  const bytes = bytesOf(fixture);
  const ack = (): unknown => JSON.parse(toJson(decodeRecord(bytes, 0, bytes.length, decodingOf(fixture)).event)).ack;
  bytes.writeUInt32LE(0, dropRecord.ack);
  assert.equal(ack(), undefined);
  bytes.writeUInt32LE(0xfedcba98, dropRecord.ack);
  assert.equal(ack(), 0xfedcba98);
});
