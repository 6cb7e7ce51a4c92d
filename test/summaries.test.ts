/** The counting of the kernel side by itself, with maps that are far too small. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Host } from '../lab/host.ts';
import { Lab } from '../lab/lab.ts';
import { blastUdp, holdConnection, injectFrames, startSink } from '../lab/traffic.ts';
import { BpfObject } from '../src/bpf/object.ts';
import { objectPath } from '../src/bpf/object-path.ts';
import type { RingBuffer } from '../src/bpf/ring.ts';
import { configure } from '../src/capture/kernel-constants.ts';
import { programNames } from '../src/capture/kernel-objects.ts';
import { KernelView } from '../src/capture/kernel-view.ts';
import { type Limits, NO_LIMITS } from '../src/capture/limits.ts';
import { Summaries } from '../src/capture/summaries.ts';
import type { PacketEvent, SummaryEvent } from '../src/event/kinds.ts';
import { sampleClocks, WallClock } from '../src/linux/clock.ts';
import { decodeRecord } from '../src/wire/decode.ts';
import type { Decoding } from '../src/wire/head.ts';
import { ethernet, filler, ipv4, UDP, udp } from './helpers/frames.ts';
import { requires } from './helpers/requires.ts';
import { seen } from './helpers/seen.ts';

const here = requires('root', 'btf');
const PORT = 9999;
const CLOSED_PORT = 9997;
/** Longer than the kernel waits (for RCU) before it frees what lies in a closed socket. */
const QUIET_MS = 200;
/** What is still on its way when the traffic program ends has come by then. */
const SETTLE_MS = 200;
/** A machine in software takes ten times as long. */
const STORM = process.env.LOSSLOG_TEST_EMULATED === '1' ? 20_011 : 500_009;
/** One record at once, and one a second. */
const TIGHT: Limits = { drops: { perKey: 0, total: 1 }, connections: { perKey: 0, total: 1 } };

const kernel = new KernelView();

/** What the events of some reasons, or of retransmissions, come to. */
interface Taken {
  summaries: SummaryEvent[];
  /** Recorded one by one. */
  records: PacketEvent[];
}

/** All programs on one host, with maps of these sizes. */
class Counting {
  readonly #object: BpfObject;
  #summaries: Summaries;
  readonly #rings: RingBuffer[];
  readonly #decoding: Decoding;

  constructor(host: Host, maxEntries: Record<string, number>, limits: Limits = TIGHT) {
    const { facts, symbols, reasons } = kernel;
    const programs = programNames(facts.available);
    this.#object = BpfObject.load(objectPath(), {
      programs,
      maxEntries,
      configure: (view) => configure(view, facts, { netns: [host.netns], limits }, symbols, reasons),
    });
    this.#rings = ['connection_ring', 'drop_ring'].map((name) => this.#object.map(name).ring());
    const clock = new WallClock();
    this.#decoding = kernel.decoding(clock.toWall.bind(clock));
    this.#summaries = new Summaries(this.#object, this.#decoding, sampleClocks);
    for (const program of programs) this.#object.attach(program);
  }

  /** What came since the last call. `hold`: it is not stored yet. */
  take({ hold = false } = {}): Taken {
    const records: PacketEvent[] = [];
    for (const ring of this.#rings) {
      ring.drain((bytes, offset, length) => {
        records.push(decodeRecord(bytes, offset, length, this.#decoding).event as PacketEvent);
      }, Number.POSITIVE_INFINITY);
      ring.release(ring.position);
    }
    const summaries = this.#summaries.take().map(({ event }) => event);
    if (!hold) this.#summaries.release(this.#summaries.number);
    return { records, summaries };
  }

  /** As another recorder does that comes after this one was killed. */
  succeed(): void {
    this.#summaries.close();
    this.#summaries = new Summaries(this.#object, this.#decoding, sampleClocks);
  }

  [Symbol.dispose](): void {
    this.#summaries.close();
    for (const ring of this.#rings) ring.close();
    this.#object.close();
  }
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
const sumOf = (events: readonly SummaryEvent[]): number => sum(events.map((event) => event.events));

/** Four sorts of drops at the server: 101 and 107 by its firewall on their way in and out, 103 without a socket, 109 of a wrong checksum. All on one CPU: each has a place for a key beside the maps. */
async function dropsOfFourSorts(client: Host, server: Host): Promise<void> {
  const broken = ipv4({ src: client.ip4, dst: server.ip4, protocol: UDP }, udp(7, 8, filler(20)));
  broken.splice(10, 2, 0, 0);
  await blastUdp(client, { host: server.ip4, port: PORT, count: 101, cpu: 0 });
  await blastUdp(client, { host: server.ip4, port: CLOSED_PORT, count: 103, cpu: 0 });
  await blastUdp(server, { host: client.ip4, port: PORT, count: 107, cpu: 0 });
  await injectFrames(client, [ethernet(client, server.mac, broken)], 109, { cpu: 0 });
}

/** What was counted and recorded of these drops, in maps of these sizes; and how many there were, as the kernel says. */
function counted(summaries: number, totals: number): Promise<Taken & { drops: number }> {
  return seen(async () => {
    await using lab = Lab.create();
    const { client, server } = lab.twoHosts({ ipv6: false });
    const match = { protocol: 'udp', dport: PORT, family: 4 } as const;
    const rules = [server.dropMatching(match), server.dropMatching({ ...match, chain: 'OUTPUT' })];
    await sleep(QUIET_MS);
    using counting = new Counting(server, { summaries, summary_totals: totals });
    const before = server.counters();
    await dropsOfFourSorts(client, server);
    await sleep(SETTLE_MS);
    const taken = counting.take();
    const counters = server.counters().since(before);
    const others = counters.get('Udp.NoPorts') + counters.get('Ip.InHdrErrors');
    return { ...taken, drops: others + rules.reduce((sum, rule) => sum + rule.packets(), 0) };
  });
}

/** Not the messages of sockets of the host's own, which are benign. */
const isLost = (event: PacketEvent | SummaryEvent): boolean => 'class' in event && event.class !== 'benign';

test('room for every key', here, async () => {
  const { summaries, records, drops } = await counted(1024, 1024);
  assert.equal(drops, 101 + 103 + 107 + 109);
  assert.ok(summaries.every(({ lacks }) => lacks === undefined));
  assert.equal(sumOf(summaries.filter(isLost)) + records.filter(isLost).length, drops);
  if (!kernel.facts.dropHasReason) return;
  for (const [reason, expected] of [
    ['NETFILTER_DROP', 101 + 107],
    ['NO_SOCKET', 103],
    ['IP_CSUM', 109],
  ] as const) {
    const single = records.filter((event) => event.kind === 'drop' && event.reason === reason).length;
    assert.equal(sumOf(summaries.filter((event) => event.reason === reason)) + single, expected, reason);
  }
});

for (const [summaryKeys, totalKeys] of [
  [2, 1024],
  [1, 1],
] as const) {
  test(`maps with room for ${summaryKeys} and ${totalKeys} keys: nothing is lost`, here, async () => {
    const { summaries, records, drops } = await counted(summaryKeys, totalKeys);
    assert.equal(sumOf(summaries.filter(isLost)) + records.filter(isLost).length, drops);
    assert.equal(
      summaries.some(({ lacks }) => lacks === 'key'),
      totalKeys === 1,
    );
  });
}

test('connections that have no room are counted together, by cause', here, async () => {
  const { summaries, records, resent } = await seen(async () => {
    await using lab = Lab.create();
    const { client, server } = lab.twoHosts({ ipv6: false });
    const sink = await startSink(server);
    const held = await Promise.all(
      Array.from({ length: 5 }, () => holdConnection(client, { host: server.ip4, port: sink.port })),
    );
    server.dropMatching({ protocol: 'tcp', family: 4 });
    using counting = new Counting(client, { summaries: 1, summary_totals: 1024 });
    const before = client.counters();
    for (const holder of held) await holder.tell('send 100');
    await sleep(2500);
    const resentNow = () => client.counters().since(before).get('Tcp.RetransSegs');
    const taken: Taken = { summaries: [], records: [] };
    let [known, resent] = [-1, resentNow()];
    // until none comes between the counter and the look at it
    for (; known !== resent; resent = resentNow()) {
      known = resent;
      const { summaries, records } = counting.take();
      taken.summaries.push(...summaries.filter((event) => event.of === 'retransmit'));
      taken.records.push(...records.filter((event) => event.kind === 'retransmit'));
    }
    return { ...taken, resent };
  });
  const isBeyond = ({ lacks, src, socketInode }: SummaryEvent) =>
    lacks === 'connection' && src === undefined && socketInode === undefined;
  assert.ok(summaries.some(isBeyond));
  assert.ok(summaries.every(({ cause = '' }) => ['rto', 'tail-loss-probe'].includes(cause)));
  const segments = summaries.reduce((sum, event) => sum + (event.segments ?? 0), 0);
  assert.equal(segments + records.length, resent);
});

test('what was taken but not stored stays, whatever comes after it, and a successor takes it once', here, async () => {
  const { held, packets, inherited, left } = await seen(async () => {
    await using lab = Lab.create();
    const { client, server } = lab.twoHosts({ ipv6: false });
    const rule = server.dropMatching({ protocol: 'udp', dport: PORT, family: 4 });
    await sleep(QUIET_MS);
    using counting = new Counting(server, {});
    const held: number[] = [];
    let records = 0;
    // the third generation finds the places of the first still taken
    for (const count of [51, 53, 59, 61]) {
      await blastUdp(client, { host: server.ip4, port: PORT, count });
      await sleep(SETTLE_MS);
      const taken = counting.take({ hold: true });
      held.push(sumOf(taken.summaries.filter(isLost)));
      records += taken.records.filter(isLost).length;
    }
    counting.succeed();
    const inherited = sumOf(counting.take().summaries.filter(isLost));
    counting.succeed();
    const left = sumOf(counting.take().summaries.filter(isLost));
    return { held, packets: rule.packets() - records, inherited, left };
  });
  assert.equal(held.length, 4);
  assert.equal(sum(held), packets);
  assert.equal(inherited, packets);
  assert.equal(left, 0);
});

test('what finds a ring full is counted', here, async () => {
  const { summaries, records, packets } = await seen(async () => {
    await using lab = Lab.create();
    const { client, server } = lab.twoHosts({ ipv6: false });
    const rule = server.dropMatching({ protocol: 'udp', dport: PORT, family: 4 });
    await sleep(QUIET_MS);
    using counting = new Counting(server, { drop_ring: 64 * 1024 }, NO_LIMITS);
    await blastUdp(client, { host: server.ip4, port: PORT, count: 5003 });
    await sleep(SETTLE_MS);
    return { ...counting.take(), packets: rule.packets() };
  });
  const single = records.filter(isLost).length;
  assert.ok(single > 0 && single < 1000, `${single} records`);
  assert.equal(single + sumOf(summaries.filter(isLost)), 5003);
  assert.equal(packets, 5003);
});

test('what is taken while it is counted is taken once', here, async () => {
  const { counted, records, takes, packets } = await seen(async () => {
    await using lab = Lab.create();
    const { client, server } = lab.twoHosts({ ipv6: false });
    const rule = server.dropMatching({ protocol: 'udp', dport: PORT, family: 4 });
    await sleep(QUIET_MS);
    using counting = new Counting(server, { summaries: 1024 });
    const sums = { counted: 0, records: 0, takes: 0 };
    const take = (): void => {
      const taken = counting.take();
      const sum = sumOf(taken.summaries.filter(isLost));
      sums.counted += sum;
      sums.records += taken.records.filter(isLost).length;
      if (sum > 0) sums.takes++;
    };
    let isOver = false;
    const blast = blastUdp(client, { host: server.ip4, port: PORT, count: STORM }).finally(() => {
      isOver = true;
    });
    while (!isOver) {
      take();
      await sleep(1);
    }
    await blast;
    await sleep(SETTLE_MS);
    take();
    return { ...sums, packets: rule.packets() };
  });
  assert.equal(packets, STORM);
  assert.ok(takes > 5, `${takes} generations`);
  assert.ok(records < 100, `${records} records`);
  assert.equal(counted + records, STORM);
});
