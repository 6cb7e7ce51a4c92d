import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { NS_PER_HOUR, NS_PER_MINUTE, NS_PER_S, wallNs } from '../base/time.ts';
import { type Filter, TOP_DIMENSIONS } from '../event/filter.ts';
import type { Event } from '../event/kinds.ts';
import { anyEvent, EPOCH } from './arbitrary-event.test-util.ts';
import { StoreReader } from './reader.ts';
import type { Grid } from './series.ts';
import { openWriter, temporaryDirectory } from './temporary-store.test-util.ts';

const everything: Grid = { from: EPOCH, stepNs: NS_PER_HOUR, points: 3 };
const filters: readonly Filter[] = [
  {},
  { all: true },
  { kinds: ['drop'] },
  { kinds: ['retransmit', 'reset'], all: true },
];

function write(dir: string, events: readonly Event[]): StoreReader {
  const writer = openWriter(dir, { maxSliceRows: 7 });
  writer.write(events);
  writer.close();
  return StoreReader.open(dir);
}

test('rollups and events give the same series', async (t) => {
  await fc.assert(
    fc.asyncProperty(fc.array(anyEvent, { maxLength: 40 }), async (events) => {
      const reader = write(temporaryDirectory(t), events);
      try {
        for (const filter of filters) {
          const minutes = reader.series(filter, { from: EPOCH, stepNs: NS_PER_MINUTE, points: 180 });
          // Steps of seconds cannot be answered by the rollups.
          const seconds = reader.series(filter, { from: EPOCH, stepNs: 4n * NS_PER_S, points: 45 * 60 });
          const sum = (counts: readonly number[]) => counts.reduce((total, count) => total + count, 0);
          const totals = (rows: typeof minutes, isExact: boolean) =>
            rows
              .map(({ counts, ...row }) => JSON.stringify({ ...row, ...(isExact ? { sum: sum(counts) } : {}) }))
              .sort();
          // In a step the greater of segments and events counts, so that only rows without segments add up exactly.
          const isExact = (rows: typeof minutes) => rows.filter(({ kind }) => kind !== 'retransmit');
          assert.deepEqual(totals(isExact(minutes), true), totals(isExact(seconds), true));
          assert.deepEqual(totals(minutes, false), totals(seconds, false));
        }
      } finally {
        reader.close();
      }
    }),
    { numRuns: 30 },
  );
});

const at = (seconds: number) => wallNs(EPOCH + BigInt(seconds) * NS_PER_S);
const rto = (seconds: number, segments?: number): Event =>
  ({ kind: 'retransmit', time: at(seconds), cause: 'rto', ...(segments === undefined ? {} : { segments }) }) as Event;

test('what counts in a step', (t) => {
  const reader = write(temporaryDirectory(t), [
    rto(59, 3),
    rto(60),
    rto(60),
    { kind: 'drop', time: at(3600), class: 'benign', reason: 'TCP_OLD_ACK' },
    { kind: 'drop', time: at(3601), class: 'loss', reason: 'NETFILTER_DROP', process: 'nginx' },
    { kind: 'drop', time: at(7199), class: 'loss' },
    { kind: 'reset', time: at(7200), direction: 'sent' },
    { kind: 'summary', time: at(10), of: 'drop', reason: 'NETFILTER_DROP', events: 11, from: at(9), until: at(10) },
    { kind: 'coverage', time: at(10), from: at(9), until: at(10), state: 'lost' },
  ]);
  t.after(() => reader.close());
  assert.deepEqual(reader.series({}, everything), [
    { kind: 'retransmit', what: 'rto', counts: [3, 0, 0] },
    { kind: 'drop', what: 'NETFILTER_DROP', counts: [11, 0, 0] },
    { kind: 'drop', what: 'NETFILTER_DROP', class: 'loss', counts: [0, 1, 0] },
    { kind: 'drop', class: 'loss', counts: [0, 1, 0] },
    { kind: 'reset', counts: [0, 0, 1] },
  ]);
  assert.deepEqual(reader.series({ all: true, kinds: ['drop'] }, everything)[2], {
    kind: 'drop',
    what: 'TCP_OLD_ACK',
    class: 'benign',
    counts: [0, 1, 0],
  });
  assert.deepEqual(reader.series({ process: 'nginx' }, everything), [
    { kind: 'drop', what: 'NETFILTER_DROP', class: 'loss', counts: [0, 1, 0] },
  ]);
  assert.deepEqual(reader.series({}, { from: at(59), stepNs: NS_PER_S, points: 2 }), [
    { kind: 'retransmit', what: 'rto', counts: [3, 2] },
  ]);
});

test('a grid that spans more than a number can hold in nanoseconds', (t) => {
  const reader = write(temporaryDirectory(t), [rto(0, 2)]);
  t.after(() => reader.close());
  const grid: Grid = { from: wallNs(0n), stepNs: NS_PER_HOUR * 24n * 365n, points: 100 };
  const counts = Array(100).fill(0);
  counts[Number(EPOCH / grid.stepNs)] = 2;
  assert.deepEqual(reader.series({}, grid), [{ kind: 'retransmit', what: 'rto', counts }]);
  assert.deepEqual(reader.series({ pid: 7 }, grid), []);
});

test('packed columns and events give the same series and sums', async (t) => {
  const events = fc.sample(anyEvent, { numRuns: 1500, seed: 3 });
  const [open, sealed] = [temporaryDirectory(t), temporaryDirectory(t)];
  for (const dir of [open, sealed]) {
    const writer = openWriter(dir, dir === sealed ? { maxSliceRows: 400 } : {});
    writer.write(events);
    writer.flush();
    if (dir === sealed) await writer.sealed();
    writer.close();
  }
  const [byEvents, byColumns] = [StoreReader.open(open), StoreReader.open(sealed)];
  t.after(() => byEvents.close());
  t.after(() => byColumns.close());
  const conditions: readonly Filter[] = [
    { process: 'nginx' },
    { peer: { address: Uint8Array.of(10, 0, 0, 0), prefixLength: 23 } },
    { peer: { address: new Uint8Array(4), prefixLength: 0 }, kinds: ['drop', 'retransmit'] },
    { peer: { address: new Uint8Array(16), prefixLength: 0 } },
    { port: 443 },
    { port: 2 ** 32 - 1 },
    { reason: 'netfilter_drop' },
    { location: 'nf_hook_slow' },
    { cause: 'rto' },
    { pid: Number.MAX_SAFE_INTEGER },
    { container: 'abcd', netns: 1 },
  ];
  const grids: readonly Grid[] = [
    everything,
    { from: wallNs(EPOCH - NS_PER_HOUR / 2n), stepNs: 7n * NS_PER_S, points: 1700 },
    { from: wallNs(EPOCH - 400n * 24n * NS_PER_HOUR), stepNs: 365n * 24n * NS_PER_HOUR, points: 2 },
    { from: wallNs(EPOCH + NS_PER_HOUR - 3n), stepNs: 1n, points: 6 },
  ];
  let counted = 0;
  for (const filter of conditions.flatMap((each) => [each, { ...each, all: true }])) {
    for (const grid of grids) {
      const rows = byColumns.series(filter, grid);
      assert.deepEqual(rows, byEvents.series(filter, grid), JSON.stringify(Object.entries(filter).map(String)));
      counted += rows.length;
    }
    for (const by of TOP_DIMENSIONS) {
      assert.deepEqual(byColumns.top(filter, by, 1e9), byEvents.top(filter, by, 1e9));
    }
  }
  assert.ok(counted > 100, `${counted} rows`);
  for (const by of TOP_DIMENSIONS) {
    assert.deepEqual(byColumns.top({}, by, 1e9), byEvents.top({}, by, 1e9));
  }
});
