import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import fc from 'fast-check';
import { formatIp } from '../base/ip.ts';
import { NS_PER_HOUR, type WallNs, wallNs } from '../base/time.ts';
import { type Filter, TOP_DIMENSIONS, type TopDimension } from '../event/filter.ts';
import { CAUSES, type Event, KINDS, type Kind } from '../event/kinds.ts';
import { matches } from '../event/match.ts';
import { anyEvent, EPOCH, time } from './arbitrary-event.test-util.ts';
import { StoreReader } from './reader.ts';
import { netnsNamesOf } from './recorded-names.ts';
import type { TopRow } from './tally.ts';
import { openWriter } from './temporary-store.test-util.ts';

/** The kind that an event is of, or sums up. */
const lossKind = (event: Event): Kind => (event.kind === 'summary' ? event.of : event.kind);
const countOf = (event: Event): number => (event.kind === 'summary' ? event.events : 1);

const addressOf = fc.constantFrom(Uint8Array.of(10, 0, 0, 1), Uint8Array.of(10, 0, 1, 255), new Uint8Array(16));

const anyFilter: fc.Arbitrary<Filter> = fc.record(
  {
    since: time as fc.Arbitrary<WallNs>,
    until: time as fc.Arbitrary<WallNs>,
    kinds: fc.subarray([...KINDS], { minLength: 1 }),
    cause: fc.constantFrom(...CAUSES),
    reason: fc.constantFrom('netfilter_drop', 'NETFILTER_DROP', 'a', ''),
    location: fc.constantFrom('nf_hook_slow', 'nf_hook_slow+0x3', 'a', ''),
    peer: fc.oneof(
      addressOf.map((address) => ({ address, prefixLength: address.length * 8 })),
      fc.record({ address: addressOf, prefixLength: fc.integer({ min: 0, max: 32 }) }),
    ),
    port: fc.constantFrom(443, 0, 1),
    process: fc.constantFrom('nginx', '', 'a\0b', "'; DROP TABLE meta; --"),
    pid: fc.constantFrom(0, 1, 443),
    container: fc.constantFrom('abcd', 'abcdef0123', 'none'),
    netns: fc.constantFrom(0, 1),
    all: fc.boolean(),
  },
  { requiredKeys: [], noNullPrototype: true },
);

/** Half of the filters have one condition, so that something is left to find. */
const someFilter = fc.oneof(
  anyFilter,
  fc.tuple(anyFilter, fc.nat()).map(([filter, at]): Filter => {
    const entries = Object.entries(filter);
    return entries.length === 0 ? {} : Object.fromEntries([entries[at % entries.length] as [string, unknown]]);
  }),
);

const dir = mkdtempSync(join(tmpdir(), 'losslog-query-'));
after(() => rmSync(dir, { recursive: true, force: true }));

/** 4,000 events in three hours; all slices but the last part of the last hours are sealed. */
const events = fc.sample(anyEvent, { numRuns: 4000, seed: 42 });
const writer = openWriter(dir, { maxSliceRows: 500 });
for (let at = 0; at < events.length; at += 100) {
  writer.write(events.slice(at, at + 100));
  writer.flush();
}
await writer.sealed();
const reader = StoreReader.open(dir);
after(() => {
  reader.close();
  writer.close();
});

const timesOf = (list: Iterable<Event>): bigint[] => [...list].map(({ time }) => time);

test('a query finds exactly what the filter means, from either end', () => {
  let found = 0;
  fc.assert(
    fc.property(someFilter, fc.integer({ min: 1, max: 50 }), (filter, limit) => {
      const expected = timesOf(events.filter((event) => matches(event, filter))).sort((a, b) => Number(a - b));
      found += expected.length;
      const oldest = [...reader.events(filter, { order: 'oldest' })];
      assert.deepEqual(timesOf(oldest), expected);
      assert.ok(oldest.every((event) => matches(event, filter)));
      const newest = [...reader.events(filter, { order: 'newest', limit })];
      assert.deepEqual(newest, oldest.reverse().slice(0, limit));
    }),
    { numRuns: 60, seed: 7 },
  );
  assert.ok(found > 5000, `the filters found ${found} events in all`);
  assert.deepEqual(reader.skipped, []);
});

test('benign events that a filter leaves out are counted', () => {
  let found = 0;
  fc.assert(
    fc.property(someFilter, (filter) => {
      for (const kind of ['drop', 'counter'] as const) {
        const left = events
          .filter((event) => lossKind(event) === kind)
          .filter((event) => !matches(event, filter) && matches(event, { ...filter, all: true }))
          .reduce((sum, event) => sum + countOf(event), 0);
        assert.equal(reader.countBenign(filter, 1e15, kind), left);
        assert.equal(reader.countBenign(filter, 7, kind), Math.min(left, 7));
        found += left;
      }
    }),
    { numRuns: 60, seed: 8 },
  );
  assert.ok(found > 1000, `${found} were left out in all`);
});

/** What `top` must answer, counted event by event. */
function countedTop(filter: Filter, by: TopDimension): Map<string | undefined, Omit<TopRow, 'key'>> {
  const rows = new Map<string | undefined, Omit<TopRow, 'key'>>();
  for (const event of events.filter((each) => matches(each, filter))) {
    if (event.kind === 'coverage' || event.kind === 'connection' || event.kind === 'counter') continue;
    const of = lossKind(event);
    if (by === 'cause' && of !== 'retransmit') continue;
    if (by === 'location' && of !== 'drop') continue;
    if (by === 'reason' && of === 'retransmit') continue;
    const key = keyOf(event, by);
    const row = rows.get(key) ?? { events: 0, retransmissions: 0, segments: 0, bytes: 0, drops: 0, resets: 0 };
    const count = countOf(event);
    if (count === 0) continue;
    row.events += count;
    if (of === 'drop') row.drops += count;
    else if (of === 'reset') row.resets += count;
    else {
      row.retransmissions += count;
      row.segments += ('segments' in event ? event.segments : undefined) ?? 0;
      row.bytes += ('bytes' in event ? event.bytes : undefined) ?? 0;
    }
    rows.set(key, row);
  }
  return rows;
}

function keyOf(event: Event, by: TopDimension): string | undefined {
  const values = event as unknown as Record<string, unknown>;
  if (by === 'peer') {
    const peer = lossKind(event) === 'drop' && values.direction === 'rx' ? values.src : values.dst;
    return peer === undefined ? undefined : formatIp(peer as Uint8Array);
  }
  return values[by] === undefined ? undefined : String(values[by]);
}

const withoutKey = (rows: readonly TopRow[]) => new Map(rows.map(({ key, ...counts }) => [key, counts]));

for (const by of TOP_DIMENSIONS) {
  test(`top by ${by} counts right, from rollups and from events`, () => {
    const ranges: Filter[] = [
      {},
      { all: true },
      { since: wallNs(EPOCH + NS_PER_HOUR) },
      { since: wallNs(EPOCH + 1_000_000n), until: wallNs(EPOCH + 2n * NS_PER_HOUR + 7n) },
      { kinds: ['drop', 'summary'] },
      { kinds: ['drop'] },
      { port: 443, all: true },
    ];
    for (const filter of ranges) {
      assert.deepEqual(
        withoutKey(reader.top(filter, by, 1e9)),
        countedTop(filter, by),
        JSON.stringify(Object.keys(filter)),
      );
    }
    // A condition that every event fulfils makes it read the events: the answer must be the same.
    const everything = { kinds: [...KINDS] };
    assert.deepEqual(reader.top(everything, by, 1e9), reader.top({}, by, 1e9));
  });
}

test('top is sorted by what was lost, and cut', () => {
  const rows = reader.top({ all: true }, 'peer', 1e9);
  const lost = rows.map((row) => Math.max(row.segments, row.retransmissions) + row.drops + row.resets);
  assert.deepEqual(
    lost,
    lost.toSorted((a, b) => b - a),
  );
  assert.deepEqual(reader.top({ all: true }, 'peer', 3), rows.slice(0, 3));
});

test('a namespace has the name of its latest event', () => {
  let named = 0;
  for (const filter of [{}, { all: true }, { kinds: ['drop' as const] }, { until: wallNs(EPOCH + NS_PER_HOUR) }]) {
    const rows = reader.top(filter, 'netns', 1e9);
    const names = netnsNamesOf(reader, filter, rows);
    for (const { key } of rows) {
      if (key === undefined) continue;
      const own = events.filter((event) => matches(event, { ...filter, netns: Number(key) }));
      const latest = own.reduce((time, event) => (event.time > time ? event.time : time), 0n);
      // Any of those of one moment.
      const possible = own
        .filter(({ time }) => time === latest)
        .map((event) => (event as { netnsName?: string }).netnsName);
      assert.ok(possible.includes(names.get(key)), `${key}: ${names.get(key)}`);
      if (names.has(key)) named++;
    }
  }
  assert.ok(named > 100, `${named} have a name`);
});
