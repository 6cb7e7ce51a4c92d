import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { OwnedEvent } from '../event/kinds.ts';
import type { Decoded } from '../wire/head.ts';
import type { NotedOwner, OwnerSource, ProcessRef } from '../wire/owner-records.ts';
import { OwnerResolver } from './owner.ts';

const ID = '0123456789abcdef'.repeat(4);
const NGINX: ProcessRef = { pid: 7, process: 'nginx', cgroupId: 42n, cgroupHierarchy: 0 };

const fail = (message: string): void => assert.fail(message);

/** A kernel with these sockets; counts how often its list of sockets is read. */
function kernel({
  sockets = {},
  noted = {},
}: {
  sockets?: Record<string, ProcessRef>;
  noted?: Record<string, NotedOwner>;
}) {
  const source: OwnerSource & { reads: number } = {
    reads: 0,
    listSockets() {
      this.reads++;
      return new Map(Object.entries(sockets).map(([inode, owner]) => [BigInt(inode), owner]));
    },
    notedOwner: (sk) => noted[String(sk)],
    cgroupPath: (id) => (id === 42n ? `/docker/${ID}` : undefined),
  };
  return source;
}

function decoded(fields: Partial<OwnedEvent>, sk = 0n): Decoded {
  const event = { kind: 'retransmit', time: 0n, cause: 'rto', segments: 1, ...fields } as OwnedEvent;
  return { event, socket: { sk, cgroupId: 42n, cgroupHierarchy: 0 } };
}

function resolved(resolver: OwnerResolver, one: Decoded): OwnedEvent {
  resolver.resolve([one]);
  return one.event;
}

const ownerOf = ({ pid, process, ownerHow, container }: OwnedEvent) => [pid, process, ownerHow, container];

test('what the kernel side found stays, and gets its container', () => {
  const source = kernel({ sockets: { 5: NGINX } });
  const event = resolved(
    new OwnerResolver(source, fail),
    decoded({ socketInode: 5n, pid: 9, process: 'curl', ownerHow: 'syscall' }),
  );
  assert.deepEqual(ownerOf(event), [9, 'curl', 'syscall', ID]);
  assert.equal(source.reads, 0);
});

test('the holder of the inode, read once', () => {
  const source = kernel({ sockets: { 5: NGINX } });
  const resolver = new OwnerResolver(source, fail, () => 0);
  for (let i = 0; i < 3; i++) {
    assert.deepEqual(ownerOf(resolved(resolver, decoded({ socketInode: 5n }))), [7, 'nginx', 'fd', ID]);
  }
  assert.equal(source.reads, 1);
});

test('an inode that nobody holds is not looked for again at once, a new one not too often', () => {
  const sockets: Record<string, ProcessRef> = {};
  const source = kernel({ sockets });
  let nowMs = 0;
  const resolver = new OwnerResolver(source, fail, () => nowMs);
  assert.deepEqual(ownerOf(resolved(resolver, decoded({ socketInode: 6n }))), [
    undefined,
    undefined,
    undefined,
    undefined,
  ]);
  sockets[5] = NGINX;
  assert.equal(resolved(resolver, decoded({ socketInode: 5n })).pid, undefined);
  assert.equal(source.reads, 1);
  nowMs = 60;
  assert.equal(resolved(resolver, decoded({ socketInode: 6n })).pid, undefined);
  assert.equal(source.reads, 1);
  assert.equal(resolved(resolver, decoded({ socketInode: 5n })).pid, 7);
  assert.equal(source.reads, 2);
  nowMs = 2100;
  resolved(resolver, decoded({ socketInode: 6n }));
  assert.equal(source.reads, 3);
});

test('every socket of a list is remembered: that of the start, and one read for another socket', () => {
  const sockets: Record<string, ProcessRef> = { 5: NGINX };
  const source = kernel({ sockets });
  const resolver = new OwnerResolver(source, fail, () => 0);
  resolver.prime();
  assert.equal(resolved(resolver, decoded({ socketInode: 5n })).pid, 7);
  assert.equal(source.reads, 1);
  sockets[8] = { ...NGINX, pid: 8 };
  assert.equal(resolved(resolver, decoded({ socketInode: 6n })).pid, undefined);
  assert.equal(resolved(resolver, decoded({ socketInode: 8n })).pid, 8);
  assert.equal(source.reads, 2);
});

test('what was noted for the socket since, if it is of this very socket', () => {
  const closed: NotedOwner = { ...NGINX, inode: 5n, how: 'close' };
  const resolver = new OwnerResolver(kernel({ noted: { 1000: closed } }), fail);
  assert.deepEqual(ownerOf(resolved(resolver, decoded({ socketInode: 5n }, 1000n))), [7, 'nginx', 'close', ID]);
  assert.equal(resolved(resolver, decoded({ socketInode: 6n }, 1000n)).pid, undefined, 'the address was reused');
  assert.equal(resolved(resolver, decoded({ socketInode: 5n })).pid, undefined, 'there is no socket');
});

test('a cgroup whose path is not known leaves cgroup and container absent', () => {
  const source = kernel({ sockets: { 5: { ...NGINX, cgroupId: 43n } } });
  const event = resolved(new OwnerResolver(source, fail), decoded({ socketInode: 5n }));
  assert.deepEqual([event.pid, 'cgroup' in event, 'container' in event], [7, false, false]);
});

test('sockets that cannot be listed for a while: events go on with what is known, told', () => {
  const source = kernel({ noted: { 1000: { ...NGINX, how: 'syscall', inode: 5n } } });
  const told: string[] = [];
  let nowMs = 0;
  const listed = source.listSockets.bind(source);
  source.listSockets = () => {
    throw new Error('cannot run an iterator: EMFILE');
  };
  const resolver = new OwnerResolver(
    source,
    (message) => told.push(message),
    () => nowMs,
  );
  assert.deepEqual(ownerOf(resolved(resolver, decoded({ socketInode: 5n }, 1000n))).slice(0, 3), [
    7,
    'nginx',
    'syscall',
  ]);
  assert.deepEqual(told, ['owners of sockets are not looked up: cannot run an iterator: EMFILE']);
  source.listSockets = listed;
  nowMs = 1000;
  resolved(resolver, decoded({ socketInode: 6n }));
  assert.equal(source.reads, 1);
});
