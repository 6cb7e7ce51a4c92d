/** Ordinary traffic on any kernel. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Lab } from '../../lab/lab.ts';
import { Recorder } from '../../lab/recorder.ts';
import { connectOften, startSink } from '../../lab/traffic.ts';
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
