import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LosslogError } from '../base/errors.ts';
import { type BootNs, wallNs } from '../base/time.ts';
import { toJson } from '../event/json.ts';
import { causeOf } from './cause.ts';
import { decodeRecord } from './decode.ts';
import { classOf, type DropFacts } from './drop-class.ts';
import type { Decoding } from './head.ts';
import { direction, dropRecord, flag, kind, ownerHow, recordHead, retransmitRecord } from './layout.ts';
import { protocolName, tcpFlagNames, tcpStateName, transmitErrorName } from './names.ts';

const decoding: Decoding = {
  toWall: (time: BootNs) => wallNs(time + 1_000_000_000_000n),
  dropReason: (code) => ({ reason: `REASON_${code}` }),
  resetReason: (code) => `RESET_${code}`,
  symbol: (address) => `symbol+0x${address.toString(16)}`,
  jiffyMs: 4,
};

function drop(): Buffer {
  const bytes = Buffer.alloc(dropRecord.size);
  bytes.writeBigUInt64LE(5n, recordHead.bootNs);
  bytes.writeBigUInt64LE(77n, recordHead.inode);
  bytes.writeUInt32LE(42, recordHead.ownerPid);
  bytes.write('nginx', recordHead.ownerComm);
  bytes[recordHead.ownerHow] = ownerHow.connect;
  Buffer.from([10, 0, 0, 2]).copy(bytes, recordHead.flowSrc);
  Buffer.from([10, 0, 0, 9]).copy(bytes, recordHead.flowDst);
  bytes.writeUInt16LE(45678, recordHead.flowSport);
  bytes.writeUInt16LE(443, recordHead.flowDport);
  bytes.writeUInt32LE(4026531840, recordHead.netns);
  bytes.write('eth0', recordHead.device);
  bytes[recordHead.kind] = kind.drop;
  bytes[recordHead.family] = 2;
  bytes[recordHead.protocol] = 6;
  bytes[recordHead.flags] = flag.hasFlow | flag.hasPorts | flag.hasSeq | flag.hasReason;
  bytes[recordHead.direction] = direction.rx;
  bytes.writeBigUInt64LE(0x10n, dropRecord.location);
  bytes.writeUInt32LE(12, dropRecord.reason);
  bytes.writeUInt32LE(60, dropRecord.length);
  bytes.writeUInt32LE(1, dropRecord.seq);
  bytes.writeUInt32LE(2, dropRecord.endSeq);
  bytes[dropRecord.tcpFlags] = 2;
  return bytes;
}

test('a drop, all of it', () => {
  const { event } = decodeRecord(drop(), 0, dropRecord.size, decoding);
  assert.equal(
    toJson(event),
    '{"time":"1970-01-01T00:16:40.000000005Z","bootNs":5,"kind":"drop","family":"ipv4","src":"10.0.0.2","sport":45678,' +
      '"dst":"10.0.0.9","dport":443,"netns":4026531840,"device":"eth0","socketInode":77,"pid":42,"process":"nginx",' +
      '"ownerHow":"connect","reason":"REASON_12","location":"symbol+0x10","class":"loss","direction":"rx",' +
      '"protocol":"tcp","tcpFlags":"SYN","seq":1,"endSeq":2,"length":60}',
  );
});

test('a record that is cut anywhere is a DECODE error and nothing else', () => {
  for (const [recordKind, size] of [
    [kind.drop, dropRecord.size],
    [kind.retransmit, retransmitRecord.size],
  ] as const) {
    const bytes = Buffer.alloc(size);
    bytes[recordHead.kind] = recordKind;
    for (let length = 0; length < size; length++) {
      const isDecodeError = (error: unknown) => error instanceof LosslogError && error.code === 'DECODE';
      assert.throws(() => decodeRecord(bytes.subarray(0, length), 0, length, decoding), isDecodeError);
    }
  }
});

test('an unknown kind is a DECODE error', () => {
  const bytes = drop();
  bytes[recordHead.kind] = 200;
  assert.throws(() => decodeRecord(bytes, 0, bytes.length, decoding), /unknown kind 200/);
});

test('causes, by state, congestion-avoidance state and armed timer', () => {
  const cases: [number, number, number, string][] = [
    [2, 4, 0, 'syn'],
    [1, 4, 0, 'rto'],
    [1, 4, 1, 'loss-recovery'],
    [1, 3, 1, 'fast'],
    [1, 3, 6, 'fast'],
    [1, 0, 5, 'tail-loss-probe'],
    [1, 1, 5, 'tail-loss-probe'],
    [1, 2, 5, 'tail-loss-probe'],
    [1, 0, 1, 'unknown'],
  ];
  for (const [state, caState, pending, cause] of cases) assert.equal(causeOf(state, caState, pending), cause);
});

test('classes of drops', () => {
  const cases: [Partial<DropFacts>, string][] = [
    [{ reason: 'NETFILTER_DROP' }, 'loss'],
    [{ reason: 'A_REASON_OF_TOMORROW' }, 'loss'],
    [{ reason: 'QUEUE_PURGE' }, 'benign'],
    [{ reason: 'NO_SOCKET' }, 'loss'],
    [{ reason: 'NO_SOCKET', tcpFlags: 4 }, 'benign'],
    [{ reason: 'NO_SOCKET', dst: Uint8Array.of(224, 0, 0, 251) }, 'benign'],
    [{ reason: 'NOT_SPECIFIED', location: 'tbf_segment+0x10' }, 'loss'],
    [{ reason: 'NOT_SPECIFIED', location: 'sk_stream_kill_queues.part.0+0x57' }, 'benign'],
    [{ reason: 'NOT_SPECIFIED', location: 'some_driver_rx+0x57' }, 'unknown'],
    [{ reason: 'NOT_SPECIFIED' }, 'unknown'],
    [{ reason: 'NOT_SPECIFIED', location: 'unix_stream_connect+0x7aa', onNetwork: false }, 'benign'],
    [{ location: 'ip_forward+0x1' }, 'loss'],
  ];
  for (const [facts, expected] of cases) {
    const all = { reason: undefined, location: undefined, dst: undefined, tcpFlags: 0, onNetwork: true, ...facts };
    assert.equal(classOf(all), expected, JSON.stringify(facts));
  }
});

test('names of numbers, and of numbers that have none', () => {
  assert.deepEqual(
    [tcpStateName(1), tcpStateName(12), tcpStateName(99)],
    ['TCP_ESTABLISHED', 'TCP_NEW_SYN_RECV', 'TCP_STATE_99'],
  );
  assert.deepEqual([tcpFlagNames(0), tcpFlagNames(0x12), tcpFlagNames(0x18)], ['', 'SYN|ACK', 'PSH|ACK']);
  assert.deepEqual([protocolName(6), protocolName(253)], ['tcp', '253']);
  assert.deepEqual([0, 1, -1, -16].map(transmitErrorName), [undefined, 'NET_XMIT_DROP', 'EPERM', 'EBUSY']);
});
