/** What hosts do to a recorder: full and broken disks, stopped, starved, flooded. Nothing ends it, nothing is lost in silence. */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { run } from '../lab/command.ts';
import { compiled } from '../lab/compile.ts';
import { Lab } from '../lab/lab.ts';
import { LOSSLOG, Recorder } from '../lab/recorder.ts';
import { cpuMs } from '../lab/usage.ts';
import { COMMITTED_MS, fill, peakMib, smallDisk, withFault } from './helpers/fault.ts';
import { blast, firewalled, QUIET_MS, summarized, withHosts } from './helpers/firewalled.ts';
import { requires } from './helpers/requires.ts';
import { seen } from './helpers/seen.ts';

const here = requires('root', 'btf');
const PORT = 7777;

test('a disk that is full under way: what waits is stored when there is room again', here, async (t) => {
  const disk = smallDisk(t, '24m');
  let makeRoom = (): void => assert.fail('it was never full');
  const { dropped, stored, lost } = await withFault({
    storeDir: join(disk, 'store'),
    counts: [101, 12_007, 53],
    begin: () => {
      makeRoom = fill(disk);
    },
    end: () => makeRoom(),
  });
  assert.equal(dropped, 101 + 12_007 + 53);
  assert.equal(stored, dropped);
  assert.deepEqual(lost, []);
});

test('more than memory and rings hold while the disk is full is counted, exactly', here, async (t) => {
  const disk = smallDisk(t, '96m');
  let makeRoom = (): void => assert.fail('it was never full');
  const { dropped, stored, lost, peak } = await withFault({
    storeDir: join(disk, 'store'),
    counts: [101, 40_009, 53],
    begin: () => {
      makeRoom = fill(disk);
    },
    end: () => makeRoom(),
  });
  assert.equal(stored, dropped, JSON.stringify(lost));
  assert.deepEqual(lost, []);
  assert.ok(peak < 200, `${peak} MiB`);
});

test('ended on a full disk: what could not be stored waits in the kernel for the next recorder', here, async (t) => {
  const disk = smallDisk(t, '24m');
  const storeDir = join(disk, 'store');
  t.after(() => spawnSync(LOSSLOG, ['stop', '--discard', '--store', storeDir]));
  const { dropped, stored, told } = await seen(() =>
    withHosts(async (hosts) => {
      rmSync(storeDir, { recursive: true, force: true });
      await using first = await Recorder.start({ hosts: [hosts.server], storeDir });
      const before = hosts.rule.packets();
      await blast(hosts, 29);
      await sleep(COMMITTED_MS);
      const makeRoom = fill(disk);
      await blast(hosts, 6007);
      await sleep(COMMITTED_MS);
      await first.stop();
      const told = first.process.stderr;
      makeRoom();
      await using second = await Recorder.start({ hosts: [hosts.server], storeDir });
      await second.stop();
      return { dropped: hosts.rule.packets() - before, stored: firewalled(second).length, told };
    }),
  );
  assert.equal(dropped, 29 + 6007);
  assert.equal(stored, dropped);
  assert.match(
    told,
    /losslog: not all could be stored: the rest stays in the kernel \(.*\) for the next losslog record/,
  );
});

test('ended on a full disk with nothing pinned: it is said how much is lost', here, async (t) => {
  const disk = smallDisk(t, '24m');
  const storeDir = join(disk, 'store');
  const { dropped, told, stored } = await seen(() =>
    withHosts(async (hosts) => {
      rmSync(storeDir, { recursive: true, force: true });
      await using recorder = await Recorder.start({ hosts: [hosts.server], storeDir, args: ['--pin', 'none'] });
      await sleep(COMMITTED_MS);
      const makeRoom = fill(disk);
      await blast(hosts, 6007);
      await sleep(COMMITTED_MS);
      await recorder.stop();
      makeRoom();
      const told = /(\d+) events could not be stored and are lost: database or disk is full$/m.exec(
        recorder.process.stderr,
      );
      return { dropped: hosts.rule.packets(), told: Number(told?.[1]), stored: firewalled(recorder).length };
    }),
  );
  assert.equal(dropped, 6007);
  // Besides, what is freed in a namespace now and then.
  assert.ok(
    told >= dropped - stored && told < dropped - stored + 50,
    `${told} told and ${stored} stored of ${dropped}`,
  );
});

test('a store that is removed under way: what it held is told as lost, the rest goes on', here, async (t) => {
  const storeDir = join(smallDisk(t, '24m'), 'store');
  const { dropped, stored, lost } = await withFault({
    storeDir,
    counts: [211, 307, 53],
    begin: () => rmSync(storeDir, { recursive: true }),
    end: () => assert.ok(existsSync(storeDir), 'it is made anew'),
  });
  assert.equal(dropped, 211 + 307 + 53);
  assert.equal(stored, 307 + 53);
  assert.equal(lost.length, 1);
  assert.match(lost[0]?.why ?? '', /was removed by another program while it was written$/);
  assert.ok((lost[0]?.count ?? 0) >= 211);
});

test('a disk with I/O errors', here, async (t) => {
  const disk = smallDisk(t, '16m');
  const [image, dir] = [join(disk, 'image'), join(disk, 'mounted')];
  run('truncate', '--size', '64M', image);
  const made = spawnSync('mkfs.ext4', ['-q', '-O', '^has_journal', image], { encoding: 'utf8' });
  if (made.status !== 0) return t.skip(`no ext4 here: ${made.error?.message ?? made.stderr}`);
  mkdirSync(dir);
  const mounted = spawnSync('mount', ['-o', 'loop,errors=continue', image, dir], { encoding: 'utf8' });
  if (mounted.status !== 0) return t.skip(`no loop device here: ${mounted.stderr}`);
  let makeRoom = (): void => assert.fail('it never failed');
  // The image is sparse: when the disk under it is full, its blocks cannot be written, which the file system sees as EIO.
  const { dropped, stored, lost } = await withFault({
    storeDir: join(dir, 'store'),
    counts: [101, 6007, 53],
    begin: () => {
      makeRoom = fill(disk);
    },
    end: () => makeRoom(),
  }).finally(() => run('umount', dir));
  const told = lost.reduce((sum, { count = 0 }) => sum + count, 0);
  assert.ok(stored + told >= dropped, `${stored} stored and ${told} told as lost of ${dropped}`);
  assert.ok(stored <= dropped);
});

test('stopped for three seconds (SIGSTOP): nothing is lost', here, async () => {
  const { dropped, stored, lost } = await withFault({
    counts: [101, 11_003, 53],
    begin: ({ process }) => process.signal('SIGSTOP'),
    end: ({ process }) => process.signal('SIGCONT'),
  });
  assert.equal(dropped, 101 + 11_003 + 53);
  assert.equal(stored, dropped);
  assert.deepEqual(lost, []);
});

const limitFiles = (pid: number, files: number): string => run('prlimit', '--pid', String(pid), `--nofile=${files}:`);

test('out of file descriptors for a while', here, async () => {
  const { dropped, stored, lost } = await withFault({
    counts: [101, 5003, 53],
    // Below all that is open: with as many as are open, a number that is free between them could still be had.
    begin: ({ process: { pid } }) => limitFiles(pid, 3),
    end: ({ process: { pid } }) => limitFiles(pid, 1024),
  });
  assert.equal(dropped, 101 + 5003 + 53);
  assert.equal(stored, dropped);
  assert.deepEqual(lost, []);
});

for (const args of [[], ['--listen', '127.0.0.1:0']]) {
  test(`ended (Ctrl-C) while it is out of file descriptors${args.map((arg) => ` ${arg}`).join('')}`, here, async () => {
    const { dropped, stored, lost } = await seen(() =>
      withHosts(async (hosts) => {
        await using first = await Recorder.start({ hosts: [hosts.server], args });
        const before = hosts.rule.packets();
        await blast(hosts, 29);
        await sleep(COMMITTED_MS);
        limitFiles(first.process.pid, 3);
        await blast(hosts, 1009);
        await assert.rejects(first.stop(), /ended with 1: [\s\S]*cannot be removed: EMFILE: too many open files/);
        first.leave();
        await using second = await Recorder.start({ hosts: [hosts.server], storeDir: first.storeDir });
        await second.stop();
        const lost = second.gaps().filter(({ state }) => state === 'lost');
        return { dropped: hosts.rule.packets() - before, stored: firewalled(second).length, lost };
      }),
    );
    assert.equal(dropped, 29 + 1009);
    assert.equal(stored, dropped);
    assert.deepEqual(lost, []);
  });
}

test('a storm in a control group of 150 MB', requires('root', 'btf', 'cgroup1'), async (t) => {
  const memory = '/sys/fs/cgroup/memory';
  if (!existsSync(memory)) return t.skip('no cgroup v1 hierarchy of memory');
  const group = join(memory, `losslog-test-${process.pid}`);
  mkdirSync(group);
  t.after(() => spawnSync('rmdir', [group]));
  writeFileSync(join(group, 'memory.limit_in_bytes'), String(150e6));
  const { dropped, stored } = await seen(() =>
    withHosts(async (hosts) => {
      const prefix = ['sh', '-c', 'echo $$ > "$0" && exec "$@"', join(group, 'cgroup.procs')];
      await using recorder = await Recorder.start({ hosts: [hosts.server], prefix, limited: true });
      const first = hosts.rule.packets();
      await blast(hosts, 300_007);
      await sleep(QUIET_MS);
      await recorder.stop();
      return { dropped: hosts.rule.packets() - first, stored: firewalled(recorder).length + summarized(recorder) };
    }),
  );
  assert.equal(dropped, 300_007);
  assert.equal(stored, dropped);
  const failures = readFileSync(join(group, 'memory.oom_control'), 'utf8');
  assert.match(failures, /oom_kill 0/);
});

/** Processes each of which sends one packet, which the firewall of its host drops. */
async function shortLived(count: number, rate: number) {
  return await seen(async () => {
    await using lab = Lab.create();
    const { client, server } = lab.twoHosts({ ipv6: false });
    client.dropMatching({ chain: 'OUTPUT', protocol: 'tcp', dport: PORT });
    await using recorder = await Recorder.start({ hosts: [client] });
    const forks = client.spawn([compiled('forks'), server.ip4, ...[PORT, count, rate].map(String)]);
    const { ms, pids, sports } = await forks.answer<{ ms: number; pids: number[]; sports: number[] }>(60_000);
    await sleep(QUIET_MS);
    const peak = peakMib(recorder.process.pid);
    await recorder.stop();
    const events = recorder.eventsOf('drop', '--port', String(PORT));
    const sent = pids.map((pid, i) => `${sports[i]} of ${pid} the-brief syscall`);
    const told = events.map(({ sport, pid, process, ownerHow }) => `${sport} of ${pid} ${process} ${ownerHow}`);
    return { ms, sent: sent.sort(), told: told.sort(), gaps: recorder.gaps(), peak };
  });
}

test('short-lived processes as fast as they can be made: each packet has its own', here, async () => {
  const { ms, sent, told, gaps, peak } = await shortLived(2003, 0);
  assert.deepEqual(told, sent);
  assert.deepEqual(gaps, []);
  assert.ok(peak < 160, `${peak} MiB`);
  assert.ok(ms < 20_000, `2003 processes in ${ms} ms`);
});

test('a thousand short-lived processes a second for ten seconds: each packet has its own', here, async (t) => {
  const { ms, sent, told, gaps, peak } = await shortLived(10_007, 1000);
  assert.deepEqual(told, sent);
  assert.deepEqual(gaps, []);
  assert.ok(peak < 160, `${peak} MiB`);
  t.diagnostic(`${Math.round(sent.length / (ms / 1000))} processes a second`);
});

test('100,000 open sockets: owners are found, within bounds of time and memory', here, async () => {
  const count = 100_000;
  const { owners, opened, peak, took } = await seen(async () => {
    await using lab = Lab.create();
    const { client, server } = lab.twoHosts({ ipv6: false });
    client.dropMatching({ chain: 'OUTPUT', protocol: 'udp', dport: PORT });
    let opened = 0;
    for (let i = 0; i < 10; i++) {
      const holder = client.spawn([compiled('sockets'), String(count / 10)]);
      opened += (await holder.answer<{ count: number }>(60_000)).count;
    }
    await using recorder = await Recorder.start({ hosts: [client] });
    const begin = cpuMs(recorder.process.pid);
    const sender = client.spawn([
      process.execPath,
      '-e',
      `process.title = 'the-sender'; const s = require('dgram').createSocket('udp4');
       let n = 0; const t = setInterval(() => { s.send('x', ${PORT}, '${server.ip4}', () => {}); if (++n === 41) { clearInterval(t); console.log(process.pid); } }, 50);`,
    ]);
    const pid = Number(await sender.line());
    await sleep(QUIET_MS);
    const [peak, took] = [peakMib(recorder.process.pid), cpuMs(recorder.process.pid) - begin];
    await recorder.stop();
    const owners = recorder.eventsOf('drop', '--port', String(PORT)).map((event) => event.pid === pid);
    return { owners, opened, peak, took };
  });
  assert.equal(opened, count);
  assert.deepEqual(owners, Array(41).fill(true));
  assert.ok(peak < 250, `${peak} MiB`);
  assert.ok(took < 3000, `${took} ms of CPU in two seconds`);
});

test('control groups with hostile names', requires('root', 'btf'), async () => {
  for (const name of ['docker-\u001b[31m"\'$(reboot);.scope', '\u202e\\x0a%s%n', 'ä'.repeat(60)]) {
    const { groups, text, path } = await seen(async () => {
      await using lab = Lab.create();
      const { client, server } = lab.twoHosts({ ipv6: false });
      client.dropMatching({ chain: 'OUTPUT', protocol: 'tcp', dport: PORT });
      const cgroup = lab.cgroup(name);
      await using recorder = await Recorder.start({ hosts: [client] });
      await client.spawn([compiled('forks'), server.ip4, String(PORT), '3'], { cgroup }).answer();
      await sleep(QUIET_MS);
      await recorder.stop();
      const events = recorder.eventsOf('drop', '--port', String(PORT));
      const text = spawnSync(LOSSLOG, ['show', '--all', '--store', recorder.storeDir], { encoding: 'utf8' }).stdout;
      return { groups: events.map((event) => event.cgroup), text, path: cgroup.path };
    });
    assert.deepEqual(groups, [path, path, path]);
    for (const harm of ['\u001b[31m', '\u202e']) assert.ok(!text.includes(harm), 'the terminal is not told what to do');
  }
});
