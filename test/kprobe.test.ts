/** The source kprobe, beside BPF on the same losses. Runs where the kernel has kprobes (npm run test:kernels). */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Host } from '../lab/host.ts';
import { Lab } from '../lab/lab.ts';
import { type JsonEvent, LOSSLOG, Recorder } from '../lab/recorder.ts';
import { blastUdp, connectOften, holdConnection, startSink } from '../lab/traffic.ts';
import { openTracefs } from '../src/linux/tracefs-mount.ts';
import { sendIntoOutage } from './helpers/outage.ts';
import { requires } from './helpers/requires.ts';

const OUTAGE_MS = 2500;
const here = requires('root', 'btf', 'kprobe');

async function recordTwice(
  hosts: readonly Host[],
  cause: () => Promise<void>,
  args: readonly string[] = [],
): Promise<Record<'bpf' | 'kprobe', JsonEvent[]>> {
  await using bpf = await Recorder.start({ hosts, args: ['--source', 'bpf'] });
  await using kprobe = await Recorder.start({ hosts, args: ['--source', 'kprobe', ...args] });
  await cause();
  await kprobe.stop();
  await bpf.stop();
  return { bpf: bpf.events(), kprobe: kprobe.events() };
}

/**
 * What a probe at the entry of a function cannot know; a cookie that nobody asked for before; the owner where /proc was
 * not read in time (a virtual machine without hardware support takes a second for that).
 */
const UNKNOWN = new Set([
  ...['segments', 'bytes', 'endSeq', 'totalRetransmits', 'spentUs', 'device', 'direction', 'socketCookie'],
  ...['ownerHow', 'pid', 'process', 'cgroup'],
]);

/** That each event of kprobe is one of BPF, with fewer fields. */
function assertSame(
  kprobe: readonly JsonEvent[],
  bpf: readonly JsonEvent[],
  unknown: ReadonlySet<string> = UNKNOWN,
): void {
  assert.equal(kprobe.length, bpf.length, JSON.stringify([kprobe, bpf], undefined, 1));
  assert.ok(bpf.length > 0);
  for (const [i, event] of kprobe.entries()) {
    const other = bpf[i] as unknown as Record<string, unknown>;
    for (const [name, value] of Object.entries(event)) {
      if (['time', 'bootNs', 'ownerHow', 'srttUs', 'inFlight'].includes(name)) continue;
      assert.deepEqual(value, other[name], `${name} of ${JSON.stringify([event, other])}`);
    }
    const lacking = Object.keys(other).filter((name) => !(name in event) && !unknown.has(name));
    assert.deepEqual(lacking, [], JSON.stringify([event, other]));
  }
}

const ofKind = <K extends JsonEvent['kind']>(events: readonly JsonEvent[], kind: K): JsonEvent<K>[] =>
  events.filter((event): event is JsonEvent<K> => event.kind === kind);

for (const family of [4, 6] as const) {
  test(`kprobe: retransmissions over IPv${family} are the same events, tail loss probes among them`, here, async () => {
    await using lab = Lab.create();
    const { client, server } = lab.twoHosts();
    const sink = await startSink(server, { title: 'the-sink' });
    const { bpf, kprobe } = await recordTwice([client, server], () =>
      sendIntoOutage({ client, server }, { family, port: sink.port, ms: OUTAGE_MS }),
    );
    const resent = ofKind(kprobe, 'retransmit').filter(({ failed }) => failed === undefined);
    assertSame(
      resent,
      ofKind(bpf, 'retransmit').filter(({ failed }) => failed === undefined),
    );
    assert.ok(resent.some(({ cause }) => cause === 'rto'));
    for (const { process = 'the-holder', netns } of resent)
      assert.deepEqual([process, netns], ['the-holder', client.netns]);
  });
}

test('kprobe: SYN, SYN-ACK and resets', here, async () => {
  await using lab = Lab.create();
  const { client, server } = lab.twoHosts();
  const sink = await startSink(server);
  const { bpf, kprobe } = await recordTwice([client, server], async () => {
    await connectOften(client, { host: server.ip4, port: 1, count: 3, concurrency: 1 });
    const loss = client.dropMatching({ family: 4, protocol: 'tcp', sport: sink.port });
    const opening = holdConnection(client, { host: server.ip4, port: sink.port });
    await sleep(8000);
    loss.remove();
    await opening;
  });
  const causes = (events: JsonEvent[]): string[] =>
    ofKind(events, 'retransmit')
      .map(({ cause }) => cause)
      .sort();
  assert.deepEqual(causes(kprobe), causes(bpf));
  assert.ok(causes(kprobe).includes('syn') && causes(kprobe).includes('syn-ack'));
  const received = (events: JsonEvent[]) => ofKind(events, 'reset').filter(({ direction }) => direction === 'received');
  assert.equal(received(bpf).length, 3);
  assert.deepEqual(
    received(kprobe).map(({ src, sport, dst, dport }) => ({ src, sport, dst, dport })),
    received(bpf).map(({ src, sport, dst, dport }) => ({ src, sport, dst, dport })),
  );
  const sent = ofKind(kprobe, 'reset').filter(({ direction }) => direction === 'sent');
  assert.deepEqual(
    sent.map(({ src, dst, sport }) => [src, dst, sport]),
    Array(3).fill([server.ip4, client.ip4, 1]),
  );
});

test('kprobe: the tuple, reason and place of as many packets as the firewall counted', here, async () => {
  await using lab = Lab.create();
  const { client, server } = lab.twoHosts();
  const rule = server.dropMatching({ family: 4, protocol: 'udp', dport: 4321 });
  const { bpf, kprobe } = await recordTwice([client, server], async () => {
    await blastUdp(client, { host: server.ip4, port: 4321, count: 109, rate: 500 });
    await sleep(500);
  });
  const dropped = (events: JsonEvent[]) => ofKind(events, 'drop').filter(({ dport }) => dport === 4321);
  assert.equal(rule.packets(), 109);
  assertSame(dropped(kprobe), dropped(bpf));
  assert.equal(dropped(kprobe).length, 109);
});

test('kprobe: a trace of its probes converts to the events that it records', here, async () => {
  await using lab = Lab.create();
  const { client, server } = lab.twoHosts();
  const sink = await startSink(server);
  const tracefs = openTracefs();
  const instance = join(tracefs.path, `instances/convert-${process.pid}`);
  const dir = mkdtempSync(join(tmpdir(), 'losslog-trace-'));
  try {
    await using recorder = await Recorder.start({ hosts: [client, server], args: ['--source', 'kprobe'] });
    mkdirSync(instance);
    try {
      const enable = join(instance, 'events/losslog/enable');
      writeFileSync(enable, '1');
      server.dropMatching({ family: 4, protocol: 'udp', dport: 4321 });
      await blastUdp(client, { host: server.ip4, port: 4321, count: 109, rate: 500 });
      const holder = await holdConnection(client, { host: server.ip6, port: sink.port });
      const loss = server.dropMatching({ family: 6, protocol: 'tcp', dport: sink.port });
      await holder.tell('send 1009');
      await sleep(OUTAGE_MS);
      loss.remove();
      await sleep(OUTAGE_MS);
      writeFileSync(enable, '0');
      writeFileSync(join(dir, 'trace'), readFileSync(join(instance, 'trace')));
    } finally {
      rmdirSync(instance);
    }
    await recorder.stop();
    const converted = spawnSync(LOSSLOG, ['convert', '--json', join(dir, 'trace')], {
      encoding: 'utf8',
      maxBuffer: 1 << 26,
    });
    assert.equal(converted.status, 0, converted.stderr);
    assert.doesNotMatch(converted.stderr, /broken/);
    const events = converted.stdout
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line) as JsonEvent);
    const drops = (of: readonly JsonEvent[]) =>
      ofKind(of, 'drop')
        .filter(({ dport }) => dport === 4321)
        .map(({ src, sport, dst, netns, device, protocol, length }) => ({
          src,
          sport,
          dst,
          netns,
          device,
          protocol,
          length,
        }));
    assert.deepEqual(drops(events), drops(recorder.events()));
    assert.equal(drops(events).length, 109);
    const resends = (of: readonly JsonEvent[]) =>
      ofKind(of, 'retransmit')
        .filter(({ dport }) => dport === sink.port)
        .map(({ family, src, sport, dst, cause, state, seq }) => ({ family, src, sport, dst, cause, state, seq }));
    assert.deepEqual(resends(events), resends(recorder.events()));
    assert.ok(resends(events).length > 0);
  } finally {
    rmSync(dir, { recursive: true, force: true });
    tracefs.close();
  }
});

test('kprobe: offsets that were written elsewhere do as well as type information', here, async () => {
  const dir = mkdtempSync(join(tmpdir(), 'losslog-offsets-'));
  try {
    const { stdout, status } = spawnSync(LOSSLOG, ['offset', '--kprobe', '--json'], {
      encoding: 'utf8',
      maxBuffer: 1 << 24,
    });
    assert.equal(status, 0);
    const file = join(dir, 'offsets.json');
    writeFileSync(file, stdout);
    const print = (...args: string[]): string =>
      spawnSync(LOSSLOG, ['kprobe', '--print', ...args], { encoding: 'utf8' }).stdout;
    assert.equal(print('--offsets', file), print());
    assert.match(
      print(),
      /^p:losslog\/tcp_retransmit tcp_retransmit_skb port=\+12\(%di\):u16 dst=\+0\(%di\):u32 state=\+18\(%di\):u8 /,
    );
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
});

test('kprobe: nothing is left behind, not even by a recorder that was killed', here, async () => {
  await using lab = Lab.create();
  const { client } = lab.twoHosts();
  const tracefs = openTracefs();
  const defined = (): string => readFileSync(join(tracefs.path, 'kprobe_events'), 'utf8');
  const killed = await Recorder.start({ hosts: [client], args: ['--source', 'kprobe'] });
  assert.match(defined(), /losslog\/tcp_retransmit /);
  killed.process.kill();
  await killed.process.wait();
  killed.close();
  assert.match(defined(), /losslog\/tcp_retransmit /);
  {
    await using first = await Recorder.start({ hosts: [client], args: ['--source', 'kprobe'] });
    await using second = await Recorder.start({ hosts: [client], args: ['--source', 'kprobe'] });
    assert.match(defined(), new RegExp(`losslog_${second.process.pid}/tcp_retransmit `));
    await second.stop();
    await first.stop();
  }
  assert.doesNotMatch(defined(), /losslog/);
  tracefs.close();
});
