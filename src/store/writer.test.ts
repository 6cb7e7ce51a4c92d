import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { LosslogError } from '../base/errors.ts';
import { bootNs, NS_PER_DAY, NS_PER_HOUR, NS_PER_S, type WallNs, wallNs } from '../base/time.ts';
import type { Event, ResetEvent } from '../event/kinds.ts';
import { EPOCH } from './arbitrary-event.test-util.ts';
import { StoreReader } from './reader.ts';
import { isWalFile } from './sqlite.ts';
import { openWriter, readAll, SESSION, temporaryDirectory } from './temporary-store.test-util.ts';

const at = (ns: bigint): WallNs => wallNs(EPOCH + ns);
const reset = (ns: bigint, pid = 1): ResetEvent => ({
  kind: 'reset',
  time: at(ns),
  bootNs: bootNs(ns),
  direction: 'sent',
  pid,
  dst: Uint8Array.of(10, 0, 0, pid & 255),
});
const slicesOf = (dir: string): string[] => readdirSync(dir).filter((file) => file.endsWith('.db'));
const tablesOf = (path: string): string[] => {
  const db = new DatabaseSync(path, { readOnly: true });
  const rows = db.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").all();
  db.close();
  return rows.map(({ name }) => name as string);
};

function rejects(code: string, hint: RegExp): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof LosslogError, String(error));
    assert.equal(error.code, code);
    assert.match(error.hint ?? '', hint);
    return true;
  };
}

test('a store begins with mode 0700 and is empty but readable', (t) => {
  const dir = join(temporaryDirectory(t), 'a', 'store');
  const writer = openWriter(dir);
  assert.equal(statSync(dir).mode & 0o777, 0o700);
  assert.deepEqual(readAll(dir), []);
  writer.close();
  assert.deepEqual(readAll(dir), []);
});

test('what was written is committed by the timer', async (t) => {
  const dir = temporaryDirectory(t);
  const writer = openWriter(dir, { commitIntervalMs: 5 });
  writer.write([reset(1n)]);
  assert.equal(writer.pending, 1);
  for (let i = 0; i < 200 && writer.pending > 0; i++) await new Promise((resolve) => setTimeout(resolve, 10));
  assert.deepEqual(readAll(dir), [reset(1n)]);
  writer.close();
});

test('who asked is told once all is committed, also what could only be told as lost', (t) => {
  const dir = temporaryDirectory(t);
  const writer = openWriter(dir);
  const told: string[] = [];
  writer.afterStored(() => told.push('nothing was written'));
  assert.deepEqual(told, ['nothing was written']);
  writer.write([reset(1n)]);
  writer.afterStored(() => told.push(`${readAll(dir).length} stored`));
  writer.write([{ ...reset(2n), time: wallNs(-1n) }, reset(3n)]);
  writer.afterStored(() => told.push(`${readAll(dir).length} stored, the loss with them`));
  assert.equal(told.length, 1);
  writer.flush();
  assert.deepEqual(told.slice(1), ['3 stored', '3 stored, the loss with them']);
  writer.close();
});

test('a reader sees what is committed while the writer goes on', (t) => {
  const dir = temporaryDirectory(t);
  const writer = openWriter(dir);
  writer.write([reset(1n)]);
  writer.flush();
  const reader = StoreReader.open(dir);
  const taken = reader.events({}, { order: 'oldest' });
  assert.deepEqual(taken.next().value, reset(1n));
  writer.write([reset(2n)]);
  writer.flush();
  assert.deepEqual([...reader.events({}, { order: 'newest' })], [reset(2n), reset(1n)]);
  assert.deepEqual([...taken], [], 'a query answers for the moment in which it began');
  reader.close();
  writer.close();
});

test('late, early and equal times come back exactly and in order', (t) => {
  const dir = temporaryDirectory(t);
  const writer = openWriter(dir);
  const times = [5n, 5n, 4n, NS_PER_HOUR + 1n, 5n, 1n, NS_PER_HOUR - 1n, NS_PER_HOUR, 0n];
  writer.write(times.map((ns, i) => reset(ns, i)));
  writer.close();
  assert.deepEqual(
    readAll(dir).map((event) => [event.time - EPOCH, (event as ResetEvent).pid]),
    [
      [0n, 8],
      [1n, 5],
      [4n, 2],
      [5n, 0],
      [5n, 1],
      [5n, 4],
      [NS_PER_HOUR - 1n, 6],
      [NS_PER_HOUR, 7],
      [NS_PER_HOUR + 1n, 3],
    ],
  );
  assert.deepEqual(slicesOf(dir), ['2026-11-22T20.db', '2026-11-22T21.db']);
});

test('an hour that is over is sealed: indexed, one plain file, still complete', async (t) => {
  const dir = temporaryDirectory(t);
  let now = at(0n);
  const writer = openWriter(dir, { now: () => now });
  const first = join(dir, '2026-11-22T20.db');
  writer.write([reset(1n), reset(2n)]);
  writer.flush();
  assert.ok(isWalFile(first));
  now = at(NS_PER_HOUR + 31n * NS_PER_S);
  writer.write([reset(NS_PER_HOUR)]);
  writer.flush();
  await writer.sealed();
  assert.ok(!isWalFile(first));
  assert.ok(!existsSync(`${first}-wal`));
  assert.deepEqual(tablesOf(first).slice(-2), ['packed', 'hour']);
  assert.deepEqual(readAll(dir), [reset(1n), reset(2n), reset(NS_PER_HOUR)]);
  writer.write([reset(3n)]);
  writer.close();
  assert.deepEqual(slicesOf(dir).sort(), ['2026-11-22T20.2.db', '2026-11-22T20.db', '2026-11-22T21.db']);
  assert.deepEqual(readAll(dir), [reset(1n), reset(2n), reset(3n), reset(NS_PER_HOUR)]);
});

test('a full part is followed by another, and a restart goes on with the last', async (t) => {
  const dir = temporaryDirectory(t);
  const first = openWriter(dir, { maxSliceRows: 2 });
  first.write([reset(1n), reset(2n), reset(3n)]);
  first.flush();
  await first.sealed();
  first.close();
  const second = openWriter(dir, { maxSliceRows: 2, now: () => at(4n) });
  second.write([reset(4n), reset(5n)]);
  second.close();
  assert.deepEqual(slicesOf(dir).sort(), ['2026-11-22T20.2.db', '2026-11-22T20.3.db', '2026-11-22T20.db']);
  assert.deepEqual(readAll(dir), [reset(1n), reset(2n), reset(3n), reset(4n), reset(5n)]);
});

test('a slice that an earlier run left open is sealed at the next start', async (t) => {
  const dir = temporaryDirectory(t);
  const first = openWriter(dir);
  first.write([reset(1n)]);
  first.close();
  assert.ok(isWalFile(join(dir, '2026-11-22T20.db')));
  const second = openWriter(dir, { now: () => at(2n * NS_PER_HOUR) });
  await second.sealed();
  assert.ok(!isWalFile(join(dir, '2026-11-22T20.db')));
  second.close();
});

test('sessions tell who recorded, from when to when, and how it ended', (t) => {
  const dir = temporaryDirectory(t);
  let now = at(10n);
  const clock = () => now;
  const first = openWriter(dir, { now: clock });
  now = at(20n);
  first.write([reset(15n)]);
  first.close();
  now = at(NS_PER_HOUR);
  const second = openWriter(dir, { now: clock });
  second.write([reset(NS_PER_HOUR)]);
  second.flush();
  const reader = StoreReader.open(dir);
  assert.deepEqual(reader.coverage(), {
    begins: at(10n),
    sessions: [
      { ...SESSION, started: at(10n), lastNs: at(20n), ended: true, ran: [{ from: at(10n), until: at(20n) }] },
      {
        ...SESSION,
        started: at(NS_PER_HOUR),
        lastNs: at(NS_PER_HOUR),
        ended: false,
        ran: [{ from: at(NS_PER_HOUR), until: at(NS_PER_HOUR) }],
      },
    ],
  });
  reader.close();
  second.close();
});

test('an idle recorder says every ten seconds that it lives, without making files for it', (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] });
  const dir = temporaryDirectory(t);
  let now = at(0n);
  const writer = openWriter(dir, { now: () => now });
  const lastOf = () => {
    const reader = StoreReader.open(dir);
    const [session] = reader.coverage().sessions;
    reader.close();
    return session?.lastNs;
  };
  assert.equal(lastOf(), at(0n));
  now = at(3n * NS_PER_HOUR);
  t.mock.timers.tick(9_999);
  assert.equal(lastOf(), at(0n));
  t.mock.timers.tick(1);
  assert.equal(lastOf(), at(3n * NS_PER_HOUR));
  assert.deepEqual(slicesOf(dir), ['2026-11-22T20.db']);
  writer.close();
});

test('an event that cannot be stored does not keep the others out, and is told in coverage', (t) => {
  const dir = temporaryDirectory(t);
  const writer = openWriter(dir);
  const broken = { ...reset(2n), pid: 1.5 };
  const ancient = { ...reset(0n), time: wallNs(-1n) };
  writer.write([reset(1n), broken, reset(3n)]);
  writer.flush();
  writer.write([ancient]);
  writer.close();
  assert.equal(writer.stored, 2);
  assert.equal(writer.unstored, 2);
  const lost = (time: bigint, why: string): Event => ({
    kind: 'coverage',
    time: EPOCH,
    from: wallNs(time),
    until: wallNs(time),
    state: 'lost',
    count: 1,
    why,
  });
  assert.deepEqual(readAll(dir), [
    lost(EPOCH + 2n, 'pid cannot be 1.5'),
    lost(-1n, 'time outside of 1970 to 9999'),
    reset(1n),
    reset(3n),
  ]);
});

test('a second writer is refused by the first one’s process id', (t) => {
  const dir = temporaryDirectory(t);
  const writer = openWriter(dir);
  assert.throws(() => openWriter(dir), rejects('STORE', /stop that recorder/));
  assert.throws(() => openWriter(dir), new RegExp(`process ${process.pid}$`));
  writer.close();
  openWriter(dir).close();
});

test('what is not a directory is refused', (t) => {
  const file = join(temporaryDirectory(t), 'file');
  writeFileSync(file, '');
  assert.throws(() => openWriter(file), rejects('STORE', /--store DIR/));
  assert.throws(() => openWriter(join(file, 'below')), rejects('STORE', /--store DIR/));
  assert.throws(() => StoreReader.open(file), rejects('STORE', /--store DIR/));
  assert.throws(() => StoreReader.open(`${file}.none`), rejects('NOT_FOUND', /losslog record/));
});

test('a store of a later format is refused by both sides', (t) => {
  const dir = temporaryDirectory(t);
  openWriter(dir).close();
  const db = new DatabaseSync(join(dir, '2026-11-22T20.db'));
  db.exec('UPDATE meta SET version = 2; PRAGMA user_version = 2');
  db.close();
  const before = readFileSync(join(dir, '2026-11-22T20.db'));
  assert.throws(() => StoreReader.open(dir), rejects('STORE_VERSION', /update losslog/));
  assert.throws(() => openWriter(dir), rejects('STORE_VERSION', /update losslog/));
  assert.deepEqual(readFileSync(join(dir, '2026-11-22T20.db')), before);
});

test('a damaged slice is skipped by readers and the rest answers', async (t) => {
  const dir = temporaryDirectory(t);
  let now = at(0n);
  const writer = openWriter(dir, { now: () => now, maxSliceRows: 3000 });
  const many = Array.from({ length: 3000 }, (_, i) => reset(BigInt(i), i));
  writer.write(many);
  now = at(2n * NS_PER_HOUR);
  writer.write([reset(2n * NS_PER_HOUR)]);
  writer.flush();
  await writer.sealed();
  writer.close();
  const path = join(dir, '2026-11-22T20.db');
  truncateSync(path, 64 * 1024);
  for (const order of ['oldest', 'newest'] as const) {
    const reader = StoreReader.open(dir);
    assert.deepEqual([...reader.events({}, { order })].at(order === 'newest' ? 0 : -1), reset(2n * NS_PER_HOUR));
    assert.deepEqual(reader.skipped, [{ file: '2026-11-22T20.db', why: 'database disk image is malformed' }]);
    assert.equal(reader.top({}, 'peer', 9).find(({ key }) => key === '10.0.0.1')?.resets, 1);
    reader.close();
  }
  writeFileSync(path, 'not a database at all, '.repeat(1000));
  const reader = StoreReader.open(dir);
  assert.deepEqual([...reader.events({}, { order: 'oldest' })], [reset(2n * NS_PER_HOUR)]);
  assert.deepEqual(reader.skipped, [{ file: '2026-11-22T20.db', why: 'file is not a database' }]);
  reader.close();
});

test('the writer sets its own damaged slice aside, goes on, and says so', (t) => {
  const dir = temporaryDirectory(t);
  const first = openWriter(dir);
  first.write([reset(1n)]);
  first.close();
  writeFileSync(join(dir, '2026-11-22T20.db'), 'not a database at all, '.repeat(1000));
  const second = openWriter(dir, { now: () => at(2n) });
  second.write([reset(2n)]);
  second.close();
  assert.deepEqual(readdirSync(dir).sort(), ['2026-11-22T20.2.db', '2026-11-22T20.db.damaged', 'writer.lock']);
  const reader = StoreReader.open(dir);
  assert.deepEqual(
    [...reader.events({}, { order: 'oldest' })],
    [
      reset(2n),
      {
        kind: 'coverage',
        time: at(2n),
        from: EPOCH,
        until: at(NS_PER_HOUR),
        state: 'lost',
        why: '2026-11-22T20.db is damaged (file is not a database); set aside as 2026-11-22T20.db.damaged',
      },
    ],
  );
  assert.deepEqual(reader.skipped, [{ file: '2026-11-22T20.db.damaged', why: 'set aside by the recorder' }]);
  reader.close();
});

test('files that are no slices are left alone and do not disturb', (t) => {
  const dir = temporaryDirectory(t);
  const writer = openWriter(dir);
  writer.write([reset(1n)]);
  writer.close();
  writeFileSync(join(dir, 'notes.txt'), 'x');
  writeFileSync(join(dir, '2026-11-22T19.db'), '');
  writeFileSync(join(dir, '2026-99-99T99.db'), 'x');
  mkdirSync(join(dir, 'backup.db'));
  assert.deepEqual(readAll(dir), [reset(1n)]);
});

test('the store stays within its size, and old slices go', async (t) => {
  const dir = temporaryDirectory(t);
  const maxBytes = 6 << 20;
  let now = EPOCH;
  const writer = openWriter(dir, { maxBytes, now: () => now });
  const sizes: number[] = [];
  for (let batch = 0; batch < 60; batch++) {
    now = at(BigInt(batch) * 200n * NS_PER_S);
    writer.write(Array.from({ length: 2000 }, (_, i) => reset(now - EPOCH + BigInt(i), i)));
    writer.flush();
    await writer.sealed();
    sizes.push(readdirSync(dir).reduce((sum, file) => sum + statSync(join(dir, file)).size, 0));
  }
  assert.ok(Math.max(...sizes) <= maxBytes, `at most ${Math.max(...sizes)} bytes`);
  assert.ok((sizes.at(-1) as number) > maxBytes / 2, `${sizes.at(-1)} bytes at the end`);
  const reader = StoreReader.open(dir);
  const [oldest] = reader.events({}, { order: 'oldest', limit: 1 });
  assert.equal(reader.begins(), oldest?.time);
  assert.ok((oldest?.time as bigint) > EPOCH);
  assert.equal([...reader.events({}, { order: 'newest', limit: 1 })][0]?.time, wallNs(now + 1999n));
  reader.close();
  writer.close();
  const later = openWriter(dir, { maxBytes, now: () => wallNs(now + 31n * NS_PER_DAY) });
  assert.deepEqual(slicesOf(dir), ['2026-12-23T23.db']);
  later.close();
});
