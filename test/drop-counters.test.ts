/** Drops against the kernel's counters of what drops them: queues, sockets, protocols. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Host } from '../lab/host.ts';
import { Lab } from '../lab/lab.ts';
import { blastUdp, injectFrames, sendTcp, startDeaf, startSink } from '../lab/traffic.ts';
import { be16, ethernet, filler, ipv4, SYN, TCP, tcp, UDP, udp } from './helpers/frames.ts';
import { type Drop, record, tally } from './helpers/record.ts';
import { requires } from './helpers/requires.ts';

const SPORT = 4789;
const CLOSED_PORT = 4791;

const only = (events: readonly Drop[], reason: string): Drop[] => events.filter((event) => event.reason === reason);

/** Records `host` while `traffic` runs there or elsewhere; what its counters grew by. */
async function counted(host: Host, traffic: () => Promise<unknown>) {
  const { drops, result } = await record([host], async () => {
    const before = host.counters();
    await traffic();
    return host.counters().since(before);
  });
  return { drops: drops.filter(({ netns }) => netns === host.netns), counters: result };
}

for (const family of [4, 6] as const) {
  test(`IPv${family}: a tbf queue that overflows, GSO and not`, requires('root', 'btf', 'tbf'), async () => {
    await using lab = Lab.create();
    const { client, server } = lab.twoHosts();
    const host = family === 4 ? server.ip4 : server.ip6;
    const sink = await startSink(server);
    const { drops, result } = await record([client], async () => {
      const queue = client.limitRate({ rate: '20mbit', limitBytes: 30_000 });
      await blastUdp(client, { host, port: CLOSED_PORT, sport: SPORT, count: 499, bytes: 1000 });
      await sendTcp(client, { host, port: sink.port, bytes: 300_000, connections: 2 }, { timeoutMs: 60_000 });
      const dropped = queue.dropped();
      queue.remove();
      return dropped;
    });
    const events = only(drops, 'QDISC_DROP');
    assert.equal(events.length, result);
    assert.ok(events.some(({ protocol }) => protocol === 'udp') && events.some(({ protocol }) => protocol === 'tcp'));
    for (const event of events) {
      const { src, dst, direction, device } = event;
      assert.deepEqual([src, dst, direction, device], [family === 4 ? client.ip4 : client.ip6, host, 'tx', 'eth0']);
      assert.equal(event.class, 'loss');
    }
    // The GSO packet around refused segments is freed besides them; it must not count twice.
    const others = drops.filter((event) => event.class !== 'benign' && event.reason !== 'QDISC_DROP');
    assert.deepEqual(others, []);
  });

  test(`IPv${family}: a UDP port that nobody listens on`, requires('root', 'btf'), async () => {
    await using lab = Lab.create();
    const { client, server } = lab.twoHosts();
    const host = family === 4 ? server.ip4 : server.ip6;
    const { drops, counters } = await counted(server, () =>
      blastUdp(client, { host, port: CLOSED_PORT, sport: SPORT, count: 997, rate: 20_000 }),
    );
    assert.equal(counters.get(family === 4 ? 'Udp.NoPorts' : 'Udp6.NoPorts'), 997);
    const events = only(drops, 'NO_SOCKET').map((event) =>
      [event.class, event.src, event.sport, event.dst, event.dport, event.direction, event.device].join(' '),
    );
    const src = family === 4 ? client.ip4 : client.ip6;
    assert.deepEqual(tally(events), { [`loss ${src} ${SPORT} ${host} ${CLOSED_PORT} rx eth0`]: 997 });
  });

  test(`IPv${family}: no route, and a blackhole`, requires('root', 'btf'), async () => {
    await using lab = Lab.create();
    const { client, router } = lab.routed();
    const [nowhere, hole] = family === 4 ? ['10.77.0.1', '10.78.0.1'] : ['fd77::1', 'fd78::1'];
    router.blackhole(`${hole}/${family === 4 ? 32 : 128}`);
    const { drops, counters } = await counted(router, async () => {
      await blastUdp(client, { host: nowhere, port: CLOSED_PORT, count: 101, rate: 20_000 });
      await blastUdp(client, { host: hole, port: CLOSED_PORT, count: 103, rate: 20_000 });
    });
    const events = drops.filter(({ protocol }) => protocol === 'udp');
    const facts = events.map((event) => [event.reason, event.class, event.dst, event.direction].join(' '));
    assert.deepEqual(tally(facts), {
      [`IP_INNOROUTES loss ${nowhere} rx`]: 101,
      [`NOT_SPECIFIED loss ${hole} rx`]: 103,
    });
    assert.equal(counters.get(family === 4 ? 'IpExt.InNoRoutes' : 'Ip6.InNoRoutes'), 101);
  });
}

test('a full UDP receive buffer, and whose it is', requires('root', 'btf'), async () => {
  await using lab = Lab.create();
  const { client, server } = lab.twoHosts();
  const { process: deaf, port } = await startDeaf(server, { family: 4, title: 'the-deaf' });
  const { drops, counters } = await counted(server, () =>
    blastUdp(client, { host: server.ip4, port, count: 499, bytes: 500 }),
  );
  const events = only(drops, 'SOCKET_RCVBUFF');
  assert.ok(events.length > 100);
  assert.equal(events.length, counters.get('Udp.RcvbufErrors'));
  for (const event of events) {
    assert.deepEqual([event.direction, event.pid, event.process, event.ownerHow], ['rx', deaf.pid, 'the-deaf', 'fd']);
  }
});

test('wrong checksums', requires('root', 'btf'), async () => {
  await using lab = Lab.create();
  const { client, server } = lab.twoHosts();
  const sink = await startSink(server);
  const whole = { src: client.ip4, dst: server.ip4 };
  const segment = { sport: 7, dport: sink.port, seq: 1000, flags: SYN, checksumError: 0x5555 };
  const datagram = udp(7, sink.port, filler(20));
  datagram.splice(6, 2, ...be16(0x1234));
  const header = ipv4({ ...whole, protocol: UDP }, udp(7, 8, filler(20)));
  header.splice(12, 2, ...be16(0x1234));
  const frames = [
    ipv4({ ...whole, protocol: TCP }, tcp(client.ip4, server.ip4, segment)),
    ipv4({ ...whole, protocol: UDP }, datagram),
    header,
  ].map((payload) => ethernet(client, server.mac, payload));
  const { drops, counters } = await counted(server, () => injectFrames(client, frames, 23));
  const events = drops.filter((event) => event.class === 'loss');
  const facts = events.map((event) => [event.reason, event.protocol, event.dport, event.tcpFlags, event.seq].join(' '));
  assert.deepEqual(tally(facts), {
    [`TCP_CSUM tcp ${sink.port} SYN 1000`]: 23,
    [`UDP_CSUM udp ${sink.port}  `]: 23,
    'IP_CSUM udp 8  ': 23,
  });
  assert.equal(counters.get('Tcp.InCsumErrors'), 23);
  assert.equal(counters.get('Udp.InCsumErrors'), 23);
});

/** Packets that the backlog queues of all CPUs refused (second column, net/core/net-procfs.c); not per namespace. */
function backlogDrops(host: Host): number {
  const rows = host.exec('cat', '/proc/net/softnet_stat').trim().split('\n');
  return rows.reduce((sum, row) => sum + Number.parseInt(row.split(' ')[1] as string, 16), 0);
}

test('a full backlog queue: received, though nothing has marked it so', requires('root', 'btf', 'rps'), async () => {
  await using lab = Lab.create();
  const { client, server } = lab.twoHosts({ ipv6: false });
  // Two thousand rules keep the second CPU busy while the first one sends.
  server.receiveOn(1);
  const rules = 'for i in $(seq 2000); do echo "-A PREROUTING -s 192.0.2.1 -p udp --dport $i -j ACCEPT"; done';
  server.exec('sh', '-c', `(echo '*raw'; ${rules}; echo COMMIT) | iptables-restore`);
  const { drops, result } = await record([server], async () => {
    const before = backlogDrops(server);
    // A socket's send buffer holds some 280 packets, and the queue 1000. Where other work slows the senders, once is not
    // enough; at once all packets must fit into the ring, where they wait until they are stored.
    for (let round = 0; round < 10 && backlogDrops(server) === before; round++) {
      if (round > 0) await sleep(1000);
      const senders = Array.from({ length: 8 }, (_, i) =>
        blastUdp(client, { host: server.ip4, port: CLOSED_PORT, sport: SPORT + i, count: 1501, cpu: 0 }),
      );
      await Promise.all(senders);
    }
    await sleep(300);
    return backlogDrops(server) - before;
  });
  const events = only(drops, 'CPU_BACKLOG');
  assert.ok(events.length > 0);
  assert.equal(events.length, result);
  for (const { src, dst, direction, device, netns, pid } of events) {
    assert.deepEqual([src, dst, direction, device], [client.ip4, server.ip4, 'rx', 'eth0']);
    assert.deepEqual(
      [netns, pid],
      [server.netns, undefined],
      "the sender's socket, which the skb still has, is no owner here",
    );
  }
});
