/** Connections that lost something, against what the kernel itself says of them. Fields: docs/events/connection.md. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { compiled } from '../lab/compile.ts';
import type { Family } from '../lab/drop-rule.ts';
import type { Host } from '../lab/host.ts';
import { Lab } from '../lab/lab.ts';
import { patience } from '../lab/process.ts';
import { type JsonEvent, Recorder } from '../lab/recorder.ts';
import { connectOften, holdConnection, type Sink, sendTcp, startSink } from '../lab/traffic.ts';
import { requires } from './helpers/requires.ts';
import { seen } from './helpers/seen.ts';

type Connection = JsonEvent<'connection'>;

/** What TCP_INFO says, by the names of the event's fields. */
type TcpInfo = Pick<
  Connection,
  'segments' | 'bytes' | 'retransmitted' | 'bytesRetransmitted' | 'spurious' | 'reordered' | 'timeouts'
> & { cookie: number; minRttUs: number; srttUs: number };

async function recorded<T>(hosts: Host[], traffic: () => Promise<T>, ...args: string[]) {
  return await seen(async () => {
    await using recorder = await Recorder.start({ hosts, args });
    const result = await traffic();
    await recorder.stop();
    assert.deepEqual(
      recorder.eventsOf('coverage', '--all').filter(({ state }) => state === 'lost'),
      [],
    );
    return { result, connections: recorder.eventsOf('connection'), resent: recorder.eventsOf('retransmit') };
  });
}

const of = (connections: readonly Connection[], host: Host): Connection[] =>
  connections.filter(({ netns }) => netns === host.netns);

const sum = (connections: readonly Connection[]): number =>
  connections.reduce((total, { retransmitted }) => total + (retransmitted as number), 0);

/** Those in TIME_WAIT send nothing any more. */
const hasOpenConnections = (host: Host): boolean =>
  host.exec('ss', '-Htn', 'exclude', 'listening', 'exclude', 'closed', 'exclude', 'time-wait') !== '';

/** A connection that has lost something, and goes on as it is told. */
async function lossy(client: Host, server: Host, sink: Sink) {
  const held = await holdConnection(client, { host: server.ip4, port: sink.port, title: 'curl' });
  await held.tell('send 1000');
  await sleep(100);
  const outage = server.dropMatching({ family: 4, protocol: 'tcp', dport: sink.port });
  await held.tell('send 1009');
  await sleep(300);
  outage.remove();
  // However long the sender waits by now: what ends the connection next shall find all of it arrived.
  const deadline = performance.now() + patience(30_000);
  while (hasUnacknowledged(client)) {
    assert.ok(performance.now() < deadline, 'what was sent again is not acknowledged');
    await sleep(50);
  }
  return held;
}

/** By the second column of `ss`, Send-Q. */
const hasUnacknowledged = (host: Host): boolean =>
  host
    .exec('ss', '-Htn', 'state', 'established')
    .split('\n')
    .some((line) => Number(line.trim().split(/\s+/)[1] ?? 0) > 0);

for (const family of [4, 6] as Family[])
  test(
    `connection: IPv${family}: an ended connection is what TCP_INFO said of it`,
    requires('root', 'btf', 'statistic'),
    async () => {
      await using lab = Lab.create();
      const { client, server } = lab.twoHosts({ tso: false });
      const sink = await startSink(server);
      const { result: info, connections } = await recorded([client, server], async () => {
        const loss = server.dropEveryNth(11, { family, protocol: 'tcp', dport: sink.port });
        const sender = client.spawn([
          compiled('tcp-info'),
          server.ip(family),
          String(sink.port),
          '500009',
          '20011',
          '5',
        ]);
        // It answers when all is acknowledged.
        sender.tell('info');
        const said = await sender.answer<TcpInfo>();
        loss.remove();
        sender.end();
        await sender.wait();
        await sleep(200);
        return { ...said, pid: sender.pid };
      });
      assert.equal(connections.length, 1, 'the server resent nothing');
      const [event] = connections as [Connection];
      assert.ok((event.retransmitted as number) >= 30, `${event.retransmitted} resent`);
      const { cookie, pid, minRttUs, srttUs: _, ...exact } = info;
      for (const [name, value] of Object.entries(exact)) assert.equal(event[name as keyof typeof exact], value, name);
      assert.ok((event.minRttUs as number) <= minRttUs && (event.minRttUs as number) > 0, 'the FIN was measured too');
      assert.equal(event.lossRatio, (exact.bytesRetransmitted as number) / (exact.bytes as number));
      assert.deepEqual(
        [event.socketCookie, event.pid, event.process, event.phase, event.closedBy, event.error],
        [cookie, pid, 'tcp-info', 'ended', 'local', undefined],
      );
      assert.deepEqual([event.src, event.dst, event.dport], [client.ip(family), server.ip(family), sink.port]);
      assert.ok((event.durationMs as number) >= 100 && (event.durationMs as number) < 60_000);
    },
  );

test(
  'connection: the ends add up to the counters of both namespaces, handshakes included',
  requires('root', 'btf', 'statistic'),
  async () => {
    await using lab = Lab.create();
    const { client, server } = lab.twoHosts({ tso: false });
    const sink = await startSink(server, { echo: true });
    for (const host of [client, server]) host.dropRandomly(0.05, { family: 4, protocol: 'tcp' });
    const { result, connections } = await recorded([client, server], async () => {
      const before = [client.counters(), server.counters()] as const;
      const many = { host: server.ip4, port: sink.port, count: 101, concurrency: 50, bytes: 5003 };
      const sent = await connectOften(client, many);
      // A FIN that is lost goes on being resent after both programs are done.
      while ([client, server].some(hasOpenConnections)) await sleep(200);
      const grown = [client.counters().since(before[0]), server.counters().since(before[1])] as const;
      return { sent, resent: grown.map((counters) => counters.get('Tcp.RetransSegs')) };
    });
    assert.equal(result.sent.completed, 101 + 49, 'rounded up to whole rounds');
    assert.deepEqual([sum(of(connections, client)), sum(of(connections, server))], result.resent);
    assert.ok(connections.every(({ phase, retransmitted }) => phase === 'ended' && (retransmitted as number) > 0));
    // two sockets of one address and port, at either end, are two ends
    const ends = new Set(connections.map(({ netns, sport, dport }) => `${netns} ${sport} ${dport}`));
    assert.equal(ends.size, connections.length, 'one end each');
  },
);

test('connection: who closed it: this end, the peer, a RST, nobody', requires('root', 'btf'), async () => {
  await using lab = Lab.create();
  const { client, server } = lab.twoHosts();
  const endings: [
    Connection['closedBy'],
    string | undefined,
    string,
    (held: Awaited<ReturnType<typeof lossy>>, sink: Sink) => Promise<void>,
  ][] = [
    ['local', undefined, 'TCP_FIN_WAIT2', async (held) => void (await held.tell('close'))],
    ['peer', undefined, 'TCP_LAST_ACK', async (_, sink) => sink.process.kill()],
    ['local', undefined, 'TCP_ESTABLISHED', async (held) => void (await held.tell('abort'))],
    [
      'timeout',
      'ETIMEDOUT',
      'TCP_ESTABLISHED',
      async (held, sink) => {
        // Only now: on a slow machine the outage before may last longer than a second.
        client.sysctl('net.ipv4.tcp_retries2', 1);
        server.dropMatching({ family: 4, protocol: 'tcp', dport: sink.port });
        await held.tell('send 1009');
        await sleep(patience(1500));
      },
    ],
  ];
  for (const [closedBy, error, state, end] of endings) {
    const { connections } = await recorded([client], async () => {
      const sink = await startSink(server);
      const held = await lossy(client, server, sink);
      await end(held, sink);
      await sleep(200);
      held.process.kill();
    });
    assert.deepEqual(
      connections.map((event) => [event.closedBy, event.error, event.state, event.process]),
      [[closedBy, error, state, 'curl']],
    );
  }
});

test('connection: one that the peer resets', requires('root', 'btf'), async () => {
  await using lab = Lab.create();
  const { client, server } = lab.twoHosts();
  const { connections } = await recorded([client], async () => {
    const sink = await startSink(server, { read: false });
    await lossy(client, server, sink);
    // With data that nobody has read: RST and no FIN.
    sink.process.kill();
    await sleep(300);
  });
  assert.deepEqual(
    connections.map((event) => [event.closedBy, event.error, event.state]),
    [['peer', 'ECONNRESET', 'TCP_ESTABLISHED']],
  );
});

test('connection: one that never came about has neither data nor duration', requires('root', 'btf'), async () => {
  await using lab = Lab.create();
  const { client, server } = lab.twoHosts();
  server.dropMatching({ family: 4, protocol: 'tcp' });
  // since Linux 6.5 these come on top
  const linear = '/proc/sys/net/ipv4/tcp_syn_linear_timeouts';
  client.exec('sh', '-c', `[ ! -e ${linear} ] || echo 0 >${linear}`);
  client.sysctl('net.ipv4.tcp_syn_retries', 1);
  const { connections } = await recorded([client], () => sendTcp(client, { host: server.ip4, port: 443, bytes: 0 }));
  assert.deepEqual(
    connections.map(({ state, closedBy, error, retransmitted, bytes, lossRatio, durationMs }) => [
      ...[state, closedBy, error, retransmitted],
      ...[bytes, lossRatio, durationMs],
    ]),
    [['TCP_SYN_SENT', 'timeout', 'ETIMEDOUT', 1, 0, undefined, undefined]],
  );
});

test(
  'connection: one that lives and goes on resending is reported now and then',
  requires('root', 'btf', 'statistic'),
  async () => {
    await using lab = Lab.create();
    const { client, server } = lab.twoHosts({ tso: false });
    const sink = await startSink(server);
    server.dropEveryNth(13, { family: 4, protocol: 'tcp', dport: sink.port });
    const options = { host: server.ip4, port: sink.port, bytes: 1_000_000, chunkBytes: 20_000, pauseMs: 60 };
    const { connections, resent } = await recorded([client], () => sendTcp(client, options), '--report-every', '500ms');
    const living = connections.filter(({ phase }) => phase === 'living');
    const [ended] = connections.slice(-1) as [Connection];
    assert.ok(living.length >= 3, `${living.length} reports in three seconds`);
    assert.equal(ended.phase, 'ended');
    assert.equal(connections.length, living.length + 1);
    for (const [i, event] of living.entries()) {
      const next = connections[i + 1] as Connection;
      assert.ok(
        (next.bootNs as number) >= (event.bootNs as number) + (next === ended ? 0 : 490e6),
        'half a second apart',
      );
      assert.ok((next.retransmitted as number) >= (event.retransmitted as number));
      assert.deepEqual(
        [event.socketCookie, event.closedBy, event.state],
        [ended.socketCookie, undefined, 'TCP_ESTABLISHED'],
      );
      const so = resent.filter(({ bootNs }) => (bootNs as number) <= (event.bootNs as number)).length;
      assert.ok(
        so <= (event.retransmitted as number) && (event.retransmitted as number) <= so + 1,
        'counted up to then',
      );
    }
    assert.equal(
      ended.retransmitted,
      resent.reduce((total, { segments }) => total + (segments as number), 0),
    );
  },
);

test('connection: what lost nothing has no report', requires('root', 'btf'), async () => {
  await using lab = Lab.create();
  const { client, server } = lab.twoHosts();
  const sink = await startSink(server, { echo: true });
  const { connections, resent } = await recorded([client, server], () =>
    connectOften(client, { host: server.ip4, port: sink.port, count: 100 }),
  );
  const lost = new Set(resent.map(({ socketCookie }) => socketCookie));
  assert.deepEqual(
    connections.filter(({ socketCookie }) => !lost.has(socketCookie)),
    [],
  );
});
