/**
 * Retransmissions against the kernel's own counters, exactly. The relations are worked out from net/ipv4/tcp_output.c,
 * tcp_timer.c and tcp_input.c and stated in docs/events/retransmit.md.
 */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Host } from '../lab/host.ts';
import { Lab, type TopologyOptions } from '../lab/lab.ts';
import { Recorder } from '../lab/recorder.ts';
import { segmentsOf } from '../lab/retransmissions.ts';
import { holdConnection, sendTcp, startFullListener, startSink } from '../lab/traffic.ts';
import { requires } from './helpers/requires.ts';
import { assertCounters, of, sequenceNumbers } from './helpers/retransmit-counters.ts';
import { seen } from './helpers/seen.ts';

/** Records both hosts while `traffic` runs; returns the sender's retransmissions and what its counters grew by. */
function recorded(hosts: Host[], sender: Host, traffic: () => Promise<void>) {
  return seen(() => recordOnce(hosts, sender, traffic));
}

async function recordOnce(hosts: Host[], sender: Host, traffic: () => Promise<void>) {
  await using recorder = await Recorder.start({ hosts });
  const before = sender.counters();
  await traffic();
  const counters = sender.counters().since(before);
  await recorder.stop();
  assert.deepEqual(recorder.gaps(), [], 'nothing was lost on the way');
  const events = recorder.eventsOf('retransmit').filter(({ netns }) => netns === sender.netns);
  return { events, counters };
}

/** A machine in software takes five times as long. */
const EMULATED = process.env.LOSSLOG_TEST_EMULATED === '1';
const [LOSS, BYTES, SMALL_BYTES] = EMULATED ? [0.05, 4_000_000, 1_500_000] : [0.01, 60_000_000, 8_000_000];

const OFFLOADS: [string, TopologyOptions][] = [
  ['GSO and TSO', {}],
  ['GSO without TSO', { tso: false }],
  ['no GSO', { gso: false }],
];

for (const family of [4, 6] as const) {
  for (const [name, options] of OFFLOADS) {
    test(
      `retransmissions: random loss, IPv${family}, ${name}: every counter of the kernel is met`,
      requires('root', 'btf', 'statistic'),
      async () => {
        await using lab = Lab.create();
        const { client, server } = lab.twoHosts(options);
        const sink = await startSink(server);
        server.dropRandomly(LOSS, { family, protocol: 'tcp' });
        const bytes = options.gso === false ? SMALL_BYTES : BYTES;
        const { events, counters } = await recorded([client, server], client, async () => {
          const result = await sendTcp(
            client,
            { host: family === 4 ? server.ip4 : server.ip6, port: sink.port, bytes, connections: 4 },
            { timeoutMs: 60_000 },
          );
          assert.deepEqual(result.errors, []);
        });
        assert.ok(segmentsOf(events) > 50, `only ${segmentsOf(events)} segments were resent`);
        assertCounters(events, counters);
        for (const event of events) {
          assert.equal(event.family, `ipv${family}`);
          assert.equal(event.dport, sink.port);
          const beyondPayload = sequenceNumbers(event) - (event.bytes as number);
          assert.ok(beyondPayload === 0 || beyondPayload === 1, 'payload, and one for a FIN');
        }
      },
    );
  }
}

test(
  'retransmissions: an outage: timeouts, then recovery clocked by acknowledgements',
  requires('root', 'btf'),
  async () => {
    await using lab = Lab.create();
    const { client, server } = lab.twoHosts({ tso: false });
    const sink = await startSink(server);
    const { events, counters } = await recorded([client, server], client, async () => {
      const sending = sendTcp(
        client,
        { host: server.ip4, port: sink.port, bytes: 60_000_000, chunkBytes: 65_536, pauseMs: 2 },
        { timeoutMs: 60_000 },
      );
      while (client.counters().get('Tcp.OutSegs') < 300) await sleep(20);
      const outage = server.dropMatching({ family: 4, protocol: 'tcp', chain: 'INPUT' });
      while (client.counters().get('TcpExt.TCPTimeouts') < 3) await sleep(20);
      outage.remove();
      await sending;
    });
    assertCounters(events, counters);
    assert.ok(of(events, 'loss-recovery').length >= 5, 'recovery');
    const timeouts = of(events, 'rto');
    const counted = timeouts.map(({ retransmits }) => retransmits as number);
    assert.deepEqual(counted.slice(0, 3), [1, 2, 3], 'tcp_enter_loss() has counted this timeout in icsk_retransmits');
    // On a slow machine a later acknowledgement is late, too: then it begins again.
    assert.ok(counted.every((count, i) => count === 1 || count === (counted[i - 1] ?? 0) + 1));
    assert.ok(timeouts.every(({ caState, state }) => caState === 'Loss' && state === 'TCP_ESTABLISHED'));
  },
);

test('retransmissions: a lost tail: the probe is told apart from a timeout', requires('root', 'btf'), async () => {
  await using lab = Lab.create();
  const { client, server } = lab.twoHosts();
  const sink = await startSink(server);
  const { events, counters } = await recorded([client, server], client, async () => {
    const held = await holdConnection(client, { host: server.ip4, port: sink.port });
    await held.tell('send 1000');
    await sleep(200);
    const loss = server.dropMatching({ family: 4, protocol: 'tcp', chain: 'INPUT' });
    await held.tell('send 1009');
    await sleep(150);
    loss.remove();
    await sleep(1000);
    await held.tell('close');
  });
  assertCounters(events, counters);
  assert.equal(
    of(events, 'tail-loss-probe').length,
    counters.get('TcpExt.TCPLossProbes'),
    'no new data: each probe resends',
  );
  const [probe] = events;
  assert.equal(probe?.cause, 'tail-loss-probe');
  assert.equal(probe?.bytes, 1009);
  assert.equal(probe?.totalRetransmits, 1, 'total_retrans counts this one');
});

test('retransmissions: SYN unanswered, and SYN-ACK unanswered', requires('root', 'btf'), async () => {
  await using lab = Lab.create();
  const { client, server } = lab.twoHosts();
  const sink = await startSink(server);
  const loss = client.dropMatching({ family: 4, protocol: 'tcp', chain: 'INPUT' });
  await using recorder = await Recorder.start({ hosts: [client, server] });
  const before = [client.counters(), server.counters()] as const;
  const sending = sendTcp(client, { host: server.ip4, port: sink.port, bytes: 1000 }, { timeoutMs: 30_000 });
  const isResent = (host: Host, at: 0 | 1, times: number): boolean =>
    host.counters().since(before[at]).get('Tcp.RetransSegs') >= times;
  while (!isResent(client, 0, 2) || !isResent(server, 1, 1)) await sleep(20);
  loss.remove();
  await sending;
  const counters = [client.counters().since(before[0]), server.counters().since(before[1])] as const;
  await recorder.stop();
  const events = recorder.eventsOf('retransmit');
  const byClient = events.filter(({ netns }) => netns === client.netns);
  const byServer = events.filter(({ netns }) => netns === server.netns);
  assertCounters(byClient, counters[0]);
  assertCounters(byServer, counters[1]);
  const ofHandshake = (some: typeof events, cause: 'syn' | 'syn-ack', state: string): typeof events => {
    const found = some.filter((event) => event.state === state);
    assert.ok(found.every((event) => event.cause === cause));
    assert.equal(of(some, cause).length, found.length, 'in no other state');
    return found;
  };
  const syns = ofHandshake(byClient, 'syn', 'TCP_SYN_SENT');
  const synAcks = ofHandshake(byServer, 'syn-ack', 'TCP_NEW_SYN_RECV');
  assert.ok(syns.length >= 2 && synAcks.length >= 1);
  for (const { src, sport, dst } of synAcks) assert.deepEqual([src, sport, dst], [server.ip4, sink.port, client.ip4]);
  for (const event of [...syns, ...synAcks]) assert.equal(sequenceNumbers(event), 1, 'a SYN takes one');
});

test(
  'retransmissions: a full accept queue: SYNs are resent, and no drop tells why',
  requires('root', 'btf'),
  async () => {
    await using lab = Lab.create();
    const { client, server } = lab.twoHosts();
    const { port } = await startFullListener(server, { backlog: 1 });
    for (let i = 0; i < 2; i++) await holdConnection(client, { host: server.ip4, port });
    const before = server.counters();
    const { events, counters } = await recorded([client, server], client, async () => {
      await assert.rejects(sendTcp(client, { host: server.ip4, port, bytes: 0 }, { timeoutMs: 9000 }));
    });
    assert.ok(server.counters().since(before).get('TcpExt.ListenOverflows') >= 2);
    assertCounters(events, counters);
    assert.ok(of(events, 'syn').length >= 2);
  },
);

test(
  'retransmissions: refused by the own firewall, and by the own queue: failed says so',
  requires('root', 'btf', 'tbf', 'err'),
  async () => {
    await using lab = Lab.create();
    const { client, server } = lab.twoHosts();
    const sink = await startSink(server);
    const refused = await recorded([client, server], client, async () => {
      const held = await holdConnection(client, { host: server.ip4, port: sink.port });
      const loss = server.dropMatching({ family: 4, protocol: 'tcp', chain: 'INPUT' });
      await held.tell('send 1000');
      await sleep(100);
      const rule = client.dropMatching({ family: 4, protocol: 'tcp', chain: 'OUTPUT' });
      await sleep(1500);
      rule.remove();
      loss.remove();
      await sleep(1000);
      await held.tell('close');
    });
    assertCounters(refused.events, refused.counters);
    assert.ok(
      refused.events.some(({ failed }) => failed === 'EPERM'),
      'refused by the firewall',
    );
    const queued = await recorded([client, server], client, async () => {
      const queue = client.limitRate({ rate: '20mbit', burstBytes: 4000, limitBytes: 8000 });
      await sendTcp(
        client,
        { host: server.ip4, port: sink.port, bytes: 240_000, connections: 8 },
        { timeoutMs: 60_000 },
      );
      queue.remove();
    });
    assertCounters(queued.events, queued.counters);
    assert.ok(
      queued.events.some(({ failed }) => failed === 'NET_XMIT_DROP'),
      'refused by the queue',
    );
  },
);
