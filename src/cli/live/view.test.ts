import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { displayWidth } from '../../base/escape.ts';
import { parseIp } from '../../base/ip.ts';
import type { Event } from '../../event/kinds.ts';
import { initialSettings, type Settings, type Snapshot } from './state.ts';
import { sparkline, view } from './view.ts';

const counts = { events: 0, retransmissions: 0, segments: 0, bytes: 0, drops: 0, resets: 0 };
const event = {
  kind: 'retransmit',
  time: 1_795_219_200n * 1_000_000_000n,
  src: parseIp('10.0.0.1'),
  sport: 1,
  dst: parseIp('10.0.0.2'),
  dport: 443,
  cause: 'rto',
  process: 'nginx',
} as Event;
const snapshot: Snapshot = {
  clock: '20:15:07',
  history: [
    { segments: 1, drops: 0, resets: 0 },
    { segments: 3, drops: 4, resets: 1 },
  ],
  rows: [
    { ...counts, key: '10.0.0.2', retransmissions: 3, segments: 5 },
    { ...counts, key: 'evil\u001b]0;x\u0007', drops: 9 },
    { ...counts, drops: 1 },
  ],
  events: [event],
};
const settings: Settings = initialSettings('peer', false);
const size = { columns: 80, rows: 24 };

test('80 columns and 24 rows', () => {
  const lines = view(settings, snapshot, size, false);
  assert.equal(lines.length, 24);
  assert.deepEqual(lines.slice(0, 4), [
    'losslog top  20:15:07  by peer, last 1 min',
    'now: 3 segments resent/s  4 drops/s  1 resets/s',
    '▁█',
    '',
  ]);
  assert.match(lines[4] as string, /^peer +segments resent {2}drops {2}resets$/);
  assert.match(lines[5] as string, /^evil\\x1b\]0;x\\x07 +0 +9 +0$/);
  assert.match(lines[6] as string, /^10\.0\.0\.2 +5 +0 +0$/);
  assert.match(lines[7] as string, /^\(unknown\) +0 +1 +0$/);
  assert.ok(lines.some((line) => line.includes('RETRANS rto')));
  assert.match(lines[23] as string, /^q quit {2}1-7 or tab/);
});

test('sorted and searched as asked', () => {
  const keys = (changed: Partial<Settings>): string[] =>
    view({ ...settings, ...changed }, snapshot, size, false)
      .slice(5, 8)
      .map((line) => line.split(' ')[0] as string);
  assert.deepEqual(keys({ sort: 'segments' })[0], '10.0.0.2');
  assert.deepEqual(keys({ sort: 'drops' })[0], 'evil\\x1b]0;x\\x07');
  assert.deepEqual(keys({ search: 'EVIL' }), ['evil\\x1b]0;x\\x07', '', '']);
  assert.match(view({ ...settings, search: 'zzz' }, snapshot, size, false)[5] as string, /^nothing has "zzz"/);
  assert.match(view(settings, { ...snapshot, rows: [] }, size, false)[5] as string, /^nothing was lost in this period/);
  assert.equal(view(settings, { ...snapshot, alarm: 'the recorder is down' }, size, false)[1], 'the recorder is down');
});

test('whatever the size, every line fits and nothing that a terminal would obey gets through', () => {
  const anySize = fc.record({ columns: fc.integer({ min: 1, max: 200 }), rows: fc.integer({ min: 1, max: 60 }) });
  const key = fc.oneof(fc.string({ unit: 'binary', maxLength: 90 }), fc.constant('日本語'));
  const rows = fc.array(fc.record({ key, drops: fc.nat() }), { maxLength: 40 });
  fc.assert(
    fc.property(anySize, rows, fc.boolean(), (terminal, some, showsHelp) => {
      const shown = { ...snapshot, rows: some.map((row) => ({ ...counts, ...row })) };
      const lines = view({ ...settings, showsHelp }, shown, terminal, false);
      assert.equal(lines.length, terminal.rows);
      for (const line of lines) {
        assert.ok(displayWidth(line) <= terminal.columns, JSON.stringify(line));
        assert.doesNotMatch(line, /\p{Cc}/u);
      }
    }),
    { numRuns: 200 },
  );
});

test('the line of time', () => {
  const losses = (...all: number[]) => all.map((drops) => ({ segments: 0, drops, resets: 0 }));
  assert.equal(sparkline(losses(0, 1, 50, 100), 80), ' ▁▄█');
  assert.equal(sparkline(losses(0, 1, 50, 100), 2), '▄█');
  assert.equal(sparkline([], 80), '');
});
