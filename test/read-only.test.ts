/** A store that may not be written any more while it is written: events wait, and are stored once it may be. */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { run } from '../lab/command.ts';
import { LOSSLOG, Recorder } from '../lab/recorder.ts';
import { messageOf } from '../src/base/errors.ts';
import { COMMITTED_MS, smallDisk, withFault } from './helpers/fault.ts';
import { blast, coverage, firewalled, withHosts } from './helpers/firewalled.ts';
import { asNobody, NOBODY, recordsAsNobody } from './helpers/nobody.ts';
import { requires } from './helpers/requires.ts';
import { seen } from './helpers/seen.ts';

const here = requires('root', 'btf');

/** An ext4 of its own, on a loop device. */
class Ext4 {
  readonly #disk = mkdtempSync(join(tmpdir(), 'losslog-ext4-'));
  readonly #image = join(this.#disk, 'image');
  readonly #dir = join(this.#disk, 'mounted');
  readonly storeDir = join(this.#dir, 'store');

  constructor() {
    run('truncate', '--size', '64M', this.#image);
    run('mkfs.ext4', '-q', this.#image);
    mkdirSync(this.#dir);
    this.#mount();
  }

  /** What a damaged block makes of a file system that is mounted with errors=remount-ro. */
  fail(): void {
    const device = basename(run('findmnt', '--noheadings', '--output', 'SOURCE', this.#dir).trim());
    // What is mapped (-shm) and was written back has to ask the file system before it is changed again.
    run('sync', '--file-system', this.#dir);
    writeFileSync(`/sys/fs/ext4/${device}/trigger_fs_error`, 'a test');
  }

  /** Mends a copy and mounts that: whoever copied the mounts of this process meanwhile keeps the broken one. */
  repair(): void {
    run('umount', this.#dir);
    run('cp', '--sparse=always', this.#image, `${this.#image}-copy`);
    run('mv', `${this.#image}-copy`, this.#image);
    // It exits with 1 when it mended something (e2fsck(8)).
    const { status, stderr } = spawnSync('e2fsck', ['-f', '-y', this.#image], { encoding: 'utf8' });
    assert.ok(status === 0 || status === 1, stderr);
    this.#mount();
  }

  [Symbol.dispose](): void {
    // Nothing, unless the test failed.
    spawnSync(LOSSLOG, ['stop', '--discard', '--store', this.storeDir]);
    spawnSync('umount', ['--lazy', this.#dir]);
    rmSync(this.#disk, { recursive: true });
  }

  #mount(): void {
    run('mount', '-o', 'loop,errors=remount-ro', this.#image, this.#dir);
  }
}

function needsExt4(): { skip: string | false } {
  if (here.skip !== false) return here;
  try {
    new Ext4()[Symbol.dispose]();
    return here;
  } catch (error) {
    return { skip: `no ext4 on a loop device here: ${messageOf(error)}` };
  }
}

const onExt4 = needsExt4();

test('a file system that an error made read-only: what was recorded since waits in the kernel', onExt4, async () => {
  const { dropped, stored, told } = await seen(() =>
    withHosts(async (hosts) => {
      using disk = new Ext4();
      const { storeDir } = disk;
      await using first = await Recorder.start({ hosts: [hosts.server], storeDir });
      const before = hosts.rule.packets();
      await blast(hosts, 101);
      await sleep(COMMITTED_MS);
      disk.fail();
      await blast(hosts, 4001, 4000);
      await sleep(COMMITTED_MS);
      await first.stop();
      disk.repair();
      await using second = await Recorder.start({ hosts: [hosts.server], storeDir });
      await blast(hosts, 53);
      await sleep(COMMITTED_MS);
      await second.stop();
      const [dropped, stored] = [hosts.rule.packets() - before, firewalled(second).length];
      return { dropped, stored, told: first.process.stderr };
    }),
  );
  assert.equal(dropped, 101 + 4001 + 53);
  assert.equal(stored, dropped);
  assert.match(told, /not all could be stored: the rest stays in the kernel/);
});

test(
  'files are made immutable (chattr +i): the kernel ends the recorder and records on; all is stored later',
  onExt4,
  async () => {
    const { dropped, stored, ended, why } = await seen(() =>
      withHosts(async (hosts) => {
        using disk = new Ext4();
        const { storeDir } = disk;
        await using first = await Recorder.start({ hosts: [hosts.server], storeDir });
        const before = hosts.rule.packets();
        await blast(hosts, 101);
        await sleep(COMMITTED_MS);
        run('chattr', '-R', '+i', storeDir);
        await blast(hosts, 4001, 4000);
        const ended = await first.process.exited;
        await blast(hosts, 1009, 4000);
        run('chattr', '-R', '-i', storeDir);
        await using second = await Recorder.start({ hosts: [hosts.server], storeDir });
        await blast(hosts, 53);
        await sleep(COMMITTED_MS);
        await second.stop();
        const [dropped, stored] = [hosts.rule.packets() - before, firewalled(second).length];
        return { dropped, stored, ended, why: coverage(second).map(({ why }) => why) };
      }),
    );
    // The -shm of SQLite is written through a mapping, and a file system that refuses that has no other answer (fs/ext4/inode.c, ext4_page_mkwrite()).
    assert.equal(ended.signal ?? ended.code, 'SIGBUS');
    assert.equal(dropped, 101 + 4001 + 1009 + 53);
    assert.equal(stored, dropped);
    assert.deepEqual(why, ['the kernel recorded alone (the recorder was killed or crashed); drained later']);
  },
);

test('a user may not make files in the directory any more when a new one is due', recordsAsNobody(), async (t) => {
  const storeDir = join(smallDisk(t, '64m'), 'store');
  const { dropped, stored, lost } = await withFault({
    prefix: asNobody(['bpf', 'perfmon']),
    storeDir,
    // A slice of a store of this size has room for some 7,000 events.
    args: ['--max-size', '8M'],
    prepare: () => {
      mkdirSync(storeDir);
      chownSync(storeDir, NOBODY, NOBODY);
    },
    counts: [101, 15_013, 53],
    begin: () => chmodSync(storeDir, 0o500),
    end: () => chmodSync(storeDir, 0o700),
  });
  assert.equal(dropped, 101 + 15_013 + 53);
  assert.equal(stored, dropped);
  assert.deepEqual(lost, []);
});
