/** The server beside a recorder on the real kernel. */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Host } from '../lab/host.ts';
import { Lab } from '../lab/lab.ts';
import { LabProcess } from '../lab/process.ts';
import { LOSSLOG, Recorder } from '../lab/recorder.ts';
import { blastUdp } from '../lab/traffic.ts';
import { Listener } from '../src/server/listener.test-util.ts';
import { requires } from './helpers/requires.ts';
import { seen } from './helpers/seen.ts';

const PORT = 4789;
const FREE = '127.0.0.1:0';

const urlIn = (stderr: string): string => /^losslog: serving (http:\S+\/) /m.exec(stderr)?.[1] ?? assert.fail(stderr);

/** What the store says once everything is committed. */
async function settled(url: string, path: string, isSettled: (answer: Answer) => boolean): Promise<Answer> {
  for (;;) {
    const answer = (await (await fetch(new URL(path, url))).json()) as Answer;
    if (isSettled(answer)) return answer;
    await sleep(50);
  }
}

// biome-ignore lint/suspicious/noExplicitAny: the test asserts what is there
type Answer = any;

async function loseUdp(server: Host, client: Host, count: number): Promise<number | undefined> {
  const rule = server.dropMatching({ protocol: 'udp', dport: PORT });
  await blastUdp(client, { host: server.ip4, port: PORT, count, rate: 5000 });
  const packets = rule.packets(4);
  rule.remove();
  return packets;
}

test('record --listen: live, series and top count what the rule counts', requires('root', 'btf'), async () => {
  await seen(async () => {
    const count = 499;
    await using lab = Lab.create();
    const { client, server } = lab.twoHosts();
    await using recorder = await Recorder.start({ hosts: [server], args: ['--listen', FREE] });
    const url = urlIn(recorder.process.stderr);
    const live = await Listener.open(url, `/api/v1/live?port=${PORT}&kind=drop`);
    await live.until(() => live.of('heartbeat').length > 0);
    assert.equal(await loseUdp(server, client, count), count);
    const received = (): Answer[] => live.of('events').flatMap(({ data }) => data);
    await live.until(() => received().length >= count);
    assert.equal(received().length, count);
    assert.ok(received().every(({ reason, dport }) => reason === 'NETFILTER_DROP' && dport === PORT));
    const filter = `port=${PORT}&kind=drop`;
    const sum = ({ series }: Answer): number => series[0]?.counts.reduce((a: number, b: number) => a + b, 0) ?? 0;
    const series = await settled(url, `/api/v1/series?${filter}`, (answer) => sum(answer) >= count);
    assert.equal(sum(series), count);
    const top = await settled(url, `/api/v1/top?by=peer&${filter}`, () => true);
    assert.deepEqual(
      top.rows.map(({ key, drops }: { key: string; drops: number }) => [key, drops]),
      [[client.ip4, count]],
    );
    const status = await settled(url, '/api/v1/status', () => true);
    assert.equal(status.recorder.state, 'recording');
    // Whoever looks on does not keep it from ending.
    await recorder.stop();
  });
});

test('serve beside a recorder follows it, and tells when it is down', requires('root', 'btf'), async () => {
  await seen(async () => {
    const count = 251;
    await using lab = Lab.create();
    const { client, server } = lab.twoHosts();
    await using recorder = await Recorder.start({ hosts: [server] });
    const process = new LabProcess([LOSSLOG, 'serve', '--store', recorder.storeDir, '--listen', FREE]);
    try {
      await process.stderrLine('losslog: serving', 20_000);
      const url = urlIn(process.stderr);
      const live = await Listener.open(url, `/api/v1/live?port=${PORT}&kind=drop`);
      await live.until(() => live.of('heartbeat').length > 0);
      assert.equal(await loseUdp(server, client, count), count);
      await live.until(() => live.of('events').flatMap(({ data }) => data).length >= count);
      assert.equal(live.of('events').flatMap(({ data }) => data).length, count);
      await recorder.stop();
      const status = await settled(url, '/api/v1/status', ({ recorder: { state } }) => state === 'down');
      assert.ok(status.recorder.since < status.recorder.lastSeen);
      process.signal('SIGTERM');
      assert.deepEqual(await process.wait(10_000), { code: 0, signal: null });
    } finally {
      process.kill();
    }
  });
});

test('an address that is taken ends record before it begins', async (t) => {
  const taken = createServer().listen(0, '127.0.0.1');
  await once(taken, 'listening');
  const { port } = taken.address() as { port: number };
  t.after(() => taken.close());
  const store = join(tmpdir(), `losslog-taken-${port}`);
  const process = new LabProcess([LOSSLOG, 'record', '--store', store, '--listen', `127.0.0.1:${port}`]);
  t.after(() => process.kill());
  assert.deepEqual(await process.wait(20_000), { code: 1, signal: null });
  assert.match(process.stderr, /^losslog: cannot listen on 127\.0\.0\.1:\d+: the port is in use$/m);
  assert.ok(!existsSync(store));
});
