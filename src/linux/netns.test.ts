import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readlinkSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { LosslogError } from '../base/errors.ts';
import { allNetns, listNamedNetns, ownNetns, resolveNetns, resolvePresentNetns } from './netns.ts';

/** A root whose namespaces are plain files: what counts is that they lie on one device, as on nsfs. */
function fakeRoot(t: TestContext, names: readonly string[]): string {
  const root = mkdtempSync(join(tmpdir(), 'losslog-netns-'));
  t.after(() => rmSync(root, { recursive: true }));
  mkdirSync(join(root, 'proc/self/ns'), { recursive: true });
  writeFileSync(join(root, 'proc/self/ns/net'), '');
  if (names.length > 0) mkdirSync(join(root, 'run/netns'), { recursive: true });
  for (const name of names) writeFileSync(join(root, 'run/netns', name), '');
  return root;
}

const inodeIn = (root: string, name: string): number => statSync(join(root, 'run/netns', name)).ino;

test('names of namespaces', (t) => {
  const root = fakeRoot(t, ['blue', 'red']);
  mkdirSync(join(root, 'var'));
  symlinkSync('../run', join(root, 'var/run'));
  assert.deepEqual(
    listNamedNetns(root),
    new Map([
      [inodeIn(root, 'blue'), 'blue'],
      [inodeIn(root, 'red'), 'red'],
    ]),
  );
  assert.deepEqual(listNamedNetns(fakeRoot(t, [])), new Map());
});

test('a namespace by name, by path, by inode', (t) => {
  const root = fakeRoot(t, ['blue', '17']);
  assert.equal(resolveNetns('blue', { root }), inodeIn(root, 'blue'));
  assert.equal(resolveNetns(join(root, 'run/netns/blue'), { root }), inodeIn(root, 'blue'));
  assert.equal(resolveNetns('17', { root }), inodeIn(root, '17'));
  assert.equal(resolveNetns('4026531840', { root }), 4026531840);
  assert.equal(resolveNetns('net:[4026531840]', { root }), 4026531840);
});

test('an unknown namespace is told with the names that are known', (t) => {
  const root = fakeRoot(t, ['red', 'blue']);
  const isNotFound = (error: unknown): boolean =>
    error instanceof LosslogError && error.code === 'NOT_FOUND' && error.hint === 'known: blue, red';
  assert.throws(() => resolveNetns('green', { root }), isNotFound);
  assert.throws(() => resolveNetns('/nonexistent/net', { root }), isNotFound);
  assert.throws(() => resolveNetns('/etc/passwd/net', { root }), isNotFound);
  assert.throws(() => resolveNetns('', { root }), isNotFound);
  assert.throws(() => resolveNetns('0', { root }), isNotFound);
  assert.throws(() => resolveNetns('4294967296', { root }), isNotFound);
});

test('of many names only some are told', (t) => {
  const names = Array.from({ length: 1234 }, (_, i) => `n${String(i).padStart(4, '0')}`);
  const root = fakeRoot(t, names);
  const hint = `known: ${names.slice(0, 10).join(', ')}, and 1224 more (ip netns)`;
  assert.throws(() => resolveNetns('green', { root }), { hint });
});

test('a file that is no namespace is refused', () => {
  assert.throws(() => resolveNetns('/proc/self/status'), /"\/proc\/self\/status" is not a network namespace/);
});

test('the namespace of this process', () => {
  const inode = Number(/\d+/.exec(readlinkSync('/proc/self/ns/net'))?.[0]);
  assert.equal(ownNetns(), inode);
  assert.equal(resolveNetns('/proc/self/ns/net'), inode);
});

test('a number that no namespace has', (t) => {
  const root = mkdtempSync(join(tmpdir(), 'losslog-netns-'));
  t.after(() => rmSync(root, { recursive: true }));
  for (const directory of ['self/ns', '7/ns']) mkdirSync(join(root, 'proc', directory), { recursive: true });
  writeFileSync(join(root, 'proc/self/ns/net'), '');
  writeFileSync(join(root, 'proc/self/ns/pid'), '');
  writeFileSync(
    join(root, 'proc/self/mountinfo'),
    '31 1 0:4 net:[4026532299] /run/docker/netns/0123 rw - nsfs nsfs rw\n',
  );
  symlinkSync('net:[4026532177]', join(root, 'proc/7/ns/net'));
  for (const inode of [4026532177, 4026532299]) assert.equal(resolvePresentNetns(String(inode), { root }), inode);
  assert.equal(resolvePresentNetns('1', { root }), 1, 'a PID namespace of its own: not every process is seen');
  assert.equal(resolvePresentNetns('/proc/self/ns/net'), ownNetns());
});

test('every namespace with a process or a mount, and a way to look into each', () => {
  const root = mkdtempSync(join(tmpdir(), 'losslog-netns-'));
  try {
    for (const [pid, netns] of Object.entries({ 1: 4026531840, 7: 4026532177, 12: 4026532177, self: 4026531840 })) {
      mkdirSync(join(root, 'proc', pid, 'ns'), { recursive: true });
      symlinkSync(`net:[${netns}]`, join(root, 'proc', pid, 'ns/net'));
    }
    mkdirSync(join(root, 'proc/9'));
    const mounts = [
      '30 1 0:4 net:[4026532177] /run/netns/with\\040blank rw shared:3 - nsfs nsfs rw',
      '31 1 0:4 net:[4026532299] /run/docker/netns/0123 rw - nsfs nsfs rw',
      '32 1 0:4 mnt:[4026532300] /run/ns/mnt rw - nsfs nsfs rw',
    ];
    writeFileSync(join(root, 'proc/self/mountinfo'), `${mounts.join('\n')}\n`);
    const found = allNetns(root);
    assert.deepEqual([...found.keys()].sort(), [4026531840, 4026532177, 4026532299]);
    assert.deepEqual(found.get(4026531840), { pid: 1 });
    assert.deepEqual(found.get(4026532299), { path: '/run/docker/netns/0123' });
    const blue = found.get(4026532177);
    assert.equal(blue?.path, '/run/netns/with blank');
    assert.ok(blue?.pid === 7 || blue?.pid === 12);
  } finally {
    rmSync(root, { recursive: true });
  }
});

test('a process whose namespace is known is not asked again; one that ended is forgotten', () => {
  const root = mkdtempSync(join(tmpdir(), 'losslog-netns-'));
  const enter = (pid: string, netns: number): void => {
    mkdirSync(join(root, 'proc', pid, 'ns'), { recursive: true });
    rmSync(join(root, 'proc', pid, 'ns/net'), { force: true });
    symlinkSync(`net:[${netns}]`, join(root, 'proc', pid, 'ns/net'));
  };
  try {
    enter('1', 4026531840);
    for (let pid = 2; pid < 600; pid++) enter(String(pid), 4026532177);
    mkdirSync(join(root, 'proc/self'));
    writeFileSync(join(root, 'proc/self/mountinfo'), '');
    const processes = new Map<number, number>();
    assert.deepEqual([...allNetns(root, processes).keys()].sort(), [4026531840, 4026532177]);
    assert.equal(processes.size, 599);
    enter('1', 4026532999);
    for (let pid = 2; pid < 600; pid++) rmSync(join(root, 'proc', String(pid)), { recursive: true });
    enter('700', 4026532300);
    assert.deepEqual([...allNetns(root, processes).keys()].sort(), [4026531840, 4026532300]);
    assert.deepEqual([...processes.keys()].sort(), [1, 700]);
    assert.deepEqual([...allNetns(root).keys()].sort(), [4026532300, 4026532999]);
  } finally {
    rmSync(root, { recursive: true });
  }
});
