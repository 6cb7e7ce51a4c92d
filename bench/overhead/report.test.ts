import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addedNsAPacket, bytesAnEvent, cpuUsAnEvent, dropsOf, medianOf, ratioToAlone, resentOf } from './figures.ts';
import type { Sample, Seen } from './measure.ts';
import { sharesOf, withSources } from './profile.ts';
import { page, table } from './report.ts';
import { ALONE, ALONE_AGAIN, type Results } from './results.ts';
import { median, pairedRatios, rotated, spreadOf } from './statistics.ts';
import { isWithinNoise, netOfMeasuring, targetsOf } from './targets.ts';

const MEMORY = { peak: 100, anonymous: 40, file: 59, shared: 1 };

const seen = (tally: Seen['tally'], cpu = 0.1): Seen => ({
  cpu: { user: cpu / 2, system: cpu / 2 },
  seconds: 2,
  cpuOfEnd: { user: 0, system: 0.01 },
  memory: MEMORY,
  tally,
});

const sample = (rates: Sample['rates'], seen?: Seen, events?: number): Sample => ({
  rates,
  truth: { segments: 50, drops: 1000, ...(events !== undefined && { retransmissions: events }) },
  part: { segments: 40, drops: 960 },
  ...(seen && { seen }),
});

const LOSSLOG = { retransmissions: 49, segments: 50, drops: 100, counted: 900, toldLost: 0, bytes: 14_900 };
const PEER = { retransmissions: 48, drops: 700, toldLost: 200, bytes: 7480 };
const [FAST, SLOW] = [
  { wall: 500_000, cpu: 1e6 },
  { wall: 250_000, cpu: 2e5 },
];

const FLOOD = {
  [ALONE]: [sample(FAST), sample(FAST)],
  [ALONE_AGAIN]: [sample(FAST), sample(FAST)],
  losslog: [sample(FAST, seen(LOSSLOG)), sample({ wall: 400_000, cpu: 9e5 }, seen(LOSSLOG))],
  peer: [sample(SLOW, seen(PEER)), sample(SLOW, seen(PEER))],
};

const bulkRate = (clean: number, lossy: number): Sample['rates'] => ({ clean: clean * 1e9, lossy: lossy * 1e9 });
const BULK = {
  [ALONE]: [sample(bulkRate(10, 4)), sample(bulkRate(10, 4))],
  [ALONE_AGAIN]: [sample(bulkRate(9.5, 4)), sample(bulkRate(10.2, 4.1))],
  losslog: [sample(bulkRate(9.7, 3), seen(LOSSLOG), 49), sample(bulkRate(9.9, 3), seen(LOSSLOG), 49)],
  peer: [sample(bulkRate(9, 3), seen(PEER), 49), sample(bulkRate(9, 3), seen(PEER), 49)],
};

const RESULTS: Results = {
  about: {
    date: '2026-01-02',
    command: 'npm run bench:overhead',
    kernel: '6.18',
    machine: '2 × CPU',
    load: 0.1,
    contestants: ['losslog', 'peer'].map((name) => ({ name, version: `${name} 1`, how: `${name} | cat` })),
    absent: [{ name: 'tcpdrop', from: 'tools 1', error: 'no kprobes' }],
    rounds: 5,
    restSeconds: 20,
  },
  drain: {
    drops: { cpuUs: 0.25, eventsASecond: 2_000_000, records: 1000 },
    retransmissions: { cpuUs: 0.28, eventsASecond: 1_500_000, records: 2000 },
  },
  bulk: BULK,
  flood: FLOOD,
  steady: { losslog: { cpuUs: [5, 6, 7], segmentsASecond: [2000, 3000, 1000] } },
  profile: { store: 0.6, 'drain and decode': 0.4 },
  idle: { losslog: { cores: [0.001, 0.0005, 0.0007], memory: MEMORY, bytes: 4900 } },
  startUp: { losslog: [0.5, 0.4, 0.6] },
  programs: [
    {
      contestant: 'losslog',
      retransmission: { nsAnEvent: 1000, nsARun: [900, 50] },
      floodDrop: { nsAnEvent: 160, nsARun: [112, 48] },
    },
    { contestant: 'bpftrace', retransmission: { nsAnEvent: 7000, nsARun: [7000] } },
  ],
};

test('statistics: medians, and ratios within a round', () => {
  assert.equal(median([3, 1, 2]), 2);
  assert.equal(median([4, 1, 2, 3]), 2.5);
  assert.throws(() => median([]), RangeError);
  assert.deepEqual(pairedRatios([1, 9], [2, 3]), [0.5, 3]);
  assert.throws(() => pairedRatios([1], []), RangeError);
  assert.deepEqual(spreadOf([5, 1, 3]), { median: 3, min: 1, max: 5 });
  assert.deepEqual(rotated(['a', 'b', 'c'], 4), ['b', 'c', 'a']);
});

test('figures: what became of each event, told or not', () => {
  const drops = { happened: 2000, toldLost: 0, silent: 0 };
  assert.deepEqual(dropsOf(FLOOD, 'losslog'), { ...drops, single: 200, counted: 1800 });
  assert.deepEqual(dropsOf(FLOOD, 'peer'), { happened: 2000, single: 1400, counted: 0, toldLost: 400, silent: 200 });
  assert.equal(resentOf(BULK, 'losslog', 'segments').silent, 0);
  assert.equal(resentOf(BULK, 'losslog', 'events').single, 98);
  assert.equal(resentOf(BULK, 'losslog', 'events').happened, 98);
  assert.equal(resentOf(FLOOD, 'peer', 'segments').single, 96, 'events, where it tells no segments');
});

test('figures: cost by round and by event', () => {
  assert.deepEqual(ratioToAlone(FLOOD, 'losslog', 'wall'), { median: 0.9, min: 0.8, max: 1 });
  assert.ok(Math.abs(addedNsAPacket(FLOOD, 'peer') - 4000) < 1e-6);
  assert.ok(Math.abs(cpuUsAnEvent(FLOOD, 'losslog', 'load', ['segments', 'drops']) - 100) < 1e-6);
  assert.ok(Math.abs(cpuUsAnEvent(BULK, 'losslog', 'end', ['segments']) - 250) < 1e-6);
  assert.equal(medianOf(FLOOD, 'losslog', bytesAnEvent), 100);
  assert.throws(() => ratioToAlone(FLOOD, 'nobody', 'wall'), /no samples of nobody/);
});

test('targets: noise is what two runs of the same differ by', () => {
  assert.equal(isWithinNoise(BULK, 'clean'), true);
  assert.equal(isWithinNoise(BULK, 'lossy'), false);
  assert.equal(netOfMeasuring([112, 48]), 64);
  const unmet = targetsOf(RESULTS)
    .filter(({ isMet }) => !isMet)
    .map(({ what }) => what.split(',')[0]);
  assert.deepEqual(unmet, ['iperf3 at 1 % loss', 'CPU of a stored retransmission', 'idle: resident memory']);
});

test('profile: a place in the bundle is one in its sources', () => {
  const lines = ['// src/a/b.ts', 'one', '// src/c/d.ts', 'two'];
  const script = 'JS:^x /r/build/program/main.cjs:2:7 and JS:*y /r/build/program/main.cjs:4:1';
  assert.equal(
    withSources(script, () => lines),
    'JS:^x src/a/b.ts and JS:*y src/c/d.ts',
  );
});

test('profile: a sample belongs to one part', () => {
  const script = [
    'MainThread \n\t 1 sqlite3Step\n\t 2 JS:^flush file:///x/src/store/writer.ts:1:2\n\t 3 JS:^flush file:///x/src/recorder/pipeline.ts:1:2\n',
    'MainThread \n\t 1 JS:*decode file:///x/src/wire/decode.ts:1:2\n',
    'V8Worker \n\t 1 compile\n',
    'MainThread \n\t 1 uv_run\n',
  ].join('\n');
  const [rest = '', ...named] = Object.keys(sharesOf(script)).sort();
  assert.deepEqual(named.length, 3);
  assert.match(rest, /^Node.js/);
  assert.deepEqual(sharesOf(script)['drain and decode'], 0.25);
  assert.deepEqual(sharesOf(script).store, 0.25);
});

test('report: a table lines up and keeps its cells', () => {
  assert.equal(table(['a', 'bb'], [['1|2', '']]), '| a    | bb  |\n| ---- | --- |\n| 1\\|2 |     |');
});

test('report: the page has every contestant in every table, and what is missing', () => {
  const text = page(RESULTS);
  assert.equal(text.match(/^\| peer /gm)?.length, 4);
  assert.match(text, /\| tcpdrop +\| tools 1 +\| `no kprobes` +\|/);
  assert.match(text, /\| flood: drops recorded or counted +\| 2000 +\| 2000 +\| met +\|/);
  assert.match(text, /\*\*not met\*\*/);
  assert.doesNotMatch(text, /NaN|undefined|Infinity/);
});
