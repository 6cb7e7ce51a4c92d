import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Event, KINDS } from '../event/kinds.ts';
import { anyEvent, eventOf } from './arbitrary-event.test-util.ts';
import { openWriter, readAll } from './temporary-store.test-util.ts';

function roundTrip(events: readonly Event[], options: { maxSliceRows?: number; batch?: number } = {}): Event[] {
  const dir = mkdtempSync(join(tmpdir(), 'losslog-store-'));
  try {
    const writer = openWriter(dir, { maxSliceRows: options.maxSliceRows ?? 1000 });
    const batch = options.batch ?? events.length;
    for (let at = 0; at < events.length; at += batch) {
      writer.write(events.slice(at, at + batch));
      writer.flush();
    }
    assert.equal(writer.stored, events.length);
    assert.equal(writer.unstored, 0);
    writer.close();
    return readAll(dir);
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

/** By time; of equal time by kind, then as written. */
const inOrder = (events: readonly Event[]): Event[] =>
  [...events].sort((a, b) => Number(a.time - b.time) || KINDS.indexOf(a.kind) - KINDS.indexOf(b.kind));

for (const kind of KINDS) {
  test(`${kind}: what is stored comes back equal`, () => {
    fc.assert(
      fc.property(fc.array(eventOf(kind), { minLength: 1, maxLength: 40 }), (events) => {
        assert.deepEqual(roundTrip(events), inOrder(events));
      }),
      { numRuns: 15 },
    );
  });
}

test('events of all kinds in several batches come back by time', () => {
  fc.assert(
    fc.property(
      fc.array(anyEvent, { minLength: 1, maxLength: 60 }),
      fc.integer({ min: 1, max: 20 }),
      (events, batch) => {
        assert.deepEqual(roundTrip(events, { batch }), inOrder(events));
      },
    ),
    { numRuns: 15 },
  );
});

test('nothing is lost where an hour has several parts', () => {
  fc.assert(
    fc.property(fc.array(anyEvent, { minLength: 8, maxLength: 40 }), (events) => {
      const times = (list: readonly Event[]) => list.map(({ time }) => time);
      const back = roundTrip(events, { maxSliceRows: 7, batch: 5 });
      assert.deepEqual(times(back), times(inOrder(events)));
      assert.deepEqual(new Set(back.map(asText)), new Set(events.map(asText)));
    }),
    { numRuns: 10 },
  );
});

const asText = (event: Event): string =>
  JSON.stringify(Object.entries(event).sort(), (_, value) => (typeof value === 'bigint' ? `${value}n` : value));
