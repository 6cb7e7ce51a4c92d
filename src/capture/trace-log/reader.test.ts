import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { formatIp } from '../../base/ip.ts';
import type { LogEvent } from './log-event.ts';
import type { LostEvents } from './lost-stretches.ts';
import { TraceLogReader } from './reader.ts';

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

/** Seconds of a line as text, in another way than the reader does; undefined where they are none. */
function secondsOf(line: string): string | undefined {
  const verbose = /\[([0-9a-f]{8})\] \d+\.\d+ms/.exec(line)?.[1];
  if (verbose !== undefined) return (Number.parseInt(verbose, 16) / 1e6).toFixed(6);
  return /(?<![.\d])\d+\.\d{6,9}(?=: )/.exec(line)?.[0];
}

const STATES = 'ESTABLISHED SYN_SENT SYN_RECV FIN_WAIT1 FIN_WAIT2 TIME_WAIT CLOSE CLOSE_WAIT LAST_ACK LISTEN CLOSING';

/** `TCP_CLOSE`, or 0x7 where the writer of the log did not know the name. */
function stateOf(text: string | undefined): string | undefined {
  if (text === undefined || text === 'UNKNOWN') return undefined;
  return /^(0x)?\d+$/.test(text) ? `TCP_${STATES.split(' ')[Number(text) - 1]}` : text;
}

/** What a line says, computed in another way than the reader does. */
function assertSays(line: string, { event, atNs }: Result['events'][number]): void {
  const say = (name: string): string | undefined => new RegExp(`[ (]${name}[=:] ?([^ ]+)`).exec(line)?.[1];
  const seconds = secondsOf(line);
  assert.equal(atNs, seconds && BigInt(seconds.replace('.', '').padEnd(seconds.indexOf('.') + 9, '0')), line);
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
    const place = (say('location') ?? '').split('/')[0]?.replace(/^(?=ffff)/, '0x');
    assert.equal(event.location, place?.startsWith('0000') ? undefined : place, line);
    return;
  }
  const [, dest, port] = /dest=\[?(.*?)\]?:(\d+) /.exec(line) ?? [];
  const dst = (dest ?? say('daddrv6') ?? '').replace('::ffff:', '');
  assert.deepEqual([event.dst && formatIp(event.dst), event.dport], [dst, Number(port ?? say('dport'))], line);
  assert.equal(event.state, stateOf(say('state')), line);
}

const OURS =
  /:\s+(?:\d+\s+)?(?:[a-z]+:)?(?:tcp_retransmit|tcp_retransmit_skb|tcp_retransmit_synack|kfree_skb|tcp_send_reset|tcp_receive_reset): |: (?:0|bpf_trace_printk|tracing_mark_write): tcp_/;
const LOST = /^CPU:\d+ \[|PERF_RECORD_LOST/;

for (const file of readdirSync(LOGS)) {
  test(`every line of ${file}`, () => {
    const text = readFileSync(join(LOGS, file), 'latin1');
    const lines = text.split('\n').slice(0, -1);
    const ours = lines.filter((line) => OURS.test(line));
    const losing = lines.filter((line) => LOST.test(line));
    const { events, lost, broken, foreign } = read(text);
    assert.ok(ours.length + losing.length > 0);
    assert.deepEqual([events.length, broken, foreign], [ours.length, [], lines.length - ours.length - losing.length]);
    for (const [i, found] of events.entries()) assertSays(ours[i] as string, found);
    const counts = losing.map((line) => /(\d+)(?: EVENTS|$)/.exec(line)?.[1]);
    assert.deepEqual(
      lost.map(({ count }) => count?.toString()),
      counts,
    );
    for (const { fromNs = 0n, untilNs = fromNs } of lost) assert.ok(fromNs <= untilNs && untilNs > 0n);
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
    { line: 4, why: 'it is longer than 16384 characters' },
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

const digits = (count: number) =>
  fc.string({ unit: fc.constantFrom(...'0123456789'), minLength: count, maxLength: count });
const comm = fc
  .string({ unit: fc.constantFrom(...'ab-<>[]():/ .1é'), minLength: 1, maxLength: 15 })
  .filter((name) => name.trim() === name);

/** The header of a line in each layout: task, CPU and time. */
const headers: ((task: string, pid: number, cpu: string, time: string, flags: string) => string)[] = [
  (task, pid, cpu, time, flags) =>
    `${task.padStart(16)}-${String(pid).padEnd(7)} [${cpu}] ${flags} ${time.padStart(12)}: `,
  (task, pid, cpu, time) => `${task.padStart(16)}-${String(pid).padEnd(7)} [${cpu}]  ${time.padStart(12)}: `,
  (task, pid, cpu, time, flags) =>
    `${task.padStart(16)}-${String(pid).padEnd(7)} (${String(pid).padStart(7)}) [${cpu}] ${flags} ${time.padStart(12)}: `,
  (task, pid, cpu, time, flags) =>
    `${task.padStart(16)}-${String(pid).padEnd(7)} (-------) [${cpu}] ${flags} ${time.padStart(12)}: `,
  (task, pid, cpu, time, flags) => `${task}-${pid} [${cpu}] (-----) ${flags} ${time}: `,
  (task, pid, cpu, time) => `${task.padStart(16)} ${String(pid).padStart(5)} [${cpu}] ${time.padStart(12)}: probe:`,
  (task, pid, cpu, time) => `${task} ${pid}/${pid} [${cpu}] ${time}:          1  probe:`,
];

test('whatever the task is called, a line tells its event', () => {
  const flags = fc.string({ unit: fc.constantFrom(...'.dDbXNnpBlLhHszZ149a'), minLength: 4, maxLength: 7 });
  const header = fc.record({
    layout: fc.constantFrom(...headers),
    task: comm,
    pid: fc.nat(4_194_304),
    cpu: fc.nat(511).map((cpu) => String(cpu).padStart(3, '0')),
    seconds: fc.integer({ min: 0, max: 99_999_999 }),
    micros: digits(6),
    flags: flags.filter((text) => !/^\d/.test(text)),
  });
  const socket = fc.record({ port: fc.nat(0xffff), dst: fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }) });
  fc.assert(
    fc.property(header, socket, ({ layout, task, pid, cpu, seconds, micros, flags }, { port, dst }) => {
      const line = `${layout(task, pid, cpu, `${seconds}.${micros}`, flags)}tcp_retransmit: (tcp_retransmit_skb+0x0/0xc0) port=${port} dst=${dst} state=2`;
      const bytes = Buffer.from(line, 'utf8').toString('latin1');
      const { events, broken } = read(Buffer.from(bytes, 'latin1'));
      assert.deepEqual([events.length, broken], [1, []], line);
      assertSays(line, events[0] as Result['events'][number]);
    }),
    { numRuns: 2000 },
  );
});

test('lines that would take a careless parser long', () => {
  const n = 16_000;
  const hostile = [
    ' '.repeat(n),
    '-1 '.repeat(n / 3),
    'a '.repeat(n / 2),
    'tcp_drop: '.repeat(n / 10),
    '['.repeat(n),
    '0'.repeat(n),
    `${'x'.padStart(16)}-1 [${'0'.repeat(n)}`,
    `${'x'.padStart(16)}-1 [000] .... 1.000000: tcp_retransmit_skb: ${'sport='.repeat(n / 6)}`,
    `${'x'.padStart(16)}-1 [000] .... 1.000000: kfree_skb: protocol=2048 location=${'a'.repeat(n)}`,
  ];
  const { events, lines } = read(
    `${hostile
      .map((line) => `${line} kfree_skb\n`)
      .join('')
      .repeat(50)}`,
  );
  assert.equal(lines, hostile.length * 50);
  assert.deepEqual(
    events.map(({ event }) => event.kind === 'drop' && event.location),
    Array(50).fill(undefined),
  );
});

test('NUL bytes, carriage returns and an empty log', () => {
  assert.deepEqual([read('').lines, read('\n').foreign, read('\0\0\n\r\n').foreign], [0, 1, 2]);
  const { events } = read(`\0${at(0, '1.000000', EVENT)}${at(0, '2.000000', EVENT).replace('\n', '\r\n')}`);
  assert.deepEqual(
    events.map(({ atNs }) => atNs),
    [1_000_000_000n, 2_000_000_000n],
  );
});

test('many CPUs that lose events and never come back are told one by one', () => {
  const lost = read(Array.from({ length: 20_000 }, (_, cpu) => `CPU:${cpu} [LOST 1 EVENTS]\n`).join('')).lost;
  assert.equal(lost.length, 20_000);
});
