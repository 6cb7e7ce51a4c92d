/** Drops on any kernel, with and without a reason, against the counter of the rule that dropped them. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Lab } from '../../lab/lab.ts';
import { Recorder } from '../../lab/recorder.ts';
import { blastUdp, connectOften, startSink } from '../../lab/traffic.ts';
import { kernelFacts } from '../../src/capture/kernel-facts.ts';
import { readKernelBtf } from '../../src/linux/kernel-btf.ts';
import { requires } from '../helpers/requires.ts';

const COUNT = 499;

for (const family of [4, 6] as const) {
  test(
    `drops over IPv${family}: as many as the rule counted, with tuple and place`,
    requires('root', 'btf'),
    async () => {
      await using lab = Lab.create();
      const { client, server } = lab.twoHosts();
      const [host, from] = family === 4 ? [server.ip4, client.ip4] : [server.ip6, client.ip6];
      await using recorder = await Recorder.start({ hosts: [server] });
      const rule = server.dropMatching({ family, protocol: 'udp', dport: 4321 });
      await blastUdp(client, { host, port: 4321, count: COUNT, sport: 4789, rate: 2000 });
      await sleep(500);
      await recorder.stop();
      const drops = recorder.eventsOf('drop').filter(({ dport }) => dport === 4321);
      assert.deepEqual([drops.length, rule.packets()], [COUNT, COUNT]);
      const reason = kernelFacts(readKernelBtf()).dropHasReason ? 'NETFILTER_DROP' : undefined;
      for (const drop of drops) {
        const { src, sport, dst, protocol, direction, device, netns } = drop;
        assert.deepEqual([src, sport, dst, protocol, direction, device], [from, 4789, host, 'udp', 'rx', 'eth0']);
        assert.deepEqual([netns, drop.reason], [server.netns, reason]);
        assert.match(drop.location ?? '', /^\w[\w.]*\+0x/);
      }
    },
  );
}

test('drops: a hundred ordinary connections are no loss', requires('root', 'btf'), async () => {
  await using lab = Lab.create();
  const { client, server } = lab.twoHosts();
  const sink = await startSink(server);
  await using recorder = await Recorder.start({ hosts: [client, server] });
  await connectOften(client, { host: server.ip4, port: sink.port, count: 100 });
  await sleep(500);
  await recorder.stop();
  const losses = recorder.eventsOf('drop').filter((drop) => drop.class === 'loss');
  assert.deepEqual(losses, []);
});
