/** The lab itself: its topologies carry traffic, its counters are exact, and it leaves nothing behind. */

import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { run } from '../lab/command.ts';
import { parseCounters } from '../lab/counters.ts';
import { Lab } from '../lab/lab.ts';
import { LabProcess } from '../lab/process.ts';
import { labRemains } from '../lab/stale.ts';
import {
  blastUdp,
  connectOften,
  holdConnection,
  injectFrames,
  sendTcp,
  startFullListener,
  startSink,
} from '../lab/traffic.ts';
import { requires } from './helpers/requires.ts';

const LAB_USER = fileURLToPath(new URL('./fixtures/lab-user.ts', import.meta.url));

test('counters are read from the three formats of the kernel', () => {
  const before = parseCounters('Tcp: OutSegs RetransSegs\nTcp: 10 2\nIp6InReceives      \t7\n');
  const after = parseCounters('Tcp: OutSegs RetransSegs\nTcp: 15 2\nIp6InReceives      \t8\nUdpLite6InErrors\t0\n');
  assert.equal(after.get('Tcp.OutSegs'), 15);
  assert.equal(after.get('UdpLite6.InErrors'), 0);
  assert.deepEqual(after.since(before).nonZero(), { 'Tcp.OutSegs': 5, 'Ip6.InReceives': 1 });
  assert.throws(() => after.get('Tcp.OutSeg'), /no counter Tcp\.OutSeg/);
});

test('two hosts exchange TCP over both families, by devices that only they have', requires('root'), async () => {
  await using lab = Lab.create();
  const { client, server } = lab.twoHosts();
  assert.notEqual(client.netns, server.netns);
  assert.equal(client.exec('readlink', '/proc/self/ns/net').trim(), `net:[${client.netns}]`);
  const sink = await startSink(server);
  const before = client.counters();
  for (const host of [server.ip4, server.ip6]) {
    const result = await sendTcp(client, { host, port: sink.port, bytes: 100_000 });
    assert.deepEqual([result.completed, result.bytes, result.errors], [1, 100_000, []]);
  }
  assert.deepEqual(await sink.stats(), { connections: 2, closed: 2, bytes: 200_000 });
  const grown = client.counters().since(before);
  assert.equal(grown.get('Tcp.ActiveOpens'), 2);
  // The other end of the pair is the server's: the host's namespace has none of it.
  assert.match(run('ip', '-n', client.name, 'link', 'show', client.device), new RegExp(`link-netns ${server.name}`));
});

test('without IPv6 there is no IPv6 address', requires('root'), async () => {
  await using lab = Lab.create();
  const { client } = lab.twoHosts({ ipv6: false, mtu: 9000 });
  assert.equal(client.ip6, '');
  assert.equal(client.exec('cat', '/proc/net/if_inet6'), '');
  assert.match(client.exec('ip', 'link', 'show', client.device), /mtu 9000/);
});

test('two topologies of one lab have equal addresses in different namespaces', requires('root'), async () => {
  await using lab = Lab.create();
  const one = lab.twoHosts();
  const two = lab.twoHosts();
  assert.equal(one.client.ip4, two.client.ip4);
  assert.equal(new Set([one, two].flatMap(({ client, server }) => [client.netns, server.netns])).size, 4);
});

test('a router forwards both families', requires('root'), async () => {
  await using lab = Lab.create();
  const { client, router, server } = lab.routed();
  const sink = await startSink(server);
  const before = router.counters();
  await sendTcp(client, { host: server.ip4, port: sink.port, bytes: 10_000 });
  await sendTcp(client, { host: server.ip6, port: sink.port, bytes: 10_000 });
  const grown = router.counters().since(before);
  assert.ok(grown.get('Ip.ForwDatagrams') > 0);
  assert.ok(grown.get('Ip6.OutForwDatagrams') > 0);
  assert.deepEqual(await sink.stats(), { connections: 2, closed: 2, bytes: 20_000 });
});

test('a rule counts what it dropped exactly, per family, until it is removed', requires('root'), async () => {
  await using lab = Lab.create();
  const { client, server } = lab.twoHosts();
  const rule = server.dropMatching({ protocol: 'udp', dport: 4000 });
  const other = server.dropMatching({ protocol: 'udp', dport: 4001, family: 4 });
  assert.deepEqual(await blastUdp(client, { host: server.ip4, port: 4000, count: 23 }), { sent: 23, failed: 0 });
  await blastUdp(client, { host: server.ip6, port: 4000, count: 5, bytes: 100 });
  assert.deepEqual([rule.packets(4), rule.packets(6), rule.packets(), other.packets()], [23, 5, 28, 0]);
  assert.equal(rule.bytes(6), 5 * (40 + 8 + 100));
  rule.remove();
  const before = server.counters();
  await blastUdp(client, { host: server.ip4, port: 4000, count: 3 });
  assert.equal(server.counters().since(before).get('Udp.NoPorts'), 3);
});

test('a sender is told of packets that its own firewall refuses', requires('root'), async () => {
  await using lab = Lab.create();
  const { client, server } = lab.twoHosts();
  const rule = client.dropMatching({ chain: 'OUTPUT', protocol: 'udp', family: 4 });
  const result = await blastUdp(client, { host: server.ip4, port: 4000, count: 7, sport: 999 });
  assert.deepEqual([result, rule.packets()], [{ sent: 0, failed: 7 }, 7]);
});

test('every nth packet is lost, the first one is not', requires('root', 'statistic'), async () => {
  await using lab = Lab.create();
  const { client, server } = lab.twoHosts();
  const rule = server.dropEveryNth(3, { protocol: 'udp', family: 4 });
  await blastUdp(client, { host: server.ip4, port: 4000, count: 2 });
  assert.equal(rule.packets(), 0);
  await blastUdp(client, { host: server.ip4, port: 4000, count: 29 });
  assert.equal(rule.packets(), 10);
});

test('random loss is near its probability', requires('root', 'statistic'), async () => {
  await using lab = Lab.create();
  const { client, server } = lab.twoHosts();
  const rule = server.dropRandomly(0.5, { protocol: 'udp' });
  await blastUdp(client, { host: server.ip6, port: 4000, count: 1000 });
  // Binomial: 500, standard deviation 15.8; seven of them.
  assert.ok(Math.abs(rule.packets() - 500) < 111, `${rule.packets()} of 1000`);
});

test('lost TCP segments are resent, and all bytes arrive', requires('root', 'statistic'), async () => {
  await using lab = Lab.create();
  const { client, server } = lab.twoHosts({ gso: false });
  const sink = await startSink(server);
  const rule = server.dropEveryNth(100, { protocol: 'tcp', dport: sink.port });
  const before = client.counters();
  await sendTcp(client, { host: server.ip4, port: sink.port, bytes: 2_000_000 });
  assert.equal((await sink.stats()).bytes, 2_000_000);
  assert.ok(rule.packets() >= 13, `${rule.packets()} lost`);
  assert.ok(client.counters().since(before).get('Tcp.RetransSegs') >= rule.packets());
});

test('segments, skbs and wire packets differ as the offloads say', requires('root'), async () => {
  await using lab = Lab.create();
  const BYTES = 5_000_000;
  const SEGMENTS = Math.ceil(BYTES / 1448);
  const carry = async (options: { gso?: boolean; tso?: boolean }): Promise<{ sent: number; arrived: number }> => {
    const { client, server } = lab.twoHosts(options);
    const sink = await startSink(server);
    await sendTcp(client, { host: server.ip4, port: sink.port, bytes: BYTES });
    return { sent: client.counters().get('Ip.OutRequests'), arrived: server.counters().get('Ip.InReceives') };
  };
  const offloaded = await carry({});
  assert.ok(offloaded.sent < SEGMENTS / 2 && offloaded.arrived < SEGMENTS / 2, JSON.stringify(offloaded));
  const single = await carry({ gso: false });
  assert.ok(single.sent >= SEGMENTS && single.arrived >= SEGMENTS, JSON.stringify(single));
  const split = await carry({ tso: false });
  assert.ok(split.sent < SEGMENTS / 2 && split.arrived >= SEGMENTS, JSON.stringify(split));
});

test('a queue that overflows drops and counts', requires('root', 'tbf'), async () => {
  await using lab = Lab.create();
  const { client, server } = lab.twoHosts();
  const queue = client.limitRate({ rate: '1mbit', burstBytes: 2000, limitBytes: 5000 });
  await blastUdp(client, { host: server.ip4, port: 4000, count: 100, bytes: 1000 });
  assert.ok(queue.dropped() >= 90, `${queue.dropped()} dropped`);
  queue.remove();
  assert.throws(() => queue.dropped(), /no tbf queue/);
});

test('a blackhole and a closed port answer as they should', requires('root'), async () => {
  await using lab = Lab.create();
  const { client, server } = lab.twoHosts();
  client.blackhole('10.98.0.0/16');
  client.blackhole('fd98::/16');
  const to = async (host: string): Promise<string[]> => (await sendTcp(client, { host, port: 1, bytes: 1 })).errors;
  assert.deepEqual(await to('10.98.0.1'), ['EINVAL']);
  assert.deepEqual(await to('fd98::1'), ['EINVAL']);
  assert.deepEqual(await to(server.ip4), ['ECONNREFUSED']);
});

test('a full accept queue ignores further connections', requires('root'), async () => {
  await using lab = Lab.create();
  const { client, server } = lab.twoHosts();
  const { port } = await startFullListener(server, { backlog: 1 });
  await holdConnection(client, { host: server.ip4, port });
  await holdConnection(client, { host: server.ip6, port });
  assert.equal(server.counters().get('TcpExt.ListenOverflows'), 0);
  await assert.rejects(sendTcp(client, { host: server.ip4, port, bytes: 0 }, { timeoutMs: 500 }), /no output in time/);
  assert.ok(server.counters().get('TcpExt.ListenOverflows') >= 1);
});

test('a receiver that does not read closes its window', requires('root'), async () => {
  await using lab = Lab.create();
  const { client, server } = lab.twoHosts();
  const sink = await startSink(server, { read: false });
  const holder = await holdConnection(client, { host: server.ip4, port: sink.port });
  const { sent } = await holder.tell('send 50000000');
  await setTimeout(300);
  assert.ok(sent < 50_000_000);
  assert.equal((await sink.stats()).bytes, 0);
  assert.ok(server.counters().get('TcpExt.TCPToZeroWindowAdv') >= 1);
});

test('a holder sends, and leaves an orphan that still resends', requires('root'), async () => {
  await using lab = Lab.create();
  const { client, server } = lab.twoHosts();
  const sink = await startSink(server, { echo: true });
  const holder = await holdConnection(client, { host: server.ip4, port: sink.port, title: 'the-holder' });
  assert.equal(readFileSync(`/proc/${holder.process.pid}/comm`, 'utf8'), 'the-holder\n');
  await holder.tell('send 1000');
  await setTimeout(100);
  const { sent, received } = await holder.tell('state');
  assert.deepEqual([sent, received], [1000, 1000]);
  server.dropMatching({ protocol: 'tcp', dport: sink.port });
  await holder.tell('send 5000');
  await holder.tell('close');
  const before = client.counters();
  await setTimeout(600);
  assert.ok(client.counters().since(before).get('Tcp.RetransSegs') >= 1);
});

test('many short connections are made, each of them', requires('root'), async () => {
  await using lab = Lab.create();
  const { client, server } = lab.twoHosts();
  const sink = await startSink(server);
  const { completed } = await connectOften(client, { host: server.ip4, port: sink.port, count: 100, bytes: 10 });
  assert.equal(completed, 100);
  assert.deepEqual(await sink.stats(), { connections: 100, closed: 100, bytes: 1000 });
});

test('raw frames arrive as they were made', requires('root'), async () => {
  await using lab = Lab.create();
  const { client, server } = lab.twoHosts();
  const before = server.counters();
  const header = Buffer.from(server.mac.replaceAll(':', '') + client.mac.replaceAll(':', ''), 'hex');
  // An IPv4 header whose checksum (0) is wrong.
  const ip = Buffer.from('4500001400000000401100000a6301010a630102', 'hex');
  const frame = Buffer.concat([header, Buffer.from('0800', 'hex'), ip]);
  assert.deepEqual(await injectFrames(client, [frame], 4), { sent: 4, failed: 0 });
  assert.equal(server.counters().since(before).get('IpExt.InCsumErrors'), 4);
});

for (const version of [1, 2] as const) {
  test(`a process starts in its cgroup, version ${version}`, requires('root', `cgroup${version}`), async () => {
    const lab = Lab.create();
    const { server } = lab.twoHosts();
    const cgroup = lab.cgroup(`docker-${'5e'.repeat(32)}.scope`, version);
    const sink = await startSink(server, {}, { cgroup });
    const lines = readFileSync(`/proc/${sink.process.pid}/cgroup`, 'utf8').split('\n');
    assert.equal(lines.filter((line) => line.endsWith(`:${cgroup.path}`)).length, 1);
    lab.close();
    assert.equal(existsSync(cgroup.directory), false);
  });
}

interface LabUserAnswer {
  netns: string;
  sink: number;
  cgroup: string;
}

async function startLabUser(ending: string): Promise<{ user: LabProcess; made: LabUserAnswer }> {
  const user = new LabProcess([process.execPath, '--disable-warning=ExperimentalWarning', LAB_USER, ending]);
  const made = await user.answer<LabUserAnswer>();
  assert.ok(labRemains().netns.includes(made.netns));
  assert.ok(isRunning(made.sink) && existsSync(made.cgroup));
  return { user, made };
}

function assertGone(user: LabProcess, made: LabUserAnswer): void {
  const mine = (name: string): boolean => name.includes(`losslog-${user.pid}-`);
  const { netns, cgroups } = labRemains();
  assert.deepEqual([...netns.filter(mine), ...cgroups.filter(mine)], []);
  assert.equal(isRunning(made.sink), false);
}

/** A process that has ended stays a zombie until init reads its exit code, which may take a while. */
function isRunning(pid: number): boolean {
  try {
    return !/^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

for (const [ending, code] of [
  ['throw', 1],
  ['reject', 1],
  ['exit', 7],
] as const) {
  test(`nothing is left of a program that ends by ${ending}`, requires('root'), async () => {
    const { user, made } = await startLabUser(ending);
    user.tell('end');
    assert.equal((await user.wait(10_000)).code, code);
    assertGone(user, made);
  });
}

for (const [signal, code] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
  ['SIGHUP', 129],
] as const) {
  test(`nothing is left of a program that ${signal} ends`, requires('root'), async () => {
    const { user, made } = await startLabUser('wait');
    user.signal(signal);
    assert.equal((await user.wait(10_000)).code, code);
    assertGone(user, made);
  });
}

test('what a killed program left is removed by the next lab', requires('root'), async () => {
  const { user, made } = await startLabUser('wait');
  user.signal('SIGKILL');
  assert.equal((await user.exited).signal, 'SIGKILL');
  Lab.create().close();
  assertGone(user, made);
});
