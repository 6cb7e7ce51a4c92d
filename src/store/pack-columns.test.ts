import assert from 'node:assert/strict';
import { randomFillSync } from 'node:crypto';
import { test } from 'node:test';
import { wallNs } from '../base/time.ts';
import type { ResetEvent } from '../event/kinds.ts';
import { EPOCH } from './arbitrary-event.test-util.ts';
import { PackedWriter } from './packed.ts';
import { numberOfAddress } from './packed-columns.ts';
import { StoreReader } from './reader.ts';
import { listSlices, type SliceFile } from './slice-name.ts';
import { SliceReader } from './slice-reader.ts';
import { openWriter, temporaryDirectory } from './temporary-store.test-util.ts';

const EVENTS = 100_000;
const anyAddress = (): Uint8Array => randomFillSync(new Uint8Array(16));

test('a slice is packed within the memory of its thread when no address comes twice', async (t) => {
  const dir = temporaryDirectory(t);
  const writer = openWriter(dir, { maxSliceRows: EVENTS });
  const last = Uint8Array.of(192, 0, 2, 1);
  for (let i = 0; i < EVENTS; i += 1000) {
    writer.write(
      Array.from({ length: 1000 }, (_, at): ResetEvent => {
        const isLast = i + at === EVENTS - 1;
        const time = wallNs(EPOCH + BigInt(i + at));
        return { kind: 'reset', time, direction: 'sent', src: anyAddress(), dst: isLast ? last : anyAddress() };
      }),
    );
    writer.flush();
  }
  await writer.sealed();
  writer.close();
  const slice = SliceReader.open(dir, listSlices(dir)[0] as SliceFile) as SliceReader;
  t.after(() => slice.close());
  assert.equal(slice.packed?.of('reset')?.rows, EVENTS);
  assert.equal(slice.packed.addresses().length, 2 * EVENTS);
  const reader = StoreReader.open(dir);
  t.after(() => reader.close());
  const peer = { address: last, prefixLength: 32 };
  assert.deepEqual(
    [...reader.events({ peer }, { order: 'oldest' })].map(({ time }) => time - EPOCH),
    [BigInt(EVENTS - 1)],
  );
  assert.equal(reader.top({ peer }, 'peer', 10)[0]?.key, '192.0.2.1');
});

test('the number of an address, also where another one holds the bytes of it', () => {
  const within = Uint8Array.of(0x20, 1, 4, 192, 0, 2, 1, 0, 0, 0, 0, 0, 4, 192, 0, 2);
  const known = [within, Uint8Array.of(1, 4, 192, 0), Uint8Array.of(192, 0, 2, 1), new Uint8Array()];
  const packed = new PackedWriter();
  for (const address of known) packed.addAddress(address);
  const bytes = Uint8Array.from(packed.bytes());
  for (const [number, address] of known.entries()) assert.equal(numberOfAddress(bytes, address), number);
  assert.equal(numberOfAddress(bytes, Uint8Array.of(192, 0, 2, 2)), undefined);
  assert.equal(numberOfAddress(new Uint8Array(), known[2] as Uint8Array), undefined);
});
