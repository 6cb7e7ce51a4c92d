import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ConnectionEvent } from '../event/kinds.ts';
import { decodeRecord } from './decode.ts';
import { endOf } from './decode-connection.ts';
import { connectionRecord, kind, known, recordHead } from './layout.ts';

const ETIMEDOUT = 110;
const ECONNRESET = 104;
const EHOSTUNREACH = 113;
const TCP_ESTABLISHED = 1;

test('who closed a connection is told from its last state, and where there was no FIN from its error', () => {
  const endings = [
    ['TCP_FIN_WAIT2', 0, { closedBy: 'local' }],
    ['TCP_CLOSING', 0, { closedBy: 'local' }],
    ['TCP_FIN_WAIT1', ETIMEDOUT, { closedBy: 'local', error: 'ETIMEDOUT' }],
    ['TCP_LAST_ACK', 0, { closedBy: 'peer' }],
    ['TCP_CLOSE_WAIT', ECONNRESET, { closedBy: 'peer', error: 'ECONNRESET' }],
    ['TCP_ESTABLISHED', 0, { closedBy: 'local' }],
    ['TCP_ESTABLISHED', ECONNRESET, { closedBy: 'peer', error: 'ECONNRESET' }],
    ['TCP_ESTABLISHED', ETIMEDOUT, { closedBy: 'timeout', error: 'ETIMEDOUT' }],
    ['TCP_SYN_SENT', EHOSTUNREACH, { error: 'EHOSTUNREACH' }],
  ] as const;
  for (const [state, errno, end] of endings) assert.deepEqual(endOf(state, errno), end, `${state} ${errno}`);
});

function decoded(write: (bytes: Buffer) => void): ConnectionEvent {
  const bytes = Buffer.alloc(connectionRecord.size);
  bytes[recordHead.kind] = kind.connection;
  bytes[recordHead.state] = TCP_ESTABLISHED;
  write(bytes);
  const unused = (): never => assert.fail('nothing to ask the kernel');
  const decoding = { toWall: () => 7n as never, dropReason: unused, resetReason: unused, symbol: unused, jiffyMs: 4 };
  return decodeRecord(bytes, 0, bytes.length, decoding).event as ConnectionEvent;
}

test('what this kernel or this connection does not know is absent', () => {
  const { time: _, bootNs: __, kind: ___, ...rest } = decoded(() => {});
  assert.deepEqual(rest, { retransmitted: 0, phase: 'living', state: 'TCP_ESTABLISHED' });
});

test('zeroes that are known stay; a ratio needs data, a round trip a measurement', () => {
  const event = decoded((bytes) => {
    bytes[connectionRecord.known] =
      known.segments | known.bytes | known.bytesRetransmitted | known.timeouts | known.minRtt;
    bytes.writeUInt32LE(0xffff_ffff, connectionRecord.minRttUs);
  });
  assert.deepEqual([event.segments, event.bytes, event.timeouts], [0, 0, 0]);
  assert.deepEqual([event.lossRatio, event.minRttUs, event.spurious], [undefined, undefined, undefined]);
});

test('the ratio is of payload bytes, and the age in this kernel’s jiffies', () => {
  const event = decoded((bytes) => {
    bytes[connectionRecord.known] = known.bytes | known.bytesRetransmitted | known.age;
    bytes.writeBigUInt64LE(2n ** 33n, connectionRecord.bytes);
    bytes.writeBigUInt64LE(2n ** 30n, connectionRecord.bytesRetransmitted);
    bytes.writeBigUInt64LE(2503n, connectionRecord.ageJiffies);
  });
  assert.deepEqual([event.lossRatio, event.durationMs], [0.125, 10_012]);
});
