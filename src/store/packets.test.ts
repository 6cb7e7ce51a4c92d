import assert from 'node:assert/strict';
import { test } from 'node:test';
import { wallNs } from '../base/time.ts';
import type { DropEvent } from '../event/kinds.ts';
import { EPOCH } from './arbitrary-event.test-util.ts';
import type { PacketsKept } from './packets.ts';
import { openWriter, readAll, temporaryDirectory } from './temporary-store.test-util.ts';

const COUNT = 101;
const packet = { begin: 'ethernet', length: 1500, bytes: Uint8Array.from({ length: 200 }, (_, i) => i) } as const;

function drop(i: number, harm: DropEvent['class']): DropEvent {
  return { kind: 'drop', time: wallNs(EPOCH + BigInt(i)), class: harm, packet };
}

function kept(dir: string): DropEvent[] {
  return (readAll(dir) as DropEvent[]).filter((event) => event.packet);
}

/** The smallest slice has room for some 25 such packets. */
function store(dir: string, keep: PacketsKept, drops: readonly DropEvent[]): void {
  const writer = openWriter(dir, { packets: keep, maxBytes: 2 ** 20 });
  writer.write(drops);
  writer.close();
}

test('all packets are kept where the user wants them', (t) => {
  const dir = temporaryDirectory(t);
  const drops = Array.from({ length: COUNT }, (_, i) => drop(i, i % 2 ? 'benign' : 'loss'));
  store(dir, 'all', drops);
  assert.deepEqual(readAll(dir), drops);
});

test('else none of benign drops, and no more than a slice has room for, however often it is opened', (t) => {
  const dir = temporaryDirectory(t);
  const count = (): number => kept(dir).length;
  store(dir, 'some', [drop(0, 'benign'), drop(1, 'loss'), drop(2, 'unknown')]);
  assert.deepEqual(
    kept(dir).map((event) => event.class),
    ['loss', 'unknown'],
  );
  store(
    dir,
    'some',
    Array.from({ length: COUNT }, (_, i) => drop(10 + i, 'loss')),
  );
  const full = count();
  assert.ok(full > 2 && full < COUNT, `${full} are kept`);
  store(dir, 'some', [drop(1000, 'loss')]);
  assert.equal(count(), full);
  assert.equal(readAll(dir).length, 3 + COUNT + 1, 'the drops themselves are all there');
});
