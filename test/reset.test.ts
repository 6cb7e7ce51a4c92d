/** Resets, sent and received, with the right ends, and as many as the kernel counts (Tcp: OutRsts). */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Family } from '../lab/drop-rule.ts';
import type { Host } from '../lab/host.ts';
import { Lab } from '../lab/lab.ts';
import { type Holder, holdConnection, injectFrames, sendTcp, startSink } from '../lab/traffic.ts';
import { ACK, ethernet, filler, ipv4, ipv6, PSH, TCP, tcp } from './helpers/frames.ts';
import { type Drop, type Reset, record, tally } from './helpers/record.ts';
import { requires } from './helpers/requires.ts';

const CLOSED_PORT = 81;
const COUNT = 7;

const ipOf = (host: Host, family: Family): string => (family === 4 ? host.ip4 : host.ip6);

const ends = ({ direction, src, sport, dst, dport }: Reset): string => `${direction} ${src}:${sport} ${dst}:${dport}`;

/** Both ends of connections that were reset, as {@link ends} shows them, and how many RSTs each host counts as sent. */
async function resetsOf<T>(client: Host, server: Host, traffic: () => Promise<T>) {
  const { drops, resets, result } = await record([client, server], async () => {
    const before = [client.counters(), server.counters()] as const;
    const made = await traffic();
    await sleep(100);
    const sent = [client.counters().since(before[0]), server.counters().since(before[1])] as const;
    return { made, sent: sent.map((counters) => counters.get('Tcp.OutRsts')) };
  });
  const of = (host: Host): Reset[] => resets.filter(({ netns }) => netns === host.netns);
  const sent = [client, server].map((host) => of(host).filter(({ direction }) => direction === 'sent').length);
  assert.deepEqual(sent, result.sent, 'sent = OutRsts');
  return { drops, made: result.made, byClient: of(client), byServer: of(server) };
}

for (const family of [4, 6] as const) {
  test(`IPv${family}: a closed port answers with a reset`, requires('root', 'btf'), async () => {
    await using lab = Lab.create();
    const { client, server } = lab.twoHosts();
    const host = ipOf(server, family);
    const { drops, byClient, byServer } = await resetsOf(client, server, async () => {
      const { errors } = await sendTcp(client, {
        host,
        port: CLOSED_PORT,
        bytes: 0,
        connections: COUNT,
        title: 'wget',
      });
      assert.deepEqual(errors, Array(COUNT).fill('ECONNREFUSED'));
    });
    const syns: Drop[] = drops.filter(({ reason }) => reason === 'NO_SOCKET');
    const facts = syns.map((event) => [event.class, event.tcpFlags, event.dst, event.dport, event.pid].join(' '));
    assert.deepEqual(tally(facts), { [`loss SYN ${host} ${CLOSED_PORT} `]: COUNT });
    const flows = syns.map(({ src, sport }) => `${src}:${sport}`).sort();
    assert.equal(new Set(flows).size, COUNT);
    const answered = flows.map((flow) => `sent ${host}:${CLOSED_PORT} ${flow}`);
    assert.deepEqual(byServer.map(ends).sort(), answered);
    const refused = flows.map((flow) => `received ${flow} ${host}:${CLOSED_PORT}`);
    assert.deepEqual(byClient.map(ends).sort(), refused);
    for (const event of byServer)
      assert.deepEqual([event.reason, event.device, event.pid], ['NO_SOCKET', 'eth0', undefined]);
    for (const event of byClient) assert.deepEqual([event.state, event.process], ['TCP_SYN_SENT', 'wget']);
  });

  test(`IPv${family}: a connection that one end aborts`, requires('root', 'btf'), async () => {
    await using lab = Lab.create();
    const { client, server } = lab.twoHosts();
    const host = ipOf(server, family);
    const sink = await startSink(server, { title: 'sink' });
    const { made, byClient, byServer } = await resetsOf(client, server, async () => {
      const held = await hold(client, host, sink.port);
      for (const { tell } of held) await tell('abort');
      return held.map(({ localPort }) => `${ipOf(client, family)}:${localPort}`);
    });
    assert.deepEqual(byClient.map(ends).sort(), made.map((from) => `sent ${from} ${host}:${sink.port}`).sort());
    assert.deepEqual(byServer.map(ends).sort(), made.map((from) => `received ${host}:${sink.port} ${from}`).sort());
    for (const { family: name, process, state } of byClient) {
      assert.deepEqual([name, process, state], [`ipv${family}`, 'holder', 'TCP_CLOSE']);
    }
    for (const { state } of byServer) assert.equal(state, 'TCP_ESTABLISHED');
  });

  test(`IPv${family}: a program that ends with unread data`, requires('root', 'btf'), async () => {
    await using lab = Lab.create();
    const { client, server } = lab.twoHosts();
    const host = ipOf(server, family);
    const deaf = await startSink(server, { read: false, title: 'deaf' });
    const { made, byClient, byServer } = await resetsOf(client, server, async () => {
      const held = await hold(client, host, deaf.port);
      for (const { tell } of held) await tell('send 1009');
      deaf.process.kill();
      await sleep(100);
      return held.map(({ localPort }) => `${ipOf(client, family)}:${localPort}`);
    });
    assert.deepEqual(byServer.map(ends).sort(), made.map((from) => `sent ${host}:${deaf.port} ${from}`).sort());
    assert.deepEqual(byClient.map(ends).sort(), made.map((from) => `received ${from} ${host}:${deaf.port}`).sort());
    for (const { reason, process } of byServer) assert.deepEqual([reason, process], ['TCP_ABORT_ON_CLOSE', 'deaf']);
    for (const { process } of byClient) assert.equal(process, 'holder');
  });

  test(`IPv${family}: a listener answers for a connection that is not there`, requires('root', 'btf'), async () => {
    await using lab = Lab.create();
    const { client, server } = lab.twoHosts();
    const sink = await startSink(server, { title: 'sink' });
    const [src, dst] = [ipOf(client, family), ipOf(server, family)];
    const payload = tcp(src, dst, { sport: 7, dport: sink.port, seq: 1, flags: PSH | ACK, payload: filler(10) });
    const packet = family === 4 ? ipv4({ src, dst, protocol: TCP }, payload) : ipv6(src, dst, TCP, payload);
    const { byServer } = await resetsOf(client, server, () =>
      injectFrames(client, [ethernet(client, server.mac, packet)], COUNT),
    );
    assert.deepEqual(tally(byServer.map(ends)), { [`sent ${dst}:${sink.port} ${src}:7`]: COUNT });
    for (const { state, process } of byServer) assert.deepEqual([state, process], ['TCP_LISTEN', 'sink']);
  });
}

function hold(client: Host, host: string, port: number): Promise<Holder[]> {
  const title = 'holder';
  return Promise.all(Array.from({ length: COUNT }, () => holdConnection(client, { host, port, title })));
}
