import assert from 'node:assert/strict';
import { PassThrough, Writable } from 'node:stream';
import { test } from 'node:test';
import { toJson } from '../event/json.ts';
import type { DropEvent, RetransmitEvent } from '../event/kinds.ts';
import { LivePrinter, type LivePrinterOptions } from './live-printer.ts';
import { Output } from './output.ts';

process.env.TZ = 'UTC';

const time = 1_763_842_507_123_456_789n;
const drop: DropEvent = { kind: 'drop', time, class: 'loss', reason: 'NETFILTER_DROP', protocol: 'arp' };
const resent: RetransmitEvent = { kind: 'retransmit', time, cause: 'rto', segments: 1 };
const line = '20:15:07.123456 DROP    NETFILTER_DROP   arp\n';

const MIB = 1024 * 1024;

function printer(options: Partial<LivePrinterOptions>, stream: Writable = new PassThrough({ highWaterMark: 8 * MIB })) {
  const output = new Output(stream, {}, () => {});
  const leftOut: number[] = [];
  const live = new LivePrinter(output, {
    form: 'text',
    all: false,
    day: '2025-11-22',
    onLeftOut: (count) => leftOut.push(count),
    ...options,
  });
  return { live, leftOut, output, printed: () => String((stream as PassThrough).read() ?? '') };
}

test('a storm of drops leaves room for the rest, and what is left out is counted', () => {
  const { live, leftOut, printed } = printer({});
  live.print(Array<DropEvent>(500).fill(drop));
  live.print([resent]);
  const lines = printed().trimEnd().split('\n');
  assert.equal(lines.filter((text) => `${text}\n` === line).length, 100);
  assert.equal(lines[100], '20:15:07.123456 RETRANS rto');
  live.tick();
  live.tick();
  assert.deepEqual(leftOut, [400]);
  live.print([drop]);
  assert.equal(printed(), line);
});

test('benign drops only when asked for', () => {
  const benign: DropEvent = { ...drop, class: 'benign' };
  const quiet = printer({});
  quiet.live.print([benign, drop]);
  assert.equal(quiet.printed(), line);
  quiet.live.tick();
  assert.deepEqual(quiet.leftOut, []);
  const all = printer({ all: true });
  all.live.print([benign]);
  assert.equal(all.printed(), '20:15:07.123456 DROP    NETFILTER_DROP   arp  benign\n');
});

test('JSON into a pipe is complete', () => {
  const { live, leftOut, printed } = printer({ form: 'json' });
  live.print(Array<DropEvent>(5000).fill(drop));
  live.tick();
  assert.equal(printed(), `${toJson(drop)}\n`.repeat(5000));
  assert.deepEqual(leftOut, []);
});

test('a reader that does not read costs bounded memory', () => {
  const stuck = new Writable({ write() {} });
  const { live, leftOut, output } = printer({ form: 'json' }, stuck);
  const lineBytes = toJson(drop).length + 1;
  const fit = Math.floor((4 * MIB) / lineBytes) + 1;
  const batch = Array<DropEvent>(10_000).fill(drop);
  for (let i = 0; i < 10; i++) live.print(batch);
  live.tick();
  assert.equal(output.pendingBytes, fit * lineBytes);
  assert.deepEqual(leftOut, [100_000 - fit]);
});
