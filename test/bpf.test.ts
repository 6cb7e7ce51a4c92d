/** The typed face of libbpf and the rings on the real kernel: exact under overload, safe when misused. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { DropRule } from '../lab/drop-rule.ts';
import type { Host } from '../lab/host.ts';
import { Lab } from '../lab/lab.ts';
import { netnsInode } from '../lab/netns.ts';
import { blastUdp } from '../lab/traffic.ts';
import { LosslogError } from '../src/base/errors.ts';
import type { BootNs } from '../src/base/time.ts';
import type { BpfMap } from '../src/bpf/map.ts';
import { BpfObject } from '../src/bpf/object.ts';
import { objectPath } from '../src/bpf/object-path.ts';
import type { RingBuffer } from '../src/bpf/ring.ts';
import { BpfCapture } from '../src/capture/bpf-capture.ts';
import { kernelFacts, PROBES, programsOf } from '../src/capture/kernel-facts.ts';
import { LossCounters } from '../src/capture/loss-counters.ts';
import { WallClock } from '../src/linux/clock.ts';
import { readKernelBtf } from '../src/linux/kernel-btf.ts';
import type { Decoded } from '../src/wire/head.ts';
import { dropRecord, recordHead, rodata } from '../src/wire/layout.ts';
import { requires } from './helpers/requires.ts';
import { seen } from './helpers/seen.ts';

const here = requires('root', 'btf');
const PORT = 9999;
/** Holds 372 drops: a record of 168 bytes has a header of 8, and the last one may not fill up the ring. */
const RING_BYTES = 64 * 1024;
/** Longer than the kernel waits (for RCU) before it frees what lies in a closed socket. */
const QUIET_MS = 200;
const CAPACITY = Math.floor((RING_BYTES - 1) / (dropRecord.size + 8));

const isCode = (code: string) => (error: unknown) => error instanceof LosslogError && error.code === code;

/** The drops of one namespace in a ring that is far too small, and the counters of what did not fit. */
class SmallRing {
  readonly object: BpfObject;
  readonly ring: RingBuffer;
  readonly losses: LossCounters;
  /** Records that were drained. */
  records = 0;

  constructor(netns: number) {
    const probe = PROBES.find(({ drops }) => drops) ?? assert.fail();
    const facts = kernelFacts(readKernelBtf());
    const { first, rescue } = programsOf(probe);
    this.object = BpfObject.load(objectPath(), {
      programs: [first, rescue],
      maxEntries: { drop_ring: RING_BYTES },
      configure: (view) => {
        view.setUint32(rodata.netnsCount, 1, true);
        view.setUint32(rodata.netnsFirst, netns, true);
        view.setUint8(rodata.kfreeSkbHasReason, Number(facts.dropHasReason));
        view.setUint8(rodata.kfreeSkbHasRxSk, Number(facts.dropHasRxSk));
      },
    });
    this.ring = this.object.map('drop_ring').ring();
    this.losses = new LossCounters(this.object, [probe]);
    this.object.attach(first);
    this.object.attach(rescue);
    this.losses.begin();
  }

  /** Every record is looked at: also one that crosses the end of the ring must be whole. */
  drain(): number {
    const records = this.ring.drain((bytes, offset, length) => {
      assert.equal(length, dropRecord.size);
      assert.equal(bytes.readUInt16LE(offset + recordHead.flowDport), PORT);
      assert.equal(bytes.readUInt32LE(offset + dropRecord.length), 20 + 8 + 100);
    });
    this.ring.release(this.ring.position);
    this.records += records;
    return records;
  }

  /** Those that found no room: they are counted. */
  get lost(): number {
    return this.losses.noRoom();
  }

  close(): void {
    this.ring.close();
    this.losses.close();
    this.object.close();
  }
}

/** Runs `use` with a rule that drops what `client` sends to PORT, and a small ring that records it. */
async function withSmallRing(use: (small: SmallRing, server: Host, client: Host, rule: DropRule) => Promise<void>) {
  await using lab = Lab.create();
  const { client, server } = lab.twoHosts({ ipv6: false });
  const rule = server.dropMatching({ protocol: 'udp', dport: PORT });
  await sleep(QUIET_MS);
  const small = new SmallRing(netnsInode(server.name));
  try {
    await use(small, server, client, rule);
  } finally {
    small.close();
  }
}

interface Counted {
  /** What the firewall dropped. */
  packets: number;
  records: number;
  lost: number;
}

/** Counts during `act`, and nothing of what the counting itself does: the kernel frees the messages of iptables somewhat later. */
async function counted(small: SmallRing, rule: DropRule, act: () => Promise<void>): Promise<Counted> {
  const packetsBefore = rule.packets();
  do await sleep(QUIET_MS);
  while (small.ring.drain(() => {}) > 0);
  small.ring.release(small.ring.position);
  const { records, lost } = small;
  await act();
  small.drain();
  const difference = { records: small.records - records, lost: small.lost - lost };
  return { ...difference, packets: rule.packets() - packetsBefore };
}

test('a ring that nobody drains holds what fits; the rest is counted exactly', here, () =>
  withSmallRing(async (small, server, client, rule) => {
    const blast = async (): Promise<void> =>
      void (await blastUdp(client, { host: server.ip4, port: PORT, count: 5003 }));
    const { packets, records, lost } = await seen(() => counted(small, rule, blast));
    assert.deepEqual({ packets, records, lost }, { packets: 5003, records: CAPACITY, lost: 5003 - CAPACITY });
  }),
);

test('drained in a storm: each drain ends, and records + lost = what the firewall dropped', here, () =>
  withSmallRing(async (small, server, client, rule) => {
    let longest = 0;
    const blastAndDrain = async (): Promise<void> => {
      let isOver = false;
      const blast = blastUdp(client, { host: server.ip4, port: PORT, count: 100_003 }).finally(() => {
        isOver = true;
      });
      while (!isOver) {
        longest = Math.max(longest, small.drain());
        await sleep(1);
      }
      await blast;
    };
    const { packets, records, lost } = await seen(() => counted(small, rule, blastAndDrain));
    assert.equal(packets, 100_003);
    assert.equal(records + lost, 100_003);
    assert.ok(lost > 0 && records > CAPACITY, `${records} records, ${lost} lost`);
    assert.ok(longest <= CAPACITY, `one drain gave ${longest} records`);
    assert.equal(small.losses.read().get('events missed: the kernel skipped both programs of a probe'), 0);
  }),
);

test('an object, its maps and its ring after close', here, async () => {
  const drained = await seen(async () => {
    let records = 0;
    await withSmallRing(async (small, server, client) => {
      await blastUdp(client, { host: server.ip4, port: PORT, count: 7 });
      small.object.detach();
      small.object.detach();
      const map = small.object.map('netns_filter');
      small.object.close();
      small.object.close();
      records = small.drain();
      assertClosed(small, map);
    });
    return records;
  });
  assert.equal(drained, 7, 'the mapping outlives the map: what was recorded is still there');
});

function assertClosed(small: SmallRing, map: BpfMap): void {
  small.ring.close();
  small.ring.close();
  assert.equal(small.drain(), 0);
  small.losses.close();
  small.losses.close();
  const calls = [
    () => small.object.attach('on_kfree_skb'),
    () => small.object.map('owners'),
    () => small.object.programFd('on_kfree_skb'),
    () => small.object.iterate('list_sockets'),
  ];
  for (const call of calls) assert.throws(call, isCode('INTERNAL'));
  assert.throws(() => map.update(new Uint8Array(4), new Uint8Array(1)), isCode('BPF'));
  assert.equal(map.lookup(new Uint8Array(4), new Uint8Array(1)), false);
  small.object.detach();
}

test('names that the object does not have', here, () =>
  withSmallRing(async (small) => {
    assert.throws(() => small.object.map('no_such_map'), /the BPF object has no map no_such_map/);
    assert.throws(() => small.object.attach('no_such_program'), /the BPF object has no program no_such_program/);
  }),
);

test('a file that is no BPF object', here, () => {
  const load = () => BpfObject.load(import.meta.filename, { programs: [], configure: () => {} });
  assert.throws(
    load,
    (error) => isCode('BPF')(error) && /^cannot open the BPF object: /.test(String((error as Error).message)),
  );
});

for (const canPoll of [true, false]) {
  const how = canPoll ? 'woken by the ring' : 'by the timer';
  test(`a capture (${how}) that is stopped and closed twice, and drained in between`, here, async () => {
    const { ports, later, errors } = await seen(() => captureAndMisuse(canPoll));
    assert.deepEqual(ports, Array(13).fill(PORT));
    assert.equal(later, 13, 'nothing comes after the end');
    assert.deepEqual(errors, []);
  });
}

async function captureAndMisuse(canPoll: boolean): Promise<{ ports: unknown[]; later: number; errors: string[] }> {
  await using lab = Lab.create();
  const { client, server } = lab.twoHosts({ ipv6: false });
  server.dropMatching({ protocol: 'udp', dport: PORT });
  await sleep(QUIET_MS);
  const clock = new WallClock();
  const toWall = (time: BootNs) => clock.toWall(time);
  const capture = BpfCapture.open({ netns: [netnsInode(server.name)], drops: true, toWall });
  const errors: string[] = [];
  const seenPorts: unknown[] = [];
  const onEvents = (batch: Decoded[]) => seenPorts.push(...batch.map(({ event }) => event.dport));
  capture.start({ onEvents, onError: (message) => errors.push(message) }, canPoll);
  await blastUdp(client, { host: server.ip4, port: PORT, count: 13 });
  await sleep(100);
  const ports = [...seenPorts];
  capture.stop();
  capture.stop();
  assert.equal(capture.drain(), 0);
  capture.close();
  capture.close();
  assert.equal(capture.drain(), 0);
  capture.stop();
  await blastUdp(client, { host: server.ip4, port: PORT, count: 5 });
  await sleep(50);
  return { ports, later: seenPorts.length, errors };
}
