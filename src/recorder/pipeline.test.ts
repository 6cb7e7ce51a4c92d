import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { NetnsNames } from '../enrich/netns-names.ts';
import { OwnerResolver } from '../enrich/owner.ts';
import type { Event } from '../event/kinds.ts';
import type { Decoded } from '../wire/head.ts';
import { Pipeline } from './pipeline.ts';

const NETNS = 4026531840;
const INODE = 77n;

/** A pipeline on a host with one open socket and one named namespace, and what it handed on, batch by batch. */
function pipeline(): { pipeline: Pipeline; batches: Event[][] } {
  const owner = { pid: 42, process: 'nginx', cgroupId: 9n, cgroupHierarchy: 0 };
  const source = {
    listSockets: () => new Map([[INODE, owner]]),
    notedOwner: () => undefined,
    cgroupPath: () => '/system.slice/nginx.service',
  };
  const owners = new OwnerResolver(source, assert.fail);
  const names = new NetnsNames(assert.fail, () => new Map([[NETNS, 'blue']]));
  const batches: Event[][] = [];
  return { pipeline: new Pipeline(owners, names, (events) => batches.push([...events])), batches };
}

const decoded = (bootNs: bigint, socketInode?: bigint): Decoded => ({
  event: {
    kind: 'reset',
    time: 1_000n + bootNs,
    bootNs,
    direction: 'sent',
    netns: NETNS,
    ...(socketInode === undefined ? {} : { socketInode }),
  },
  socket: { sk: 0n, cgroupId: 0n, cgroupHierarchy: 0 },
});

test('what two rings gave in one moment is one batch, in order of time, with owner and namespace', async () => {
  const { pipeline: pipe, batches } = pipeline();
  pipe.add([decoded(5n), decoded(7n, INODE)]);
  pipe.add([decoded(3n), decoded(11n)]);
  assert.equal(batches.length, 0);
  await sleep(150);
  assert.equal(batches.length, 1);
  assert.deepEqual(
    batches[0]?.map(({ bootNs }) => bootNs),
    [3n, 5n, 7n, 11n],
  );
  assert.deepEqual(batches[0]?.[2], {
    kind: 'reset',
    time: 1_007n,
    bootNs: 7n,
    direction: 'sent',
    netns: NETNS,
    netnsName: 'blue',
    socketInode: INODE,
    pid: 42,
    process: 'nginx',
    ownerHow: 'fd',
    cgroup: '/system.slice/nginx.service',
  });
  assert.equal(batches[0]?.[0] && 'pid' in batches[0][0], false);
});

test('a storm is handed on before the moment is over, nothing twice, nothing left', async () => {
  const { pipeline: pipe, batches } = pipeline();
  const total = 40_009;
  for (let from = 0; from < total; from += 997) {
    const length = Math.min(997, total - from);
    pipe.add(Array.from({ length }, (_, i) => decoded(BigInt(from + i))));
  }
  const early = batches.flat().length;
  assert.ok(early >= total - 16_384 - 997, `${early} handed on at once`);
  pipe.flush();
  assert.deepEqual(
    batches.flat().map(({ bootNs }) => Number(bootNs)),
    Array.from({ length: total }, (_, i) => i),
  );
  const count = batches.length;
  await sleep(100);
  pipe.flush();
  assert.equal(batches.length, count);
});

test("the recorder's own events go on at once", () => {
  const { pipeline: pipe, batches } = pipeline();
  pipe.emit([]);
  assert.equal(batches.length, 0);
  pipe.emit([decoded(1n).event]);
  assert.equal(batches.length, 1);
});
