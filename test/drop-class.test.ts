/** What is called a loss and what is not, on live traffic. The rules: src/wire/drop-rules.ts. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Family } from '../lab/drop-rule.ts';
import type { Host } from '../lab/host.ts';
import { Lab } from '../lab/lab.ts';
import { blastUdp, connectOften, holdConnection, injectFrames, type Sink, sendTcp, startSink } from '../lab/traffic.ts';
import { ACK, ethernet, filler, icmp, ipv4, ipv6, RST, TCP, tcp, UDP, udp } from './helpers/frames.ts';
import { type Drop, record, tally } from './helpers/record.ts';
import { requires } from './helpers/requires.ts';

const COUNT = 13;

const ipOf = (host: Host, family: Family): string => (family === 4 ? host.ip4 : host.ip6);

/** What a user sees of a drop that is not benign. */
const verdict = (event: Drop): string => [event.class, event.reason, event.protocol, event.tcpFlags].join(' ');

const notBenign = (drops: readonly Drop[]): Record<string, number> =>
  tally(drops.filter((event) => event.class !== 'benign').map(verdict));

for (const family of [4, 6] as const) {
  test(`IPv${family}: 100 ordinary connections lose nothing`, requires('root', 'btf'), async () => {
    await using lab = Lab.create();
    const { client, server } = lab.twoHosts();
    const sink = await startSink(server);
    const echo = await startSink(server, { echo: true });
    const { drops, result } = await record([client, server], async () => {
      const to = { host: ipOf(server, family), count: 50, bytes: 100_000 };
      const small = await connectOften(client, { ...to, port: sink.port });
      const answered = await connectOften(client, { ...to, port: echo.port });
      return small.completed + answered.completed;
    });
    assert.equal(result, 100);
    assert.deepEqual(notBenign(drops), {});
  });

  test(`IPv${family}: connections that the server ends, a full window, loopback`, requires('root', 'btf'), async () => {
    await using lab = Lab.create();
    const { client, server } = lab.twoHosts();
    const host = ipOf(server, family);
    const echo = await startSink(server, { echo: true });
    const deaf = await startSink(server, { read: false });
    const { drops } = await record([client, server], async () => {
      await connectOften(server, {
        host: family === 4 ? '127.0.0.1' : '::1',
        port: echo.port,
        count: 30,
        bytes: 100_000,
      });
      // The window stays shut; probes ask for it.
      await assert.rejects(sendTcp(client, { host, port: deaf.port, bytes: 20_000_000 }, { timeoutMs: 1500 }));
      const held = await Promise.all(
        Array.from({ length: COUNT }, () => holdConnection(client, { host, port: echo.port })),
      );
      for (const { tell } of held) await tell('send 1009');
      await sleep(50);
      echo.process.kill();
      await sleep(50);
      for (const { tell } of held) await tell('close');
    });
    assert.deepEqual(notBenign(drops), {});
  });

  test(`IPv${family}: aborts with data on its way are no loss`, requires('root', 'btf'), async () => {
    await using lab = Lab.create();
    const { client, server } = lab.twoHosts();
    const host = ipOf(server, family);
    const echo = await startSink(server, { echo: true });
    const { drops, resets } = await record([client, server], async () => {
      for (const how of ['abort', 'close'] as const) await endWithDataInFlight(client, host, echo, how);
    });
    assert.ok(resets.length >= COUNT, `only ${resets.length} resets`);
    // A rest that finds no socket any more might as well be a packet led to the wrong host: unknown.
    assert.deepEqual(drops.filter((event) => event.class === 'loss').map(verdict), []);
  });
}

async function endWithDataInFlight(client: Host, host: string, echo: Sink, how: 'abort' | 'close'): Promise<void> {
  for (let i = 0; i < COUNT; i++) {
    const held = await holdConnection(client, { host, port: echo.port });
    await held.tell('send 3000000');
    await held.tell(how);
    held.process.kill();
  }
}

interface Case {
  name: string;
  frame: Uint8Array;
  /** `class reason` of each of its drops. */
  expected: string;
}

const MULTICAST_MAC = '01:00:5e:00:00:fb';
const BROADCAST_MAC = 'ff:ff:ff:ff:ff:ff';

/** Each is told from the others by its destination or protocol; addresses of nobody are of TEST-NET (RFC 5737). */
function ipv4Cases(from: Host, to: Host, sink: Sink): Case[] {
  const packet = (dst: string, protocol: number, payload: number[], mac = to.mac): Uint8Array =>
    ethernet(from, mac, ipv4({ src: from.ip4, dst, protocol }, payload));
  const datagram = udp(7, 5353, filler(20));
  const segment = (dport: number, flags: number, bytes = 0): number[] =>
    tcp(from.ip4, to.ip4, { sport: 7, dport, seq: 1000, flags, payload: filler(bytes) });
  const subnetBroadcast = to.ip4.replace(/\d+$/, '255');
  return [
    {
      name: 'udp 224.0.0.251',
      frame: packet('224.0.0.251', UDP, datagram, MULTICAST_MAC),
      expected: 'benign NOT_SPECIFIED',
    },
    {
      name: `udp ${subnetBroadcast}`,
      frame: packet(subnetBroadcast, UDP, datagram, BROADCAST_MAC),
      expected: 'benign NOT_SPECIFIED',
    },
    {
      name: 'udp 192.0.2.7',
      frame: packet('192.0.2.7', UDP, datagram, '02:00:63:01:00:77'),
      expected: 'benign OTHERHOST',
    },
    { name: `icmp ${to.ip4}`, frame: packet(to.ip4, 1, icmp(77, filler(4))), expected: 'benign UNHANDLED_PROTO' },
    { name: `253 ${to.ip4}`, frame: packet(to.ip4, 253, filler(8)), expected: 'loss IP_NOPROTO' },
    { name: `tcp ${to.ip4} 81 RST`, frame: packet(to.ip4, TCP, segment(81, RST)), expected: 'benign NO_SOCKET' },
    { name: `tcp ${to.ip4} 82 ACK`, frame: packet(to.ip4, TCP, segment(82, ACK, 10)), expected: 'unknown NO_SOCKET' },
    {
      name: `tcp ${to.ip4} ${sink.port} RST`,
      frame: packet(to.ip4, TCP, segment(sink.port, RST)),
      expected: 'benign TCP_RESET',
    },
  ];
}

const nameOf = ({ protocol, dst, dport, tcpFlags }: Drop): string =>
  [protocol, dst, ...(protocol === 'tcp' ? [dport, tcpFlags] : [])].join(' ');

test('packets for nobody here, and for nobody any more', requires('root', 'btf'), async () => {
  await using lab = Lab.create();
  const { client, server } = lab.twoHosts({ ipv6: false });
  const sink = await startSink(server);
  const cases = ipv4Cases(client, server, sink);
  const { drops, result } = await record([server], async () => {
    const before = server.counters();
    await injectFrames(
      client,
      cases.map(({ frame }) => frame),
      COUNT,
    );
    return server.counters().since(before);
  });
  const events = drops.filter(({ src }) => src === client.ip4);
  const found = tally(events.map((event) => `${nameOf(event)}: ${event.class} ${event.reason}`));
  assert.deepEqual(found, Object.fromEntries(cases.map(({ name, expected }) => [`${name}: ${expected}`, COUNT])));
  const ignored = events.filter(({ location }) => /^__udp4_lib/.test(location as string));
  assert.equal(ignored.length, result.get('UdpLite.IgnoredMulti') + result.get('Udp.IgnoredMulti'));
});

test('IPv6 multicast that nobody here joined or listens to', requires('root', 'btf', 'ipv6'), async () => {
  await using lab = Lab.create();
  const { client, server } = lab.twoHosts();
  const datagram = udp(7, 5353, filler(20));
  const frames = ['ff02::fb', 'ff02::2'].map((dst) =>
    ethernet(client, '33:33:00:00:00:fb', ipv6(client.ip6, dst, UDP, datagram)),
  );
  const { drops } = await record([server], () => injectFrames(client, frames, COUNT));
  const events = drops.filter(({ src }) => src === client.ip6);
  assert.equal(events.length, 2 * COUNT);
  assert.deepEqual(notBenign(events), {});
});

test('a fragment twice is no loss, fragments that overlap are', requires('root', 'btf'), async () => {
  await using lab = Lab.create();
  const { client, server } = lab.twoHosts({ ipv6: false });
  const MORE = 0x2000;
  const fragment = (id: number, field: number): Uint8Array => {
    const header = { src: client.ip4, dst: server.ip4, protocol: UDP, id, fragment: field };
    return ethernet(client, server.mac, ipv4(header, filler(64)));
  };
  const frames = Array.from({ length: COUNT }, (_, i) => [
    ...[fragment(i, MORE), fragment(i, MORE)],
    ...[fragment(1000 + i, MORE), fragment(1000 + i, MORE | 1)],
  ]).flat();
  const { drops } = await record([server], () => injectFrames(client, frames));
  const events = drops.filter(({ location }) => /^ip_(defrag|frag_queue)/.test(location as string));
  assert.deepEqual(tally(events.map((event) => `${event.class} ${event.reason}`)), {
    'benign DUP_FRAG': COUNT,
    'loss NOT_SPECIFIED': COUNT,
  });
});

for (const family of [4, 6] as const) {
  test(`IPv${family}: a neighbour that does not answer`, requires('root', 'btf'), async () => {
    await using lab = Lab.create();
    const { client } = lab.twoHosts();
    const dst = family === 4 ? '10.99.1.77' : 'fd99:1::77';
    client.sysctl(`net.ipv${family}.neigh.eth0.retrans_time_ms`, 20);
    const { drops } = await record([client], async () => {
      await blastUdp(client, { host: dst, port: 9, count: COUNT });
      await sleep(300);
    });
    const events = drops.filter((event) => event.dst === dst);
    const facts = events.map((event) => [event.class, event.direction, event.device].join(' '));
    assert.deepEqual(tally(facts), { 'loss tx eth0': COUNT });
  });
}
