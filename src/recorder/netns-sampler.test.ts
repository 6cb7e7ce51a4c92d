import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Event } from '../event/kinds.ts';
import { bootNow } from '../linux/clock.ts';
import type { Share } from './listener-share.ts';
import { NetnsSampler } from './netns-sampler.ts';
import { RecordedTotals } from './recorded-totals.ts';
import type { ComparedStretch, SamplerOptions, Unseen } from './sampler-options.ts';

const FIRST = 4026532000;
const PACE = { roundMs: 1, roundShare: 0, pauseMs: 0, endMs: 60_000, knownMs: 0 };

/** A tree like /proc with a process in each of so many namespaces; they share one set of counters, but for those with a set of their own. */
class FakeProc {
  readonly root = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'losslog-proc-'));
  #next = 1;

  constructor(t: TestContext) {
    // Node's own takes half a minute for as many files.
    t.after(() => spawnSync('rm', ['-r', this.root]));
    mkdirSync(join(this.root, 'proc/self/ns'), { recursive: true });
    symlinkSync('/proc/self/ns/net', join(this.root, 'proc/self/ns/net'));
    writeFileSync(join(this.root, 'proc/self/mountinfo'), '');
    this.set('all', {});
  }

  /** Writes a set of counters. */
  set(name: string, { resent = 0, overflows = 0, dropped = 0 }): void {
    const directory = join(this.root, name);
    mkdirSync(directory, { recursive: true });
    writeFileSync(join(directory, 'snmp'), `Tcp: RetransSegs\nTcp: ${resent}\n`);
    writeFileSync(
      join(directory, 'netstat'),
      `TcpExt: ListenOverflows ListenDrops\nTcpExt: ${overflows} ${overflows}\n`,
    );
    writeFileSync(join(directory, 'dev'), `a |b\n  eth0: 1 2 0 ${dropped} 0 0 0 0 1 2 0 0 0 0 0 0\n`);
  }

  /** Begins processes, each in a namespace of its own. @returns the inode numbers of these */
  start(count: number, set = 'all'): number[] {
    return Array.from({ length: count }, () => {
      const pid = this.#next++;
      const directory = join(this.root, 'proc', String(pid));
      mkdirSync(join(directory, 'ns'), { recursive: true });
      symlinkSync(`net:[${FIRST + pid}]`, join(directory, 'ns/net'));
      symlinkSync(join(this.root, set), join(directory, 'net'));
      return FIRST + pid;
    });
  }

  /** Moves the process of a namespace into another one. */
  enter(inode: number, other: number): void {
    const link = join(this.root, 'proc', String(inode - FIRST), 'ns/net');
    unlinkSync(link);
    symlinkSync(`net:[${other}]`, link);
  }

  /** Ends the process of a namespace, half-way as the kernel may: its files stay for a moment. */
  end(inode: number): void {
    unlinkSync(join(this.root, 'proc', String(inode - FIRST), 'ns/net'));
  }
}

interface Watched {
  sampler: NetnsSampler;
  totals: RecordedTotals;
  losses: { netns: number | undefined; share: Share }[];
  compared: ComparedStretch[];
  unseen: Unseen[];
  errors: string[];
}

function watch(t: TestContext, proc: FakeProc, options: Partial<SamplerOptions> = {}): Watched {
  const totals = new RecordedTotals();
  const watched: Omit<Watched, 'sampler'> = { totals, losses: [], compared: [], unseen: [], errors: [] };
  const sampler = new NetnsSampler({
    root: proc.root,
    audit: { tellsFailures: true, catchUp: () => true, listListeners: () => new Map() },
    totals,
    isWanted: () => true,
    losses: true,
    host: false,
    now: bootNow,
    onCompared: (stretch) => watched.compared.push(stretch),
    onLoss: (share, netns) => watched.losses.push({ netns, share }),
    onUnseen: (unseen) => watched.unseen.push(unseen),
    onError: (message) => watched.errors.push(message),
    pace: PACE,
    ...options,
  });
  t.after(() => sampler.end());
  return { sampler, ...watched };
}

const resent = (netns: number, segments: number): Event =>
  ({ kind: 'retransmit', time: 0n, bootNs: bootNow(), cause: 'rto', segments, netns }) as Event;

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await sleep(5);
}

test('10,000 namespaces: each is looked at, and none counted twice', async (t) => {
  const COUNT = 10_000;
  const proc = new FakeProc(t);
  const inodes = proc.start(COUNT);
  const { sampler, losses, errors } = watch(t, proc);
  await sampler.begin();
  await until(() => sampler.size === COUNT);
  proc.set('all', { overflows: 3, dropped: 5 });
  await until(() => losses.length >= 2 * COUNT);
  await sampler.end();
  assert.deepEqual(errors, []);
  const overflows = losses.filter(({ share }) => share.growth.counter === 'ListenOverflows');
  assert.deepEqual(new Set(overflows.map(({ netns }) => netns)), new Set(inodes));
  assert.ok(overflows.every(({ share }) => share.count === 3));
  assert.deepEqual(losses.length, 2 * COUNT);
  assert.deepEqual(
    losses.filter(
      ({ share }) => share.growth.device === 'eth0' && share.count === 5 && share.growth.counter === 'rx_dropped',
    ).length,
    COUNT,
  );
});

test('those that there is no time to look at again at the end are told', async (t) => {
  const COUNT = 1000;
  const proc = new FakeProc(t);
  proc.start(COUNT);
  const { sampler, unseen } = watch(t, proc, { pace: { ...PACE, roundMs: 600_000, endMs: 0 } });
  const beginNs = bootNow();
  await sampler.begin();
  await until(() => sampler.size === COUNT);
  const endNs = bootNow();
  await sampler.end();
  const [{ count, of, fromNs } = assert.fail('nothing is told')] = unseen;
  assert.equal(of, COUNT);
  assert.ok(count > 0 && count <= COUNT, String(count));
  assert.ok(fromNs > beginNs && fromNs < endNs);
});

test('namespaces come and go while they are looked at', async (t) => {
  const proc = new FakeProc(t);
  const [first = 0, second = 0] = proc.start(2);
  const { sampler, totals, losses, compared, errors } = watch(t, proc);
  await sampler.begin();
  // Recorded and counted, all of it, in one that was made meanwhile and one that ends right after.
  proc.set('new', { resent: 7, overflows: 2 });
  const [third = 0] = proc.start(1, 'new');
  totals.add([resent(third, 7)]);
  await until(() => sampler.size === 3);
  await until(() => losses.length > 0);
  await sleep(30);
  for (const inode of [second, third]) proc.end(inode);
  await until(() => sampler.size === 1);
  await sampler.end();
  assert.deepEqual(errors, []);
  assert.deepEqual(
    losses.map(({ netns, share }) => [netns, share.growth.counter, share.count]),
    [[third, 'ListenOverflows', 2]],
    'from its begin, since it was not there before',
  );
  assert.deepEqual(
    compared.map(({ netns, compared: [one] }) => [netns, one?.counter, one?.recorded, one?.kernel]),
    [[third, 'TcpRetransSegs', 7, 7]],
  );
  assert.notEqual(first, 0);
});

test('where a process was found is believed for a while, and counted from before it was asked last', async (t) => {
  const proc = new FakeProc(t);
  const [first = 0, other = 0] = proc.start(2);
  const { sampler, losses } = watch(t, proc, { pace: { ...PACE, knownMs: 400 } });
  const beginNs = bootNow();
  await sampler.begin();
  proc.set('new', { overflows: 2 });
  const [third = 0] = proc.start(1, 'new');
  await until(() => losses.length > 0);
  proc.enter(other, first);
  await until(() => sampler.size === 2);
  await sampler.end();
  const [{ netns, share } = assert.fail('nothing was counted')] = losses;
  assert.deepEqual([netns, share.count], [third, 2]);
  assert.ok(share.growth.fromNs >= beginNs && share.growth.fromNs < share.growth.untilNs);
});

test('another namespace with the inode number of one that is gone', async (t) => {
  const proc = new FakeProc(t);
  proc.set('all', { resent: 100, overflows: 50 });
  const [inode = 0] = proc.start(1);
  const { sampler, totals, losses, compared } = watch(t, proc);
  await sampler.begin();
  // Half of what the former had counted since is recorded; nothing says which of the two a segment was of.
  proc.set('all', { resent: 3, overflows: 1 });
  totals.add([resent(inode, 2)]);
  await sleep(50);
  await sampler.end();
  assert.deepEqual([losses, compared], [[], []]);
});

test('a difference is told at the end', async (t) => {
  const proc = new FakeProc(t);
  const [inode = 0] = proc.start(1);
  const { sampler, totals, compared } = watch(t, proc);
  await sampler.begin();
  proc.set('all', { resent: 11 });
  totals.add([resent(inode, 8)]);
  await sampler.end();
  const [stretch] = compared;
  assert.deepEqual(stretch?.compared[0], { counter: 'TcpRetransSegs', recorded: 8, kernel: 11, relation: 'exact' });
});

test('without a source to compare with, and of some namespaces only', async (t) => {
  const proc = new FakeProc(t);
  const [one = 0] = proc.start(2);
  const { sampler, losses, compared } = watch(t, proc, { isWanted: (netns) => netns === one });
  await sampler.begin();
  assert.equal(sampler.size, 1);
  proc.set('all', { resent: 5, overflows: 4 });
  await sampler.end();
  assert.deepEqual(
    losses.map(({ netns }) => netns),
    [one],
  );
  assert.equal(compared.length, 1);
});

test('a /proc that cannot be read is told, and looked at again', async (t) => {
  const proc = new FakeProc(t);
  const { sampler, errors } = watch(t, proc);
  rmSync(join(proc.root, 'proc/self/mountinfo'));
  await sampler.begin();
  await until(() => errors.length > 1);
  assert.match(errors[0] as string, /^the counters of the kernel could not be read: ENOENT/);
  writeFileSync(join(proc.root, 'proc/self/mountinfo'), '');
  proc.start(1);
  await until(() => sampler.size === 1);
  await sampler.end();
});
