/** The owner: the process that has the connection, never the interrupted one. */

import assert from 'node:assert/strict';
import { readdirSync, readlinkSync } from 'node:fs';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { compiled } from '../lab/compile.ts';
import { Lab } from '../lab/lab.ts';
import { type JsonEvent, Recorder } from '../lab/recorder.ts';
import { holdConnection, splitSender, startSink } from '../lab/traffic.ts';
import { requires } from './helpers/requires.ts';

/** Long enough for a tail loss probe and two timeouts. */
const OUTAGE_MS = 900;

type Owned = JsonEvent<'retransmit'> | JsonEvent<'drop'>;

const inodesOf = (pid: number): Set<number> =>
  new Set(
    readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
      const match = /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${fd}`));
      return match ? [Number(match[1])] : [];
    }),
  );

function assertOwner(events: readonly Owned[], pid: number, process: string): void {
  assert.ok(events.length > 0, `no event of ${process}`);
  for (const event of events)
    assert.deepEqual([event.pid, event.process, event.uid], [pid, process, 0], JSON.stringify(event));
}

const isResent = (event: JsonEvent): event is JsonEvent<'retransmit'> => event.kind === 'retransmit';
const isFiltered = (event: JsonEvent): event is JsonEvent<'drop'> =>
  event.kind === 'drop' && event.reason === 'NETFILTER_DROP';

for (const when of ['before', 'after'] as const) {
  test(`opened ${when} the recorder: both ends of a lossy connection`, requires('root', 'btf'), async () => {
    await using lab = Lab.create();
    const { client, server } = lab.twoHosts();
    const sink = await startSink(server, { title: 'the-sink' });
    const early =
      when === 'before'
        ? await holdConnection(client, { host: server.ip4, port: sink.port, title: 'the-holder' })
        : undefined;
    await using recorder = await Recorder.start({ hosts: [client, server] });
    const holder = early ?? (await holdConnection(client, { host: server.ip4, port: sink.port, title: 'the-holder' }));
    const loss = server.dropMatching({ family: 4, protocol: 'tcp', dport: sink.port });
    await holder.tell('send 1009');
    await sleep(OUTAGE_MS);
    loss.remove();
    await sleep(OUTAGE_MS);
    const inodes = { holder: inodesOf(holder.process.pid), sink: inodesOf(sink.process.pid) };
    await recorder.stop();
    const events = recorder.events();
    const resent = events.filter(isResent);
    assertOwner(resent, holder.process.pid, 'the-holder');
    for (const { socketInode } of resent) assert.ok(inodes.holder.has(socketInode as number));
    const dropped = events.filter(isFiltered);
    assertOwner(dropped, sink.process.pid, 'the-sink');
    for (const { socketInode } of dropped) assert.ok(inodes.sink.has(socketInode as number));
  });
}

test("an accepted connection is its acceptor's", requires('root', 'btf'), async () => {
  await using lab = Lab.create();
  const { client, server } = lab.twoHosts();
  const sink = await startSink(server, { echo: true, title: 'the-echo' });
  await using recorder = await Recorder.start({ hosts: [client, server] });
  const holder = await holdConnection(client, { host: server.ip4, port: sink.port, title: 'the-holder' });
  const loss = client.dropMatching({ family: 4, protocol: 'tcp', sport: sink.port });
  await holder.tell('send 1009');
  await sleep(OUTAGE_MS);
  loss.remove();
  await sleep(OUTAGE_MS);
  await recorder.stop();
  const resent = recorder.events().filter(isResent);
  assertOwner(
    resent.filter(({ netns }) => netns === server.netns),
    sink.process.pid,
    'the-echo',
  );
});

test("an orphan is still the one's who closed it", requires('root', 'btf'), async () => {
  await using lab = Lab.create();
  const { client, server } = lab.twoHosts();
  const sink = await startSink(server);
  await using recorder = await Recorder.start({ hosts: [client, server] });
  const holder = await holdConnection(client, { host: server.ip4, port: sink.port, title: 'the-holder' });
  const loss = server.dropMatching({ family: 4, protocol: 'tcp', dport: sink.port });
  await holder.tell('send 1009');
  await holder.tell('close');
  await sleep(OUTAGE_MS);
  loss.remove();
  await sleep(OUTAGE_MS);
  await recorder.stop();
  const orphaned = recorder
    .events()
    .filter(isResent)
    .filter(({ state }) => state === 'TCP_FIN_WAIT1');
  assertOwner(orphaned, holder.process.pid, 'the-holder');
});

test('the two ends of a loopback connection', requires('root', 'btf'), async () => {
  await using lab = Lab.create();
  const { client } = lab.twoHosts();
  const sink = await startSink(client, { host: '127.0.0.1', title: 'the-sink' });
  await using recorder = await Recorder.start({ hosts: [client] });
  const holder = await holdConnection(client, { host: '127.0.0.1', port: sink.port, title: 'the-holder' });
  const loss = client.dropMatching({ family: 4, protocol: 'tcp', dport: sink.port });
  await holder.tell('send 1009');
  await sleep(OUTAGE_MS);
  loss.remove();
  await sleep(OUTAGE_MS);
  await recorder.stop();
  const events = recorder.events();
  assertOwner(events.filter(isResent), holder.process.pid, 'the-holder');
  assertOwner(events.filter(isFiltered), sink.process.pid, 'the-sink');
});

for (const mode of ['thread', 'fork'] as const) {
  test(
    `a socket that another task than the one that connected sends on: ${mode}`,
    requires('root', 'btf'),
    async () => {
      await using lab = Lab.create();
      const { client, server } = lab.twoHosts();
      const sink = await startSink(server);
      await using recorder = await Recorder.start({ hosts: [client, server] });
      const { leader } = await splitSender(client, { mode, host: server.ip4, port: sink.port });
      const loss = server.dropMatching({ family: 4, protocol: 'tcp', dport: sink.port });
      await sleep(OUTAGE_MS);
      loss.remove();
      await sleep(OUTAGE_MS);
      await recorder.stop();
      assertOwner(recorder.events().filter(isResent), leader, 'the-leader');
    },
  );
}

test('a datagram of a process that is gone a moment later: its owner or none', requires('root', 'btf'), async () => {
  await using lab = Lab.create();
  const { client, server } = lab.twoHosts();
  await using recorder = await Recorder.start({ hosts: [client] });
  client.dropMatching({ family: 4, protocol: 'udp', chain: 'OUTPUT', dport: 4321 });
  const blast = client.spawn([compiled('blast'), server.ip4, '4321', '1', '100', '0', '0']);
  await blast.wait();
  await recorder.stop();
  const [dropped, ...more] = recorder.events().filter(isFiltered);
  assert.deepEqual([dropped?.dport, more.length], [4321, 0]);
  assert.ok(dropped?.pid === undefined || dropped.pid === blast.pid, JSON.stringify(dropped));
});

test('equal tuples in two namespaces', requires('root', 'btf'), async () => {
  await using lab = Lab.create();
  const pairs = [lab.twoHosts(), lab.twoHosts()];
  await using recorder = await Recorder.start({ hosts: pairs.flatMap(({ client, server }) => [client, server]) });
  const held = [];
  for (const [i, { client, server }] of pairs.entries()) {
    const sink = await startSink(server, { port: 7001, title: `sink-${i}` });
    const holder = await holdConnection(client, {
      host: server.ip4,
      port: 7001,
      localPort: 7002,
      title: `holder-${i}`,
    });
    const loss = server.dropMatching({ family: 4, protocol: 'tcp', dport: 7001 });
    held.push({ sink, holder, loss, client, server });
  }
  for (const { holder } of held) await holder.tell('send 1009');
  await sleep(OUTAGE_MS);
  for (const { loss } of held) loss.remove();
  await sleep(OUTAGE_MS);
  await recorder.stop();
  const events = recorder.events();
  for (const [i, { sink, holder, client, server }] of held.entries()) {
    const inNetns = ({ netns }: Owned, host: { netns: number }): boolean => netns === host.netns;
    assertOwner(
      events.filter(isResent).filter((event) => inNetns(event, client)),
      holder.process.pid,
      `holder-${i}`,
    );
    assertOwner(
      events.filter(isFiltered).filter((event) => inNetns(event, server)),
      sink.process.pid,
      `sink-${i}`,
    );
  }
});

for (const version of [1, 2] as const) {
  test(
    `cgroup v${version} and container outlive the process and its cgroup`,
    requires('root', 'btf', `cgroup${version}`),
    async () => {
      await using lab = Lab.create();
      const { client, server } = lab.twoHosts();
      const sink = await startSink(server);
      const id = '0123456789abcdef'.repeat(4);
      const group = lab.cgroup(`docker-${id}.scope`, version);
      await using recorder = await Recorder.start({ hosts: [client, server] });
      const target = { host: server.ip4, port: sink.port, title: 'in-container' };
      const holder = await holdConnection(client, target, { cgroup: group });
      const loss = server.dropMatching({ family: 4, protocol: 'tcp', dport: sink.port });
      await holder.tell('send 1009');
      holder.process.kill();
      await holder.process.wait();
      group.remove();
      await sleep(OUTAGE_MS);
      loss.remove();
      await sleep(OUTAGE_MS);
      await recorder.stop();
      const resent = recorder.events('--container', id.slice(0, 12)).filter(isResent);
      assertOwner(resent, holder.process.pid, 'in-container');
      assert.equal(resent.length, recorder.events().filter(isResent).length);
      for (const event of resent) assert.deepEqual([event.cgroup, event.container], [group.path, id]);
    },
  );
}

test(
  "a packet dropped before a socket was looked up: its connection's owner, or its listener's",
  requires('root', 'btf'),
  async () => {
    await using lab = Lab.create();
    const { client, server } = lab.twoHosts();
    const sink = await startSink(server, { title: 'the-sink' });
    await using recorder = await Recorder.start({ hosts: [server] });
    const holder = await holdConnection(client, { host: server.ip4, port: sink.port });
    const loss = server.dropMatching({
      family: 4,
      protocol: 'tcp',
      chain: 'PREROUTING',
      table: 'raw',
      dport: sink.port,
    });
    await holder.tell('send 1009');
    const refused = holdConnection(client, { host: server.ip4, port: sink.port });
    await sleep(OUTAGE_MS);
    loss.remove();
    await refused;
    await recorder.stop();
    const dropped = recorder.events().filter(isFiltered);
    assert.ok(
      dropped.some(({ tcpFlags }) => tcpFlags === 'SYN') && dropped.some(({ tcpFlags }) => tcpFlags === 'PSH|ACK'),
    );
    assertOwner(dropped, sink.process.pid, 'the-sink');
  },
);
