/** Drops by a firewall rule against the counter of the rule, exactly. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { DropRule, Family, PacketMatch } from '../lab/drop-rule.ts';
import type { Host } from '../lab/host.ts';
import { Lab } from '../lab/lab.ts';
import { blastUdp, injectFrames, sendTcp, startSink } from '../lab/traffic.ts';
import { ACK, ethernet, FIN, filler, ICMP, icmp, ipv4, ipv6, PSH, SYN, TCP, tcp, UDP, udp } from './helpers/frames.ts';
import { type Drop, record, tally } from './helpers/record.ts';
import { requires } from './helpers/requires.ts';

const SPORT = 4789;
/** A drop's location on a kernel that shows its symbols. */
const PLACE = /^\w[\w.]*\+0x[0-9a-f]+( \[\w+\])?$/;

const ipOf = (host: Host, family: Family): string => (family === 4 ? host.ip4 : host.ip6);

interface Place extends PacketMatch {
  at: 'client' | 'router' | 'server';
  direction: Drop['direction'];
  device: string;
  count: number;
}

const PLACES: readonly Place[] = [
  { at: 'client', chain: 'OUTPUT', direction: 'tx', device: 'eth0', count: 997 },
  { at: 'client', chain: 'POSTROUTING', direction: 'tx', device: 'eth0', count: 499 },
  { at: 'router', chain: 'PREROUTING', table: 'raw', direction: 'rx', device: 'eth0', count: 251 },
  { at: 'router', chain: 'PREROUTING', table: 'mangle', direction: 'rx', device: 'eth0', count: 127 },
  { at: 'router', chain: 'FORWARD', direction: 'forward', device: 'eth0', count: 211 },
  { at: 'router', chain: 'POSTROUTING', direction: 'forward', device: 'eth1', count: 307 },
  { at: 'server', chain: 'PREROUTING', table: 'raw', direction: 'rx', device: 'eth0', count: 401 },
  { at: 'server', chain: 'INPUT', direction: 'rx', device: 'eth0', count: 601 },
];

/** More than are compared in place (BOUND_FIRST_NETNS in bpf/record.h). */
test('a filter of ten namespaces: each is recorded, and no other', requires('root', 'btf'), async () => {
  await using lab = Lab.create();
  const pairs = Array.from({ length: 6 }, (_, i) => lab.twoHosts({ ipv6: false, subnet: i + 1 }));
  const filter = pairs.slice(0, 5).flatMap(({ client, server }) => [client, server]);
  const { drops, result: counted } = await record(filter, async () => {
    const rules = pairs.map(({ server }) => server.dropMatching({ family: 4, protocol: 'udp', dport: 5000 }));
    for (const [i, { client, server }] of pairs.entries())
      await blastUdp(client, { host: server.ip4, port: 5000, count: 101 + i });
    return rules.map((rule) => rule.packets());
  });
  const recorded = pairs.map(
    ({ server }) => drops.filter(({ netns, dport }) => netns === server.netns && dport === 5000).length,
  );
  assert.deepEqual(counted, [101, 102, 103, 104, 105, 106]);
  assert.deepEqual(recorded, [101, 102, 103, 104, 105, 0]);
});

for (const family of [4, 6] as const) {
  test(`IPv${family}, every chain: as many as its rule counts`, requires('root', 'btf'), async () => {
    await using lab = Lab.create();
    const hosts = lab.routed();
    const { client, router, server } = hosts;
    const { drops, result: counted } = await record([client, router, server], async () => {
      const rules = PLACES.map(({ at, chain, table, count }, i) => {
        const place = { ...(chain && { chain }), ...(table && { table }) };
        const rule = hosts[at].dropMatching({ ...place, family, protocol: 'udp', dport: 5000 + i });
        return { rule, count, port: 5000 + i };
      });
      const target = { host: ipOf(server, family), sport: SPORT, rate: 20_000 };
      for (const { port, count } of rules) await blastUdp(client, { ...target, port, count });
      const packets = rules.map(({ rule }) => rule.packets(family));
      for (const { rule } of rules) rule.remove();
      return packets;
    });
    for (const [i, { at, chain, table, direction, device, count }] of PLACES.entries()) {
      const name = `${at} ${table ?? ''} ${chain}`;
      const events = drops.filter(({ dport, reason }) => dport === 5000 + i && reason === 'NETFILTER_DROP');
      assert.equal(counted[i], count, name);
      assert.equal(events.length, count, name);
      for (const event of events) {
        assert.deepEqual(
          [event.family, event.src, event.sport, event.dst, event.protocol, event.length],
          [`ipv${family}`, ipOf(client, family), SPORT, ipOf(server, family), 'udp', family === 4 ? 128 : 148],
        );
        const where = [event.direction, event.class, event.netns, event.device];
        assert.deepEqual(where, [direction, 'loss', hosts[at].netns, device], name);
        assert.match(event.location as string, PLACE);
      }
    }
  });
}

/** What a host's rules dropped, as `protocol sport dport flags seq endSeq length`. */
const facts = ({ protocol, sport, dport, tcpFlags, seq, endSeq, length }: Drop): string =>
  [protocol, sport, dport, tcpFlags, seq, endSeq, length].map((value) => value ?? '-').join(' ');

interface Sample {
  frame: Uint8Array;
  expected: string;
}

/** Packets of every protocol that begins with ports, and of some that do not. */
function samples(from: Host, to: Host, family: Family): Sample[] {
  const [src, dst] = [ipOf(from, family), ipOf(to, family)];
  const header = family === 4 ? 20 : 40;
  const packet = (protocol: number, payload: number[]): Uint8Array =>
    ethernet(from, to.mac, family === 4 ? ipv4({ src, dst, protocol }, payload) : ipv6(src, dst, protocol, payload));
  const segment = (seq: number, flags: number, bytes: number): Uint8Array =>
    packet(TCP, tcp(src, dst, { sport: 7, dport: 8, seq, flags, payload: filler(bytes) }));
  const ported = [0, 7, 0, 8, ...filler(12)];
  return [
    { frame: segment(4_294_967_290, SYN, 0), expected: `tcp 7 8 SYN 4294967290 4294967291 ${header + 20}` },
    { frame: segment(1000, PSH | ACK, 100), expected: `tcp 7 8 PSH|ACK 1000 1100 ${header + 120}` },
    // across the end of the sequence space, and a FIN, which takes one
    { frame: segment(4_294_967_290, FIN | ACK, 10), expected: `tcp 7 8 FIN|ACK 4294967290 5 ${header + 30}` },
    { frame: packet(UDP, udp(7, 8, filler(33))), expected: `udp 7 8 - - - ${header + 41}` },
    { frame: packet(136, udp(7, 8, filler(3))), expected: `udplite 7 8 - - - ${header + 11}` },
    { frame: packet(132, ported), expected: `sctp 7 8 - - - ${header + 16}` },
    { frame: packet(33, ported), expected: `dccp 7 8 - - - ${header + 16}` },
    { frame: packet(47, ported), expected: `gre - - - - - ${header + 16}` },
    { frame: packet(50, ported), expected: `esp - - - - - ${header + 16}` },
    { frame: packet(253, ported), expected: `253 - - - - - ${header + 16}` },
    family === 4
      ? { frame: packet(ICMP, icmp(8, filler(8))), expected: 'icmp - - - - - 32' }
      : { frame: packet(58, icmp(128, filler(8))), expected: 'icmpv6 - - - - - 52' },
  ];
}

for (const family of [4, 6] as const) {
  test(`IPv${family}, every protocol: ports, flags and sequence numbers as sent`, requires('root', 'btf'), async () => {
    await using lab = Lab.create();
    const { client, server } = lab.twoHosts();
    const rule = server.dropMatching({ family, chain: 'PREROUTING', table: 'raw', extra: ['-i', 'eth0'] });
    const sent = samples(client, server, family);
    const count = 23;
    const { drops, result } = await record([server], async () => {
      const before = [rule.packets(), rule.bytes()] as const;
      const frames = sent.map(({ frame }) => frame);
      await injectFrames(client, frames, count);
      return { packets: rule.packets() - before[0], bytes: rule.bytes() - before[1] };
    });
    const events = drops.filter(({ src }) => src === ipOf(client, family));
    assert.deepEqual(tally(events.map(facts)), Object.fromEntries(sent.map(({ expected }) => [expected, count])));
    assert.equal(events.length, result.packets);
    const bytes = events.reduce((sum, { length }) => sum + (length as number), 0);
    assert.equal(bytes, result.bytes, "the rule's bytes");
    assert.ok(events.every(({ reason }) => reason === 'NETFILTER_DROP'));
  });
}

for (const family of [4, 6] as const) {
  test(
    `IPv${family}, GSO packets: one drop each, of all their bytes`,
    requires('root', 'btf', 'statistic'),
    async () => {
      await using lab = Lab.create();
      const { client, server } = lab.twoHosts();
      const sink = await startSink(server);
      const long = ['-m', 'length', '--length', '3000:65535'];
      const { drops, result } = await record([server], async () => {
        const rule = server.dropEveryNth(5, { family, protocol: 'tcp', dport: sink.port, extra: long });
        const bytes = 3_000_000;
        await sendTcp(client, { host: ipOf(server, family), port: sink.port, bytes }, { timeoutMs: 60_000 });
        return settled(rule);
      });
      const events = drops.filter(({ reason }) => reason === 'NETFILTER_DROP');
      assert.ok(result.packets >= 5, `only ${result.packets} packets`);
      assert.equal(events.length, result.packets);
      assert.equal(
        events.reduce((sum, { length }) => sum + (length as number), 0),
        result.bytes,
      );
      // IP header, TCP header with timestamps
      const headers = (family === 4 ? 20 : 40) + 32;
      for (const { seq, endSeq, length } of events) {
        assert.equal(((endSeq as number) - (seq as number)) >>> 0, (length as number) - headers);
      }
    },
  );
}

/** What a rule counted once nothing comes any more: the other end may still answer when a sender is done. */
async function settled(rule: DropRule): Promise<{ packets: number; bytes: number }> {
  for (let before = -1, packets = rule.packets(); ; before = packets, packets = rule.packets()) {
    if (packets === before) return { packets, bytes: rule.bytes() };
    await sleep(300);
  }
}

test('behind NAT: the translated destination', requires('root', 'btf'), async () => {
  await using lab = Lab.create();
  const { client, router, server } = lab.routed();
  const to = `${server.ip4}:4791`;
  const translation = ['DNAT', '--to-destination', to];
  const asked = { family: 4, protocol: 'udp', dport: 5353 } as const;
  router.dropMatching({ ...asked, table: 'nat', chain: 'PREROUTING', target: translation });
  const rule = router.dropMatching({ family: 4, chain: 'FORWARD', protocol: 'udp', dport: 4791 });
  const { drops, result: counted } = await record([router], async () => {
    const before = rule.packets();
    await blastUdp(client, { host: '10.99.1.254', port: 5353, sport: SPORT, count: 97, rate: 20_000 });
    return rule.packets() - before;
  });
  const events = drops.filter(({ reason }) => reason === 'NETFILTER_DROP');
  assert.equal(counted, 97);
  const flows = events.map(({ src, sport, dst, dport, direction }) => [src, sport, dst, dport, direction].join(' '));
  assert.deepEqual(tally(flows), { [`${client.ip4} ${SPORT} ${server.ip4} 4791 forward`]: 97 });
});
