/** kill -9, crashes, other configurations and leaving on purpose: what the kernel recorded alone is stored later, once each. */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { LOSSLOG, Recorder } from '../lab/recorder.ts';
import { holdConnection, startSink } from '../lab/traffic.ts';
import type { Ledger } from '../src/capture/pin-ledger.ts';
import { findPinDirectory } from '../src/capture/pin-place.ts';
import { PinSet } from '../src/capture/pin-set.ts';
import { dropRecord } from '../src/wire/layout.ts';
import { blast, coverage, firewalled, QUIET_MS, summarized, withHosts } from './helpers/firewalled.ts';
import { requires } from './helpers/requires.ts';
import { seen } from './helpers/seen.ts';

const here = requires('root', 'btf');
/** Records of drops, each with a header of 8 bytes (bpf/maps.h, drop_ring). */
const DROPS_IN_RING = Math.floor((4 * 1024 * 1024) / (8 + dropRecord.size));
/** Longer than a recorder waits before it commits. */
const COMMITTED_MS = 900;

function temporaryDirectory(t: TestContext): string {
  const dir = mkdtempSync(join(tmpdir(), 'losslog-survival-'));
  t.after(() => {
    losslog('stop', '--discard', '--store', dir);
    rmSync(dir, { recursive: true, force: true });
  });
  return dir;
}

/** Of a recorder that has a network namespace of its own to record, in which nothing happens. */
const IDLE = { prefix: ['unshare', '--net'], args: ['--netns', '/proc/self/ns/net'] };

const losslog = (...args: string[]) => spawnSync(LOSSLOG, args, { encoding: 'utf8', timeout: 60_000 });

const KILLED = 'the kernel recorded alone (the recorder was killed or crashed); drained later';
const DETACHED = 'the kernel recorded alone (the recorder had left it so); drained later';

test(
  'survival: what happens between a kill -9 and the next recorder is stored, with its owner, and told',
  here,
  async (t) => {
    const { before, after, told, owners, trust } = await seen(() =>
      withHosts(async (hosts) => {
        const { client, server } = hosts;
        const storeDir = temporaryDirectory(t);
        const sink = await startSink(server);
        await using first = await Recorder.start({ hosts: [server, client], storeDir });
        const holder = await holdConnection(client, { host: server.ip4, port: sink.port });
        await blast(hosts, 7);
        await sleep(COMMITTED_MS);
        await first.crash();
        const before = firewalled(first).length;
        await blast(hosts, 11);
        const wall = server.dropMatching({ protocol: 'tcp', dport: sink.port });
        await holder.tell('send 100');
        await sleep(600);
        holder.process.kill();
        await sleep(QUIET_MS);
        wall.remove();
        await using second = await Recorder.start({ hosts: [server, client], storeDir });
        await second.stop();
        const resent = second.eventsOf('retransmit');
        return {
          before,
          after: firewalled(second).length,
          told: coverage(second).map(({ state, why }) => ({ state, why })),
          owners: new Set(resent.map(({ pid, ownerHow }) => `${pid === holder.process.pid} ${ownerHow}`)),
          trust: losslog('coverage', '--store', storeDir).stderr,
        };
      }),
    );
    assert.deepEqual([before, after], [7, 18]);
    assert.deepEqual(told, [{ state: 'recording', why: KILLED }]);
    assert.deepEqual(owners, new Set(['true connect']), 'also of a process that was gone by then');
    assert.match(trust, /the recorder was running all that time/);
  },
);

test('survival: killed again and again at any moment, nothing is lost and nothing is there twice', here, async (t) => {
  const { stored, dropped, lost, stamps } = await seen(() =>
    withHosts(async (hosts) => {
      const storeDir = temporaryDirectory(t);
      let isOver = false;
      const before = hosts.rule.packets();
      const flow = async (): Promise<void> => {
        while (!isOver) await blast(hosts, 1009, 3000);
      };
      const flowing: Promise<void>[] = [];
      for (let round = 0; round < 8; round++) {
        await using recorder = await Recorder.start({ hosts: [hosts.server], storeDir });
        if (round === 0) flowing.push(flow());
        // From just after the start to well into a steady rhythm of commits, at odds with it.
        await sleep((round * 137) % 1100);
        await recorder.crash();
        recorder.leave();
      }
      await using last = await Recorder.start({ hosts: [hosts.server], storeDir });
      await sleep(300);
      isOver = true;
      await Promise.all(flowing);
      await sleep(QUIET_MS);
      await last.stop();
      const events = firewalled(last);
      return {
        stored: events.length,
        dropped: hosts.rule.packets() - before,
        lost: coverage(last).filter(({ state }) => state === 'lost'),
        stamps: new Set(events.map(({ time, sport }) => `${time} ${sport}`)).size,
      };
    }),
  );
  assert.deepEqual(lost, []);
  assert.equal(stored, dropped);
  assert.equal(stamps, stored, 'no event is there twice');
  assert.ok(dropped > 8 * 500, `${dropped} packets dropped`);
});

test('survival: what overflows the rings while the kernel is alone is counted there, exactly', here, async (t) => {
  const { single, summed, dropped } = await seen(() =>
    withHosts(async (hosts) => {
      const storeDir = temporaryDirectory(t);
      await using first = await Recorder.start({ hosts: [hosts.server], storeDir });
      await first.crash();
      const before = hosts.rule.packets();
      await blast(hosts, 60_013);
      await sleep(QUIET_MS);
      const dropped = hosts.rule.packets() - before;
      await using second = await Recorder.start({ hosts: [hosts.server], storeDir });
      await second.stop();
      return { dropped, single: firewalled(second).length, summed: summarized(second) };
    }),
  );
  assert.equal(dropped, 60_013);
  assert.equal(single + summed, dropped);
  assert.ok(single > 0.85 * DROPS_IN_RING && single <= DROPS_IN_RING, `${single} single`);
});

test(
  'survival: killed again and again in a storm, single events and counts are what the firewall dropped',
  here,
  async (t) => {
    const { single, summed, dropped } = await seen(() =>
      withHosts(async (hosts) => {
        const storeDir = temporaryDirectory(t);
        let isOver = false;
        const before = hosts.rule.packets();
        const flow = async (): Promise<void> => {
          while (!isOver) await blast(hosts, 5003, 20_000);
        };
        const flowing: Promise<void>[] = [];
        const options = { hosts: [hosts.server], args: ['--limit-drops', '50/100'], limited: true, storeDir };
        for (let round = 0; round < 7; round++) {
          await using recorder = await Recorder.start(options);
          if (round === 0) flowing.push(flow());
          await sleep(700 + ((round * 211) % 1500));
          await recorder.crash();
          recorder.leave();
        }
        await using last = await Recorder.start(options);
        await sleep(300);
        isOver = true;
        await Promise.all(flowing);
        await sleep(QUIET_MS);
        await last.stop();
        return { dropped: hosts.rule.packets() - before, single: firewalled(last).length, summed: summarized(last) };
      }),
    );
    assert.equal(single + summed, dropped);
    assert.ok(single > 100 && summed > 10 * single, `${single} single, ${summed} counted`);
  },
);

test('survival: an end in order leaves nothing in the kernel', here, async (t) => {
  const storeDir = temporaryDirectory(t);
  await using recorder = await Recorder.start({ ...IDLE, storeDir });
  const pins = findPinDirectory(storeDir) ?? assert.fail('nothing is pinned');
  assert.equal(readdirSync(pins).filter((file) => file.startsWith('link_')).length, 12);
  await recorder.stop();
  assert.equal(existsSync(pins), false);
});

test(
  'survival: another filter: what the former programs recorded is stored, then they are replaced',
  here,
  async (t) => {
    const { counts, told } = await seen(() =>
      withHosts(async (hosts) => {
        const storeDir = temporaryDirectory(t);
        await using first = await Recorder.start({ hosts: [hosts.server], storeDir });
        await first.crash();
        await blast(hosts, 13);
        await sleep(QUIET_MS);
        await using second = await Recorder.start({ hosts: [hosts.server], args: ['--no-drops'], storeDir });
        await blast(hosts, 5);
        await sleep(QUIET_MS);
        const links = readdirSync(findPinDirectory(storeDir) ?? '').filter((file) => file.startsWith('link_'));
        await second.stop();
        return { counts: [firewalled(second).length, links.length], told: coverage(second) };
      }),
    );
    assert.deepEqual(counts, [13, 10], 'two programs less without drops');
    assert.deepEqual(told[0]?.why, KILLED);
    assert.ok((told[0]?.count ?? 0) >= 13);
  },
);

/** Events that a recorder of another layout left in the kernel, one by one and only counted. */
function leftByAnotherLayout(t: TestContext, change: (ledger: Ledger) => Partial<Ledger>) {
  return seen(() =>
    withHosts(async (hosts) => {
      const storeDir = temporaryDirectory(t);
      await using first = await Recorder.start({ hosts: [hosts.server], storeDir });
      await sleep(COMMITTED_MS);
      await first.crash();
      // Asking the firewall frees packets of its own (netlink): not before the end.
      await blast(hosts, 40_009);
      await sleep(QUIET_MS);
      const pins = PinSet.open(storeDir);
      const ledger = pins.readLedger() ?? assert.fail('no ledger');
      pins.writeLedger({ ...ledger, layout: 'another', losslogVersion: '9.9.9', ...change(ledger) });
      pins.close();
      await using second = await Recorder.start({ hosts: [hosts.server], storeDir });
      await blast(hosts, 3);
      await sleep(COMMITTED_MS);
      await second.stop();
      const left = hosts.rule.packets() - 3;
      const [{ state = '', count = 0, why = '' } = {}, ...rest] = coverage(second);
      return {
        left,
        state,
        count,
        why,
        rest,
        stored: firewalled(second).length,
        answer: losslog('show', '--store', storeDir),
      };
    }),
  );
}

test('survival: what programs of another layout hold is set aside with its count, exactly', here, async (t) => {
  const { left, state, count, why, rest, stored, answer } = await leftByAnotherLayout(t, () => ({}));
  assert.deepEqual(rest, []);
  assert.equal(stored, 3);
  assert.equal(state, 'lost');
  // Besides, what the namespace itself frees now and then.
  assert.ok(count >= left && count < left + 10, `${count} of ${left}`);
  assert.equal(why, 'what losslog 9.9.9 left in the kernel cannot be read by this release');
  assert.match(answer.stderr, new RegExp(`, ${count} events lost`));
});

test('survival: a ledger that does not say where is counted: the records are, and that is said', here, async (t) => {
  const { left, count, why } = await leftByAnotherLayout(
    t,
    () => ({ counts: undefined }) as unknown as Partial<Ledger>,
  );
  assert.ok(count > 0.85 * DROPS_IN_RING && count <= DROPS_IN_RING, `${count} of ${left}`);
  assert.match(why, /; how many events were only counted is not known$/);
});

test(
  'survival: record --detach leaves the kernel recording; stop stores that and removes everything',
  here,
  async (t) => {
    const { stopped, count, told, detached, again } = await seen(() =>
      withHosts(async (hosts) => {
        const storeDir = temporaryDirectory(t);
        const detached = losslog('record', '--detach', '--store', storeDir, '--netns', hosts.server.name);
        await blast(hosts, 19);
        await sleep(QUIET_MS);
        const stopped = losslog('stop', '--json', '--store', storeDir);
        const again = losslog('stop', '--store', storeDir);
        await using recorder = await Recorder.start({ hosts: [hosts.server], storeDir });
        await recorder.stop();
        return { stopped, count: firewalled(recorder).length, told: coverage(recorder), detached, again };
      }),
    );
    assert.equal(detached.status, 0, detached.stderr);
    assert.match(
      detached.stderr,
      /the kernel records on without a process .*: it holds \d+ retransmissions and resets, and \d+ drops/,
    );
    assert.equal(stopped.status, 0, stopped.stderr);
    const { pinned, stored, ...removed } = JSON.parse(stopped.stdout) as Record<string, unknown>;
    assert.equal(existsSync(String(pinned)), false);
    assert.equal(count, 19);
    assert.ok(Number(stored) >= 19);
    assert.equal(removed.links, 12);
    assert.equal(removed.discarded, 0);
    assert.deepEqual(
      told.map(({ why }) => why),
      [DETACHED],
    );
    assert.deepEqual([again.status, again.stdout], [0, '']);
    assert.match(again.stderr, /^losslog: nothing of losslog is at work in the kernel for /);
  },
);

test(
  'survival: one recorder for one pin path; different stores go side by side; the pins of others are not touched',
  here,
  async (t) => {
    await withHosts(async (hosts) => {
      const [one, two] = [temporaryDirectory(t), temporaryDirectory(t)];
      await using first = await Recorder.start({ hosts: [hosts.server], storeDir: one });
      const pins = findPinDirectory(one) ?? assert.fail('nothing is pinned');
      const second = losslog('record', '--for', '1s', '--store', two, '--pin', pins);
      assert.equal(second.status, 1);
      assert.match(
        second.stderr,
        new RegExp(`${basename(pins)} is in use by process ${first.process.pid}\n {2}hint: `),
      );
      const stop = losslog('stop', '--store', one);
      assert.equal(stop.status, 1);
      assert.match(stop.stderr, new RegExp(`is in use by process ${first.process.pid}`));

      await using other = await Recorder.start({ hosts: [hosts.server], args: ['--no-drops'], storeDir: two });
      const foreign = join(pins, '..', '..', `not-ours-${process.pid}`);
      mkdirSync(join(foreign, 'map_x'), { recursive: true });
      t.after(() => rmSync(foreign, { recursive: true, force: true }));
      const refused = losslog(
        'record',
        '--for',
        '1s',
        '--netns',
        hosts.server.name,
        '--store',
        temporaryDirectory(t),
        '--pin',
        foreign,
      );
      assert.equal(refused.status, 2);
      assert.match(refused.stderr, /holds what losslog did not pin\n {2}hint: /);
      assert.equal(losslog('stop', '--pin', foreign).status, 2);
      assert.deepEqual(readdirSync(foreign), ['map_x']);
      const link = join(two, 'link');
      symlinkSync(one, link);
      const third = losslog('record', '--for', '1s', '--store', link, '--netns', hosts.server.name);
      assert.equal(third.status, 1);
      assert.match(third.stderr, new RegExp(`is being written by process ${first.process.pid}\\n {2}hint: `));

      await first.stop();
      await other.crash();
      assert.equal(losslog('stop', '--store', two).status, 0);
      assert.deepEqual(readdirSync(foreign), ['map_x'], 'neither an end in order nor stop touches it');
    });
  },
);

test(
  'survival: a recorder in another mount namespace, with a bpffs of its own at the same place, ends: pins stay',
  here,
  async (t) => {
    const [storeDir, other] = [temporaryDirectory(t), temporaryDirectory(t)];
    await using recorder = await Recorder.start({ ...IDLE, storeDir });
    const pins = findPinDirectory(storeDir) ?? assert.fail('nothing is pinned');
    const before = readdirSync(pins);
    const script = 'for at in /sys/fs/bpf /run/losslog/bpf; do ! mountpoint -q $at || umount $at; done; exec "$@"';
    const inside = ['--mount', '--net', 'bash', '-c', script, 'bash', LOSSLOG, 'record', '--for', '100ms'];
    const { status, stderr } = spawnSync('unshare', [...inside, ...IDLE.args, '--store', other], { encoding: 'utf8' });
    assert.equal(status, 0, stderr);
    assert.doesNotMatch(stderr, /ends with this process/);
    assert.deepEqual(readdirSync(pins), before);
    await recorder.stop();
  },
);

test('survival: doctor lists what is left at work, and whether a recorder has it', here, async (t) => {
  const storeDir = temporaryDirectory(t);
  await using recorder = await Recorder.start({ ...IDLE, storeDir });
  const line = (): string => {
    const { stdout } = losslog('doctor', '--json', '--store', storeDir);
    const checks = stdout
      .trim()
      .split('\n')
      .map((text) => JSON.parse(text) as { name: string; detail: string });
    return checks
      .filter(({ name, detail }) => name === 'pins' && detail.includes(storeDir))
      .map(({ detail }) => detail)
      .join();
  };
  assert.match(line(), new RegExp(`of process ${recorder.process.pid}, for ${storeDir}$`));
  await recorder.crash();
  assert.match(line(), /^.* is at work without a recorder since .*$/);
  assert.equal(losslog('stop', '--store', storeDir).status, 0);
  assert.equal(line(), '');
});
