import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Listener } from '../wire/listener-records.ts';
import { ListenerShares } from './listener-share.ts';
import type { Growth } from './loss-growth.ts';

const NETNS = 7;

const listener = (sport: number, drops: number, more: Partial<Listener> = {}): Listener => ({
  netns: NETNS,
  inode: BigInt(sport),
  uid: 0,
  src: Uint8Array.of(0, 0, 0, 0),
  sport,
  drops,
  queue: 0,
  backlog: 128,
  synQueue: 0,
  owner: { pid: sport, process: 'nginx', cgroupId: 1n, cgroupHierarchy: 0 },
  ...more,
});

const byInode = (...listeners: Listener[]) => new Map(listeners.map((one) => [one.inode, one]));

function grown(counts: Record<string, number>): Map<number, Growth[]> {
  const growths = Object.entries(counts).map(([counter, count]) => ({
    counter,
    count,
    class: 'loss' as const,
    fromNs: 0n,
    untilNs: 5n,
  }));
  return new Map([[NETNS, growths]]);
}

const dealt = (shares: ListenerShares, counts: Record<string, number>, ...listeners: Listener[]) =>
  shares
    .deal(grown(counts), byInode(...listeners))
    .get(NETNS)
    ?.map(({ growth, count, listener: of }) => [growth.counter, count, of?.sport]);

test('the one listener that refused has all of it, and what it refused before does not count', () => {
  const shares = new ListenerShares();
  shares.begin(byInode(listener(80, 5), listener(443, 0)));
  assert.deepEqual(dealt(shares, { ListenOverflows: 40, ListenDrops: 40 }, listener(80, 5), listener(443, 40)), [
    ['ListenOverflows', 40, 443],
  ]);
  assert.deepEqual(dealt(shares, { ListenOverflows: 3, ListenDrops: 3 }, listener(80, 8), listener(443, 40)), [
    ['ListenOverflows', 3, 80],
  ]);
});

test('what was refused after the counters were read is left for the next time', () => {
  const shares = new ListenerShares();
  shares.begin(byInode(listener(80, 0)));
  assert.deepEqual(dealt(shares, { ListenOverflows: 4, ListenDrops: 4 }, listener(80, 6)), [
    ['ListenOverflows', 4, 80],
  ]);
  assert.deepEqual(dealt(shares, { ListenOverflows: 2, ListenDrops: 2 }, listener(80, 6)), [
    ['ListenOverflows', 2, 80],
  ]);
});

test('several listeners share what is of one kind', () => {
  const shares = new ListenerShares();
  assert.deepEqual(dealt(shares, { ListenOverflows: 10, ListenDrops: 10 }, listener(80, 7), listener(443, 3)), [
    ['ListenOverflows', 7, 80],
    ['ListenOverflows', 3, 443],
  ]);
});

test('of several kinds the full queue tells, and ListenDrops shows only what is beyond them', () => {
  const shares = new ListenerShares();
  const full = listener(443, 6, { queue: 129 });
  assert.deepEqual(dealt(shares, { ListenOverflows: 6, TCPReqQFullDrop: 1, ListenDrops: 9 }, full, listener(80, 3)), [
    ['ListenOverflows', 6, 443],
    ['TCPReqQFullDrop', 1, undefined],
    ['ListenDrops', 6, 443],
    ['ListenDrops', 3, 80],
  ]);
});

test('a listener that is gone leaves its part without one', () => {
  const shares = new ListenerShares();
  shares.begin(byInode(listener(80, 0)));
  assert.deepEqual(dealt(shares, { ListenOverflows: 5, ListenDrops: 5 }, listener(443, 2)), [
    ['ListenOverflows', 2, 443],
    ['ListenOverflows', 3, undefined],
  ]);
  assert.deepEqual(dealt(shares, { ListenOverflows: 5, ListenDrops: 5 }), [['ListenOverflows', 5, undefined]]);
});

test('the counter of a socket wraps around', () => {
  const shares = new ListenerShares();
  shares.begin(byInode(listener(80, 2 ** 32 - 2)));
  assert.deepEqual(dealt(shares, { ListenOverflows: 5, ListenDrops: 5 }, listener(80, 3)), [
    ['ListenOverflows', 5, 80],
  ]);
});
