/** Drops on any kernel: of ordinary traffic, and behind NAT. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Lab } from '../../lab/lab.ts';
import { Recorder } from '../../lab/recorder.ts';
import { loadScenario } from '../../lab/scenario/catalogue.ts';
import { play } from '../../lab/scenario/play.ts';
import { connectOften, startSink } from '../../lab/traffic.ts';
import { LosslogError } from '../../src/base/errors.ts';
import { requires } from '../helpers/requires.ts';

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

test('drops: behind NAT they tell how the connection was opened', requires('root', 'btf'), async (t) => {
  const scenario = await loadScenario('nat-random');
  const run = play(scenario, {}, ({ stage, recorder }) => {
    const { client, router, server } = stage.hosts;
    const drops = recorder.eventsOf('drop').filter(({ netns, dst }) => netns === router?.netns && dst === server?.ip4);
    assert.ok(drops.length > 0);
    for (const { src, sport, dst, dport, nat } of drops) {
      const [opened, translated] = String(nat).split(' ');
      assert.ok(opened?.startsWith(`${client?.ip4}:`) && opened.endsWith(`>${router?.ip4}:8080`), opened);
      assert.equal(translated, `${src}:${sport}>${dst}:${dport}`);
    }
  });
  await run.catch((error: unknown) => {
    if (!(error instanceof LosslogError) || error.code !== 'NOT_SUPPORTED') throw error;
    t.skip(error.message);
  });
});
