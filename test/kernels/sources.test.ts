/** Losses by netem and by the firewall, recorded by BPF, ftrace and kprobe at once: the same events, as many as the kernel counted. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Host } from '../../lab/host.ts';
import { Lab } from '../../lab/lab.ts';
import type { JsonEvent } from '../../lab/recorder.ts';
import { blastUdp, holdConnection, startSink } from '../../lab/traffic.ts';
import { kernelFacts } from '../../src/capture/kernel-facts.ts';
import { readKernelBtf } from '../../src/linux/kernel-btf.ts';
import { type Need, requires } from '../helpers/requires.ts';
import { assertCounters } from '../helpers/retransmit-counters.ts';
import { seen } from '../helpers/seen.ts';
import { assertSame, ofKind, others, recordBySources } from '../helpers/sources.ts';

const RESENT_SEGMENTS = 23;
const CHUNK_BYTES = 40_000;
const PACKETS = 211;
const PORT = 4321;
const SOURCE_PORT = 4789;
const SETTLE_MS = 500;

interface Loss {
  readonly name: string;
  readonly need: Need;
  readonly family: 4 | 6;
  begin(client: Host, server: Host): { remove(): void };
}

const LOSSES: readonly Loss[] = [
  { name: 'netem', need: 'netem', family: 4, begin: (client) => client.netem(20) },
  {
    name: 'the firewall',
    need: 'statistic',
    family: 6,
    begin: (_, server) => server.dropRandomly(0.2, { family: 6, protocol: 'tcp' }),
  },
];

for (const { name, need, family, begin } of LOSSES) {
  test(
    `sources: IPv${family} retransmissions after losses by ${name} meet the counters and are the same events`,
    requires('root', 'btf', need),
    async () => {
      await using lab = Lab.create();
      const { client, server } = lab.twoHosts();
      const sink = await startSink(server, { title: 'the-sink' });
      // Open before anybody records: its owner is found all the same.
      const holder = await holdConnection(client, {
        host: family === 4 ? server.ip4 : server.ip6,
        port: sink.port,
        title: 'the-holder',
      });
      const { recorded, counters } = await seen(async () => {
        const before = client.counters();
        const already = (await sink.stats()).bytes;
        const recorded = await recordBySources([client, server], others, async () => {
          const loss = begin(client, server);
          let bytes = already;
          while (client.counters().since(before).get('Tcp.RetransSegs') < RESENT_SEGMENTS) {
            await holder.tell(`send ${CHUNK_BYTES}`);
            bytes += CHUNK_BYTES;
            await sleep(100);
          }
          loss.remove();
          while ((await sink.stats()).bytes < bytes) await sleep(100);
          await sleep(SETTLE_MS);
        });
        return { recorded, counters: client.counters().since(before) };
      });
      const resentOf = (events: readonly JsonEvent[]): JsonEvent<'retransmit'>[] =>
        ofKind(events, 'retransmit').filter(({ netns }) => netns === client.netns);
      const bpf = resentOf(recorded.get('bpf') as JsonEvent[]);
      assertCounters(bpf, counters);
      for (const { process, pid, family: name } of bpf)
        assert.deepEqual(
          [process, pid, name],
          ['the-holder', holder.process.pid, `ipv${family}`],
          JSON.stringify(bpf, undefined, 1),
        );
      const sent = bpf.filter(({ failed }) => failed === undefined);
      for (const source of others) {
        const events = resentOf(recorded.get(source) as JsonEvent[]);
        assertSame(
          source,
          'retransmit',
          events.filter(({ failed }) => failed === undefined),
          sent,
        );
      }
    },
  );
}

for (const family of [4, 6] as const) {
  test(
    `sources: IPv${family} drops of a rule are as many as it counted, and the same events`,
    requires('root', 'btf'),
    async () => {
      await using lab = Lab.create();
      const { client, server } = lab.twoHosts();
      const { recorded, counted } = await seen(async () => {
        const rule = server.dropMatching({ family, protocol: 'udp', dport: PORT });
        const host = family === 4 ? server.ip4 : server.ip6;
        const recorded = await recordBySources([server], others, async () => {
          await blastUdp(client, { host, port: PORT, count: PACKETS, sport: SOURCE_PORT, rate: 1000 });
          await sleep(SETTLE_MS);
        });
        const counted = rule.packets();
        rule.remove();
        return { recorded, counted };
      });
      const bpf = ofKind(recorded.get('bpf') as JsonEvent[], 'drop').filter(({ dport }) => dport === PORT);
      assert.deepEqual([bpf.length, counted], [PACKETS, PACKETS]);
      const reason = kernelFacts(readKernelBtf()).dropHasReason ? 'NETFILTER_DROP' : undefined;
      for (const drop of bpf) {
        const { src, sport, dst, protocol, direction, device, netns } = drop;
        const [from, to] = family === 4 ? [client.ip4, server.ip4] : [client.ip6, server.ip6];
        assert.deepEqual([src, sport, dst, protocol, direction, device], [from, SOURCE_PORT, to, 'udp', 'rx', 'eth0']);
        assert.deepEqual([netns, drop.reason], [server.netns, reason]);
        assert.match(drop.location ?? '', /^\w[\w.]*\+0x/);
      }
      for (const source of others) assertSame(source, 'drop', dropsLike(recorded.get(source) as JsonEvent[], bpf), bpf);
    },
  );
}

test(
  'sources: drops of a queue are as many as it counted, and the same events',
  requires('root', 'btf', 'netem'),
  async () => {
    await using lab = Lab.create();
    const { client, server } = lab.twoHosts();
    const { recorded, counted } = await seen(async () => {
      const queue = client.netem(100);
      const recorded = await recordBySources([client], others, async () => {
        await blastUdp(client, { host: server.ip4, port: PORT, count: PACKETS, rate: 1000 });
        await sleep(SETTLE_MS);
      });
      const counted = queue.dropped();
      queue.remove();
      return { recorded, counted };
    });
    const bpf = ofKind(recorded.get('bpf') as JsonEvent[], 'drop').filter(({ dport }) => dport === PORT);
    assert.equal(bpf.length, PACKETS);
    // A kernel without reasons cannot say that it is a loss.
    for (const drop of bpf) assert.equal(drop.class, drop.reason === undefined ? 'unknown' : 'loss');
    // Neighbour discovery of the hosts may be among what the queue drops.
    assert.ok(counted >= PACKETS);
    for (const source of others) assertSame(source, 'drop', dropsLike(recorded.get(source) as JsonEvent[], bpf), bpf);
  },
);

/**
 * The drops of a source that tells the port, by it. Of one that does not, those of the same place, reason and family; other
 * namespaces may have such too, and of them the nearest in time count.
 */
function dropsLike(events: readonly JsonEvent[], bpf: readonly JsonEvent<'drop'>[]): JsonEvent<'drop'>[] {
  const drops = ofKind(events, 'drop');
  if (drops.some(({ dport }) => dport === PORT)) return drops.filter(({ dport }) => dport === PORT);
  const [first] = bpf;
  const alike = drops.filter(
    ({ location, reason, family }) =>
      location === first?.location && reason === first?.reason && family === first?.family,
  );
  if (alike.length === bpf.length) return alike;
  const apart = ({ bootNs }: JsonEvent, other: JsonEvent): number => Math.abs(Number(bootNs) - Number(other.bootNs));
  const nearest = bpf.map((drop) =>
    alike.reduce((best, each) => (apart(each, drop) < apart(best, drop) ? each : best)),
  );
  return [...new Set(nearest)];
}
