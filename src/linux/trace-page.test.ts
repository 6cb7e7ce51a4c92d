import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parsePageLayout, readTracePage } from './trace-page.ts';

const LAYOUT = parsePageLayout(`	field: u64 timestamp;	offset:0;	size:8;	signed:0;
	field: local_t commit;	offset:8;	size:8;	signed:1;
	field: int overwrite;	offset:8;	size:1;	signed:1;
	field: char data;	offset:16;	size:4080;	signed:1;
`);

const word = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value >>> 0);
  return bytes;
};
const head = (type: number, delta: number): Buffer => word((delta << 5) | type);

function pageOf(timestamp: bigint, ...parts: Buffer[]): Buffer {
  const data = Buffer.concat(parts);
  const page = Buffer.alloc(4096);
  page.writeBigUInt64LE(timestamp, 0);
  page.writeUInt32LE((data.length | 0x8000_0000) >>> 0, 8); // RB_MISSED_EVENTS
  data.copy(page, 16);
  return page;
}

function eventsOf(page: Buffer): { data: string; time: bigint }[] {
  const events: { data: string; time: bigint }[] = [];
  readTracePage(page, LAYOUT, (bytes, offset, length, time) => {
    events.push({ data: bytes.toString('latin1', offset, offset + length), time });
  });
  return events;
}

test('the layout is the one that the kernel states', () => {
  assert.deepEqual(LAYOUT, { size: 4096, timestampAt: 0, commitAt: 8, dataAt: 16 });
  assert.throws(() => parsePageLayout('field: u64 timestamp; offset:0; size:8;'), { code: 'DECODE' });
});

test('short and long events, deltas, extended and absolute times, discarded events', () => {
  const page = pageOf(
    (5n << 59n) + 1000n,
    ...[head(2, 10), Buffer.from('abcdefgh')],
    ...[head(29, 3), word(8), Buffer.from('gone')], // discarded: its time counts
    ...[head(30, 7), word(1)], // 2^27 + 7
    ...[head(0, 1), word(12), Buffer.from('longlong')], // 4 for the length itself
    ...[head(31, 9), word(2)], // 2 * 2^27 + 9, the upper bits of the page
    ...[head(1, 0), Buffer.from('last')],
  );
  assert.deepEqual(eventsOf(page), [
    { data: 'abcdefgh', time: (5n << 59n) + 1010n },
    { data: 'longlong', time: (5n << 59n) + 1013n + 2n ** 27n + 7n + 1n },
    { data: 'last', time: (5n << 59n) + 2n * 2n ** 27n + 9n },
  ]);
});

test('padding without a delta ends the page', () => {
  const page = pageOf(0n, head(1, 1), Buffer.from('abcd'), head(29, 0), Buffer.alloc(40, 0xff));
  assert.deepEqual(eventsOf(page), [{ data: 'abcd', time: 1n }]);
});

test('a damaged page is a DECODE error with a position, whatever it holds', () => {
  assert.throws(() => eventsOf(pageOf(0n, head(0, 1), word(5000))), { code: 'DECODE', message: /damaged at byte/ });
  assert.throws(() => eventsOf(pageOf(0n, head(28, 1)).subarray(0, 60)), { code: 'DECODE' });
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat(300), (bytes, commit) => {
      const page = Buffer.from(bytes);
      if (page.length >= 12) page.writeUInt32LE(commit, 8);
      try {
        for (const { data } of eventsOf(page)) assert.ok(data.length <= page.length);
      } catch (error) {
        assert.equal((error as { code?: string }).code, 'DECODE');
      }
    }),
    { numRuns: 2000 },
  );
});
