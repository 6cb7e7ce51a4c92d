import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bootNs, wallNs } from '../base/time.ts';
import type { Event } from '../event/kinds.ts';
import { EPOCH } from './arbitrary-event.test-util.ts';
import { StoredSince } from './stored-since.ts';
import { openWriter, SESSION, temporaryDirectory } from './temporary-store.test-util.ts';
import { StoreWriter } from './writer.ts';

const reset = (stamp: bigint): Event => ({
  kind: 'reset',
  time: wallNs(EPOCH + stamp),
  bootNs: bootNs(stamp),
  direction: 'sent',
});
const lost = (stamp: bigint, count: number): Event => ({
  kind: 'coverage',
  time: wallNs(EPOCH + stamp),
  bootNs: bootNs(stamp),
  from: EPOCH,
  until: wallNs(EPOCH + stamp),
  state: 'lost',
  count,
  why: 'ring full',
});
const since = (events: bigint, losses: bigint) => ({
  events: bootNs(events),
  summaries: bootNs(events),
  losses: bootNs(losses),
});

test('each stored event answers once, and only for its kind, its boot and its time', (t) => {
  const dir = temporaryDirectory(t);
  const writer = openWriter(dir);
  writer.write([reset(5n), reset(7n), reset(7n), reset(9n)]);
  writer.close();
  const other = StoreWriter.open(dir, { ...SESSION, bootId: 'another boot' }, { now: () => EPOCH });
  other.write([reset(11n)]);
  other.close();
  const stored = StoredSince.read(dir, SESSION.bootId, since(7n, 0n));
  const asked = [5n, 7n, 7n, 7n, 8n, 9n, 11n].map((stamp) => stored.claim(reset(stamp)));
  assert.deepEqual(asked, [false, true, true, false, false, true, false]);
  assert.equal(stored.claim({ ...reset(9n), kind: 'drop', class: 'loss' } as Event), false);
});

test('losses that were told after a moment, added up, over several slices', (t) => {
  const dir = temporaryDirectory(t);
  const writer = openWriter(dir, { maxSliceRows: 2 });
  writer.write([lost(10n, 3), reset(11n), lost(20n, 5), reset(21n), lost(30n, 7)]);
  writer.flush();
  const stored = StoredSince.read(dir, SESSION.bootId, since(0n, 10n));
  assert.deepEqual([...stored.losses], [['ring full', 12]]);
  writer.close();
});
