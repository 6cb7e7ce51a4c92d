import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { formatIp } from '../../base/ip.ts';
import type { LogEvent } from './events.ts';
import { type LostEvents, TraceLogReader } from './reader.ts';

const LOGS = join(import.meta.dirname, '../../../testdata/trace-logs');

interface Result {
  events: { event: LogEvent; atNs: bigint | undefined }[];
  lost: LostEvents[];
  broken: { line: number; why: string }[];
  lines: number;
  foreign: number;
}

function read(log: string | Buffer, chunkBytes = 1 << 20): Result {
  const result: Result = { events: [], lost: [], broken: [], lines: 0, foreign: 0 };
  const reader = new TraceLogReader('little', {
    onEvent: (event, atNs) => result.events.push({ event, atNs }),
    onLost: (lost) => result.lost.push(lost),
    onBroken: (line, why) => result.broken.push({ line, why }),
  });
  const bytes = Buffer.from(log);
  for (let at = 0; at < bytes.length; at += chunkBytes) reader.push(bytes.subarray(at, at + chunkBytes));
  reader.end();
  return { ...result, lines: reader.lines, foreign: reader.foreign };
}

/** What a line says, computed in another way than the reader does. */
function assertSays(line: string, { event, atNs }: Result['events'][number]): void {
  const say = (name: string): string | undefined => new RegExp(`[ (]${name}[=:] ?([^ ]+)`).exec(line)?.[1];
  const [, seconds = '', micros = ''] = /(\d+)\.(\d{6}): /.exec(line) ?? [];
  assert.equal(atNs, (BigInt(seconds) * 1_000_000n + BigInt(micros)) * 1000n, line);
  const raw = say('port');
  if (raw !== undefined) {
    const bytes = new DataView(new ArrayBuffer(6));
    bytes.setUint16(0, Number(raw), true);
    bytes.setInt32(2, Number(say('dst')) | 0, true);
    const address = [2, 3, 4, 5].map((at) => bytes.getUint8(at)).join('.');
    assert.equal(event.dport, bytes.getUint16(0), line);
    assert.equal(event.dst && formatIp(event.dst), address === '0.0.0.0' ? undefined : address, line);
    return;
  }
  if (event.kind === 'drop') {
    assert.equal(event.reason, say('reason'), line);
    const location = say('location') ?? '';
    const place = location.includes('+') ? (location.split('/')[0] as string) : `0x${location}`;
    assert.equal(event.location, place.startsWith('0x0000') ? undefined : place, line);
    return;
  }
  const [, dest, port] = /dest=\[?(.*?)\]?:(\d+) /.exec(line) ?? [];
  const dst = (dest ?? say('daddrv6') ?? '').replace('::ffff:', '');
  assert.deepEqual([event.dst && formatIp(event.dst), event.dport], [dst, Number(port ?? say('dport'))], line);
  const state = say('state');
  assert.equal(event.state, state === 'UNKNOWN' ? undefined : state, line);
}

const OURS =
  /: (?:tcp_retransmit|tcp_retransmit_skb|tcp_retransmit_synack|kfree_skb|tcp_send_reset|tcp_receive_reset)[: ]/;

for (const file of readdirSync(LOGS)) {
  test(`every line of ${file}`, () => {
    const text = readFileSync(join(LOGS, file), 'latin1');
    const lines = text.split('\n').slice(0, -1);
    const ours = lines.filter((line) => OURS.test(line));
    const { events, broken, foreign } = read(text);
    assert.ok(ours.length > 0);
    assert.deepEqual([events.length, broken, foreign], [ours.length, [], lines.length - ours.length]);
    for (const [i, found] of events.entries()) assertSays(ours[i] as string, found);
  });
}

const EVENT = 'tcp_retransmit: (tcp_retransmit_skb+0x0/0xc0) port=47873 dst=0 state=2';
const at = (cpu: number, stamp: string, rest: string): string =>
  `          <idle>-0       [00${cpu}] ..s.    ${stamp}: ${rest}\n`;

test('what a CPU lost lies between its neighbouring lines', () => {
  const log = [
    at(0, '1.000000', 'sched_switch: prev_comm=x'),
    at(1, '2.000000', EVENT),
    'CPU:0 [LOST 12 EVENTS]\n',
    at(1, '3.000000', EVENT),
    at(0, '4.000000', 'sched_switch: prev_comm=x'),
    'CPU:1 [LOST EVENTS]\n',
  ].join('');
  assert.deepEqual(read(log).lost, [
    { count: 12, fromNs: 1_000_000_000n, untilNs: 4_000_000_000n },
    { count: undefined, fromNs: 3_000_000_000n, untilNs: undefined },
  ]);
});

test('broken lines are told by their numbers and stop nothing', () => {
  const log = [
    'cut off: tcp_retransmit: (tcp_retransmit_skb+0x0/0xc0) port=1 dst=1 state=1\n',
    at(0, '1.000000', 'tcp_retransmit: (tcp_retransmit_skb+0x0/0xc0) port=x dst=1 state=1'),
    at(0, '2.000000', EVENT).replace('\n', '\r\n'),
    'x'.repeat(70_000),
    '\n',
    at(0, '3.000000', EVENT),
    at(0, '4.000000', EVENT).slice(0, -2),
  ].join('');
  const { events, broken, lines } = read(log);
  assert.deepEqual([events.length, lines], [2, 6]);
  assert.deepEqual(broken, [
    { line: 1, why: 'its task, CPU or time stamp cannot be read' },
    { line: 2, why: 'port is "x"' },
    { line: 4, why: 'it is longer than 65536 characters' },
    { line: 6, why: 'state is ""' },
  ]);
});

test('it does not matter how the log is cut into pieces', () => {
  const log = readFileSync(join(LOGS, 'trace-tp-6.18.15.txt')).subarray(0, 6000);
  const whole = read(log);
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 600 }), (chunk) => assert.deepEqual(read(log, chunk), whole)),
    {
      numRuns: 20,
    },
  );
});

test('damaged logs: every line is an event, broken or skipped, and every value is one of a socket', () => {
  const logs = readdirSync(LOGS).map((file) => readFileSync(join(LOGS, file)));
  const damage = fc.array(fc.tuple(fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }), fc.nat(255)), {
    minLength: 1,
    maxLength: 200,
  });
  fc.assert(
    fc.property(fc.constantFrom(...logs), damage, (log, changes) => {
      const bytes = Buffer.from(log);
      for (const [where, byte] of changes) bytes[Math.floor(where * bytes.length)] = byte;
      const { events, broken, foreign, lost, lines } = read(bytes);
      assert.equal(events.length + broken.length + foreign + lost.length, lines);
      for (const { event } of events) {
        for (const port of [event.sport, event.dport]) assert.ok(port === undefined || (port >= 0 && port <= 0xffff));
        for (const ip of [event.src, event.dst]) assert.ok(ip === undefined || ip.length === 4 || ip.length === 16);
        assert.ok(event.kind !== 'drop' || /^[\w.+-]*$/.test(`${event.reason ?? ''}${event.location ?? ''}`));
      }
    }),
    { numRuns: 300 },
  );
});
