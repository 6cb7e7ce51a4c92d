/** The store under what hosts do to it: kill -9, a full disk, a removed directory, readers without rights. */

import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import {
  chmodSync,
  closeSync,
  existsSync,
  fstatSync,
  mkdtempSync,
  openSync,
  readdirSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { bootNs, wallFromMs, wallNs } from '../src/base/time.ts';
import type { CoverageEvent, Event, ResetEvent } from '../src/event/kinds.ts';
import { StoreReader } from '../src/store/reader.ts';
import { StoreWriter } from '../src/store/writer.ts';

const NODE_OPTIONS = ['--disable-warning=ExperimentalWarning'];
const WRITER = fileURLToPath(new URL('./fixtures/store-writer.ts', import.meta.url));
const READER = fileURLToPath(new URL('./fixtures/store-reader.ts', import.meta.url));
const SESSION = { bootId: 'test', losslogVersion: '0.1.0', kernel: '6.18', host: 'test' };
const isRoot = process.getuid?.() === 0;
const needsRoot = isRoot ? false : 'needs root, to mount and to become another user';
const NOBODY = 65534;

function temporaryDirectory(t: TestContext): string {
  const dir = mkdtempSync(join(tmpdir(), 'losslog-faults-'));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

const now = wallFromMs(Date.now());
const reset = (ns: number): ResetEvent => ({
  kind: 'reset',
  time: wallNs(now + BigInt(ns)),
  bootNs: bootNs(BigInt(ns)),
  direction: 'received',
});

function readAll(dir: string): Event[] {
  const reader = StoreReader.open(dir);
  const events = [...reader.events({}, { order: 'oldest' })];
  assert.deepEqual(reader.skipped, []);
  reader.close();
  return events;
}

/** Runs the endless writer and kills it with SIGKILL after `batches` acknowledgements. @returns the last of them. */
async function killedAfter(dir: string, batches: number): Promise<number> {
  const child = spawn(process.execPath, [...NODE_OPTIONS, WRITER, 'endless', dir], {
    stdio: ['ignore', 'pipe', 'inherit'],
    timeout: 30_000,
  });
  let acknowledged = 0;
  let told = 0;
  for await (const line of createInterface({ input: child.stdout })) {
    const message = JSON.parse(line) as { acknowledged: number; pending: number };
    assert.equal(message.pending, 0);
    acknowledged = message.acknowledged;
    if (++told === batches) child.kill('SIGKILL');
  }
  assert.ok(told >= batches, `the writer told ${told} times`);
  return acknowledged;
}

test('kill -9 loses nothing that was acknowledged, and the next writer goes on', async (t) => {
  const dir = temporaryDirectory(t);
  let acknowledged = 0;
  for (const batches of [1, 7, 30, 2]) {
    acknowledged += await killedAfter(dir, batches);
    const found = readAll(dir).length;
    assert.ok(found >= acknowledged, `${found} of ${acknowledged} acknowledged events are there`);
    assert.equal(found % 50, 0, 'a batch is there as a whole or not at all');
    acknowledged = found;
  }
  const writer = StoreWriter.open(dir, SESSION);
  writer.write([reset(1)]);
  writer.close();
  const reader = StoreReader.open(dir);
  assert.equal([...reader.events({}, { order: 'newest' })].length, acknowledged + 1);
  assert.deepEqual(
    reader.coverage().sessions.map(({ ended }) => ended),
    [false, false, false, false, true],
  );
  reader.close();
});

test('a second process is refused with the process id of the first', async (t) => {
  const dir = temporaryDirectory(t);
  const writer = StoreWriter.open(dir, SESSION);
  const { stdout } = spawnSync(process.execPath, [...NODE_OPTIONS, WRITER, 'open', dir], { encoding: 'utf8' });
  assert.deepEqual(JSON.parse(stdout), {
    code: 'STORE',
    message: `${dir} is being written by process ${process.pid}`,
  });
  writer.close();
});

/** Runs a command in a mount namespace of its own, with a tmpfs of that size on `dir`. */
function onSmallDisk(dir: string, size: string, command: readonly string[]) {
  const script =
    'mount --make-rprivate / && mount -t tmpfs -o "size=$1" tmpfs "$2" && mkdir "$2/store" && shift 2 && exec "$@"';
  const options = ['--mount', 'sh', '-c', script, 'sh', size, dir, ...command];
  return spawnSync('unshare', options, { encoding: 'utf8', timeout: 60_000 });
}

interface Step {
  step: string;
  stored: number;
  pending: number;
  unstored: number;
}

/** Runs the writer on a disk that is full for a while. @returns what it told, and what is read at the end. */
function tellsOfFullDisk(t: TestContext, mode: string) {
  const disk = temporaryDirectory(t);
  const store = join(disk, 'store');
  const node = `"${process.execPath}" ${NODE_OPTIONS.join(' ')}`;
  const command = `${node} "${WRITER}" ${mode} "${store}" && ${node} "${READER}" "${store}"`;
  const { stdout, stderr, status } = onSmallDisk(disk, '24m', ['sh', '-c', command]);
  assert.equal(status, 0, stderr);
  const lines = stdout.trim().split('\n');
  const [before, full, after, read] = lines.map((line) => JSON.parse(line)) as [Step, Step, Step, object];
  return { before, full, after, read };
}

test('a full disk stops nothing: losses are counted and told once there is room', { skip: needsRoot }, (t) => {
  const { before, full, after, read } = tellsOfFullDisk(t, 'full-disk');
  assert.deepEqual(before, { step: 'before', stored: 10, pending: 0, unstored: 0 });
  assert.equal(full.pending, 20_000);
  assert.ok(full.unstored > 0);
  assert.equal(full.stored + full.pending + full.unstored, 30_010);
  assert.deepEqual(after, { step: 'after', stored: full.stored + full.pending, pending: 0, unstored: full.unstored });
  assert.deepEqual(read, {
    events: after.stored + 1,
    skipped: [],
    lost: [{ count: full.unstored, why: 'database or disk is full' }],
  });
});

test('a recorder can be started again on a full disk', { skip: needsRoot }, (t) => {
  const { before, full, after, read } = tellsOfFullDisk(t, 'full-from-start');
  assert.deepEqual(before, { step: 'before', stored: 0, pending: 10, unstored: 0 });
  assert.deepEqual(full, { step: 'full', stored: 0, pending: 20_000, unstored: 10_010 });
  assert.deepEqual(after, { step: 'after', stored: 20_000, pending: 0, unstored: 10_010 });
  const { events, skipped, lost } = read as { events: number; skipped: unknown[]; lost: { count: number }[] };
  assert.deepEqual([events, skipped, lost.map(({ count }) => count)], [20_001, [], [10_010]]);
});

test('a store that may not be written is refused', { skip: needsRoot }, (t) => {
  const disk = temporaryDirectory(t);
  const remounted = `mount -o remount,ro "${disk}" && exec "${process.execPath}" ${NODE_OPTIONS.join(' ')} "${WRITER}" open`;
  const { stdout, stderr } = onSmallDisk(disk, '8m', ['sh', '-c', `${remounted} "${disk}/store"`]);
  assert.equal(JSON.parse(stdout || '{}').code, 'NOT_PERMITTED', stderr);
});

test('when the directory is removed, the writer makes it anew and says what went with it', (t) => {
  const dir = join(temporaryDirectory(t), 'store');
  const writer = StoreWriter.open(dir, SESSION);
  writer.write([reset(1), reset(2)]);
  writer.flush();
  rmSync(dir, { recursive: true });
  writer.write([reset(3)]);
  writer.flush();
  assert.deepEqual([writer.stored, writer.pending, writer.unstored], [3, 0, 0]);
  const [slice = ''] = readdirSync(dir).filter((file) => file.endsWith('.db'));
  const [kept, told] = readAll(dir) as [ResetEvent, CoverageEvent];
  assert.deepEqual(kept, reset(3));
  const { time: _, ...gone } = told;
  assert.deepEqual(gone, {
    kind: 'coverage',
    from: reset(1).time,
    until: reset(2).time,
    state: 'lost',
    count: 2,
    why: `${slice} was removed by another program while it was written`,
  });
  writer.close();
});

test('a slice that is damaged while it is written: nothing ends, readers tell, the next writer sets it aside', (t) => {
  const dir = temporaryDirectory(t);
  const writer = StoreWriter.open(dir, SESSION);
  writer.write(Array.from({ length: 5000 }, (_, i) => reset(i)));
  writer.flush();
  const [slice = ''] = readdirSync(dir).filter((file) => file.endsWith('.db'));
  for (const [file, from] of [
    [slice, 4096],
    [`${slice}-wal`, 64],
  ] as const) {
    const fd = openSync(join(dir, file), 'r+');
    const { size } = fstatSync(fd);
    writeSync(fd, Buffer.alloc(size - from, 0xa5), 0, size - from, from);
    closeSync(fd);
  }
  writer.write([reset(5001)]);
  writer.flush();
  writer.close();
  const reader = StoreReader.open(dir);
  assert.deepEqual([...reader.events({}, { order: 'oldest' })], []);
  assert.deepEqual(
    reader.skipped.map(({ file }) => file),
    [slice],
  );
  reader.close();

  const next = StoreWriter.open(dir, SESSION);
  next.write([reset(5002)]);
  next.close();
  const [told, kept] = [...StoreReader.open(dir).events({}, { order: 'newest' })] as [CoverageEvent, ResetEvent];
  assert.deepEqual(kept, reset(5002));
  assert.equal(told.state, 'lost');
  assert.match(told.why ?? '', /\.db is damaged \(.*\); set aside as .*\.db\.damaged$/);
  assert.ok(existsSync(join(dir, `${slice}.damaged`)));
});

/** What a user without any right to write finds in the store. */
function readAsNobody(dir: string): unknown {
  const { stdout, stderr } = spawnSync(process.execPath, [...NODE_OPTIONS, READER, dir], {
    encoding: 'utf8',
    uid: NOBODY,
    gid: NOBODY,
    timeout: 30_000,
  });
  return stderr === '' ? JSON.parse(stdout) : stderr;
}

test('others may read, when the modes of the files let them', { skip: needsRoot }, async (t) => {
  const dir = temporaryDirectory(t);
  chmodSync(dir, 0o755);
  const three = { events: 3, skipped: [], lost: [] };
  const writer = StoreWriter.open(dir, SESSION);
  writer.write([reset(1), reset(2), reset(3)]);
  writer.flush();
  assert.deepEqual(readAsNobody(dir), three, 'while it is written');
  writer.close();
  assert.deepEqual(readAsNobody(dir), three, 'after the recorder ended');
  const later = StoreWriter.open(dir, SESSION, { now: () => wallNs(now + 7_200_000_000_000n) });
  await later.sealed();
  assert.deepEqual(readAsNobody(dir), three, 'when it is sealed');
  later.close();
});

test('others may read what kill -9 left', { skip: needsRoot }, async (t) => {
  const dir = temporaryDirectory(t);
  chmodSync(dir, 0o755);
  const acknowledged = await killedAfter(dir, 3);
  const { events } = readAsNobody(dir) as { events: number };
  assert.ok(events >= acknowledged, `${events} of ${acknowledged}`);
});
