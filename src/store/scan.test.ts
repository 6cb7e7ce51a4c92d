import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Event } from '../event/kinds.ts';
import { anyEvent, EPOCH } from './arbitrary-event.test-util.ts';
import { StoreReader } from './reader.ts';
import type { ScanRow } from './scan.ts';
import { openWriter, readAll, temporaryDirectory } from './temporary-store.test-util.ts';

const COLUMNS = ['sport', 'reason', 'class', 'flow'];
const hex = (ip: Uint8Array): string => Buffer.from(ip).toString('hex').toUpperCase();
const make = (row: ScanRow): { at: number; row: ScanRow } => ({ at: row[0], row });

/** What a scan makes of an event. */
function rowOf(event: Event): ScanRow {
  const { sport = null, reason = null, class: dropClass = null, src, dst } = event as unknown as Record<string, never>;
  return [Number(event.time - EPOCH), true, sport, reason, dropClass, src && dst ? hex(src) + hex(dst) : ''];
}

test('a scan gives the columns of the same events in the same order', (t) => {
  let count = 0;
  fc.assert(
    fc.property(fc.array(anyEvent, { maxLength: 60 }), (events) => {
      const dir = `${temporaryDirectory(t)}/${count++}`;
      const writer = openWriter(dir);
      for (let i = 0; i < events.length; i += 7) writer.write(events.slice(i, i + 7));
      writer.close();
      const reader = StoreReader.open(dir);
      const selection = { kind: 'drop', columns: COLUMNS, filter: {}, benignReasons: ['nginx'], make } as const;
      const scanned = [...reader.scan([selection], {}, EPOCH)].flat().map(({ row }) => row);
      reader.close();
      const expected = readAll(dir, { all: true, kinds: ['drop'] }).filter(
        (event) => event.kind === 'drop' && (event.class !== 'benign' || event.reason === 'nginx'),
      );
      assert.deepEqual(scanned.map(String).sort(), expected.map(rowOf).map(String).sort());
      assert.deepEqual(
        scanned.map(([at]) => at),
        expected.map((event) => Number(event.time - EPOCH)),
      );
    }),
    { numRuns: 15 },
  );
});

test('a mark tells which rows pass another filter', (t) => {
  const dir = temporaryDirectory(t);
  const writer = openWriter(dir);
  const drop = (i: number): Event => ({ kind: 'drop', time: (EPOCH + BigInt(i)) as never, class: 'loss', pid: i % 3 });
  writer.write(Array.from({ length: 20_000 }, (_, i) => drop(i)));
  writer.close();
  const reader = StoreReader.open(dir);
  const selection = { kind: 'drop', columns: ['owner'], filter: {}, mark: { pid: 1 }, make } as const;
  const rows = [...reader.scan([selection], {}, EPOCH)].flat().map(({ row }) => row);
  reader.close();
  assert.equal(rows.length, 20_000);
  assert.ok(
    rows.every(([at, isMarked, owner], i) => {
      const { pid } = owner as { pid: number };
      return at === i && pid === i % 3 && isMarked === (pid === 1);
    }),
  );
});
