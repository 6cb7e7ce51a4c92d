/** Drops against the counters of the rules that made them, exactly. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Host } from '../lab/host.ts';
import { Lab } from '../lab/lab.ts';
import { type JsonEvent, Recorder } from '../lab/recorder.ts';
import { blastUdp, connectOften, startSink } from '../lab/traffic.ts';
import { requires } from './helpers/requires.ts';
import { seen } from './helpers/seen.ts';

const COUNT = 997;
const PORT = 4791;
const SPORT = 4789;

type Drop = JsonEvent<'drop'>;

async function drops(hosts: Host[], traffic: () => Promise<void>): Promise<Drop[]> {
  await using recorder = await Recorder.start({ hosts });
  await traffic();
  await recorder.stop();
  assert.deepEqual(recorder.eventsOf('coverage'), []);
  return recorder.eventsOf('drop');
}

const CHAINS = [
  { chain: 'INPUT', direction: 'rx' },
  { chain: 'PREROUTING', table: 'raw', direction: 'rx' },
  { chain: 'FORWARD', direction: 'forward' },
  { chain: 'OUTPUT', direction: 'tx' },
] as const;

for (const family of [4, 6] as const) {
  for (const { direction, ...place } of CHAINS) {
    test(`IPv${family} dropped in ${place.chain}: as many as the rule counts`, requires('root', 'btf'), async () => {
      await using lab = Lab.create();
      const { client, router, server } = lab.routed();
      const where = { rx: server, forward: router, tx: client }[direction];
      const target = family === 4 ? server.ip4 : server.ip6;
      const { events, counted } = await seen(async () => {
        const rule = where.dropMatching({ ...place, family, protocol: 'udp', dport: PORT });
        const all = await drops([where], async () => {
          await blastUdp(client, { host: target, port: PORT, count: COUNT, sport: SPORT, rate: 20_000 });
        });
        const packets = rule.packets(family);
        rule.remove();
        return { events: all.filter(({ reason }) => reason === 'NETFILTER_DROP'), counted: packets };
      });
      assert.equal(counted, COUNT);
      assert.equal(events.length, COUNT);
      for (const event of events) {
        assert.deepEqual(
          [event.family, event.src, event.sport, event.dst, event.dport, event.protocol],
          [`ipv${family}`, family === 4 ? client.ip4 : client.ip6, SPORT, target, PORT, 'udp'],
        );
        assert.deepEqual([event.direction, event.class, event.netns], [direction, 'loss', where.netns]);
        assert.match(event.location as string, /^\w[\w.]*\+0x[0-9a-f]+( \[\w+\])?$/);
        if (direction === 'rx') assert.equal(event.device, server.device);
      }
    });
  }
}

test('100 ordinary connections lose nothing', requires('root', 'btf'), async () => {
  await using lab = Lab.create();
  const { client, server } = lab.twoHosts();
  const sink = await startSink(server);
  const events = await drops([client, server], async () => {
    for (const host of [server.ip4, server.ip6]) {
      const { completed } = await connectOften(client, { host, port: sink.port, count: 50, bytes: 10_000 });
      assert.equal(completed, 50);
    }
  });
  assert.deepEqual(
    events.filter((event) => event.class === 'loss'),
    [],
  );
});

test('a closed port: a drop without a socket, a reset sent and a reset received', requires('root', 'btf'), async () => {
  await using lab = Lab.create();
  const { client, server } = lab.twoHosts();
  const { dropped, resets } = await seen(async () => {
    await using recorder = await Recorder.start({ hosts: [client, server] });
    assert.throws(() => client.exec('bash', '-c', `exec 3<>/dev/tcp/${server.ip4}/81`));
    await recorder.stop();
    const refused = recorder.eventsOf('drop').filter(({ reason }) => reason === 'NO_SOCKET');
    return { dropped: refused, resets: recorder.eventsOf('reset') };
  });
  assert.equal(dropped.length, 1);
  assert.deepEqual([dropped[0]?.tcpFlags, dropped[0]?.dst, dropped[0]?.dport], ['SYN', server.ip4, 81]);
  assert.equal(dropped[0]?.pid, undefined);
  const ends = resets.map((event) => [event.direction, event.src, event.dst, event.netns]);
  assert.deepEqual(ends.sort(), [
    ['received', client.ip4, server.ip4, client.netns],
    ['sent', server.ip4, client.ip4, server.netns],
  ]);
  const received = resets.find((event) => event.direction === 'received');
  assert.deepEqual([received?.dport, received?.process], [81, 'bash']);
});
