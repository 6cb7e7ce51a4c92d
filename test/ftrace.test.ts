/** The source ftrace, beside BPF on the same losses. */

import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Host } from '../lab/host.ts';
import { Lab } from '../lab/lab.ts';
import { type JsonEvent, Recorder } from '../lab/recorder.ts';
import { blastUdp, connectOften, holdConnection, startSink } from '../lab/traffic.ts';
import { openTracefs } from '../src/linux/tracefs-mount.ts';
import { sendIntoOutage } from './helpers/outage.ts';
import { requires } from './helpers/requires.ts';
import { seen } from './helpers/seen.ts';

const OUTAGE_MS = 900;

function tracingInstances(): string[] {
  const tracefs = openTracefs();
  try {
    return readdirSync(join(tracefs.path, 'instances'));
  } finally {
    tracefs.close();
  }
}

/** Both sources at once: what one tells, the other must tell too. */
async function recordTwice(
  hosts: readonly Host[],
  cause: () => Promise<void>,
): Promise<Record<'bpf' | 'ftrace', JsonEvent[]>> {
  await using bpf = await Recorder.start({ hosts, args: ['--source', 'bpf'] });
  await using ftrace = await Recorder.start({ hosts, args: ['--source', 'ftrace'] });
  await cause();
  await ftrace.stop();
  await bpf.stop();
  return { bpf: bpf.events(), ftrace: ftrace.events() };
}

/** That each event of ftrace is one of BPF with fewer fields, and the other way round. */
function assertSame(ftrace: readonly JsonEvent[], bpf: readonly JsonEvent[], unknown: readonly string[]): void {
  assert.equal(ftrace.length, bpf.length);
  assert.ok(bpf.length > 0);
  for (const [i, event] of ftrace.entries()) {
    const other = bpf[i] as unknown as Record<string, unknown>;
    const { time, bootNs, ...told } = event as unknown as Record<string, unknown>;
    const same = Object.fromEntries(Object.keys(told).map((name) => [name, other[name]]));
    // A tail loss probe or a timeout is not told apart here, and owners are found in another way.
    const untold = { cause: undefined, ownerHow: undefined };
    assert.deepEqual({ ...told, ...untold }, { ...same, ...untold });
    assert.ok(told.cause === other.cause || told.cause === 'unknown');
    assert.ok(Math.abs(Number(bootNs) - Number(other.bootNs)) < 1e9, `${time}`);
    const lacking = Object.keys(other).filter((name) => !(name in event));
    assert.deepEqual(
      lacking.filter((name) => !unknown.includes(name)),
      [],
      JSON.stringify(event),
    );
  }
}

const ofKind = (events: readonly JsonEvent[], kind: string): JsonEvent[] =>
  events.filter((event) => event.kind === kind);

/** Of a connection that lives, ftrace knows all but what the tracepoint does not tell. */
const UNKNOWN_OF_RETRANSMIT = [
  ...['segments', 'bytes', 'seq', 'endSeq', 'caState', 'srttUs', 'rtoMs', 'cwnd', 'ssthresh', 'inFlight'],
  ...['retransmits', 'totalRetransmits', 'socketCookie', 'device', 'ack', 'spentUs'],
];

for (const family of [4, 6] as const) {
  test(
    `ftrace: retransmissions over IPv${family} are the same events with the same owner`,
    requires('root', 'btf', 'ftrace'),
    () =>
      seen(
        async () => {
          await using lab = Lab.create();
          const { client, server } = lab.twoHosts();
          const sink = await startSink(server, { title: 'the-sink' });
          const { bpf, ftrace } = await recordTwice([client, server], () =>
            sendIntoOutage({ client, server }, { family, port: sink.port, ms: OUTAGE_MS }),
          );
          const resent = ofKind(ftrace, 'retransmit') as JsonEvent<'retransmit'>[];
          assertSame(resent, ofKind(bpf, 'retransmit'), UNKNOWN_OF_RETRANSMIT);
          for (const { process, netns } of resent) assert.deepEqual([process, netns], ['the-holder', client.netns]);
        },
        { onlyWhenFailed: true },
      ),
  );
}

test('ftrace: SYN, SYN-ACK and resets', requires('root', 'btf', 'ftrace'), async () => {
  await using lab = Lab.create();
  const { client, server } = lab.twoHosts();
  const sink = await startSink(server);
  const { bpf, ftrace } = await recordTwice([client, server], async () => {
    await connectOften(client, { host: server.ip4, port: 1, count: 3, concurrency: 1 });
    const loss = client.dropMatching({ family: 4, protocol: 'tcp', sport: sink.port });
    const opening = holdConnection(client, { host: server.ip4, port: sink.port });
    while (client.counters().get('Tcp.RetransSegs') < 1 || server.counters().get('Tcp.RetransSegs') < 1)
      await sleep(50);
    loss.remove();
    await opening;
  });
  const causes = (events: JsonEvent[]): string[] =>
    (ofKind(events, 'retransmit') as JsonEvent<'retransmit'>[]).map(({ cause }) => cause).sort();
  assert.deepEqual(causes(ftrace), causes(bpf));
  assert.ok(causes(ftrace).includes('syn') && causes(ftrace).includes('syn-ack'));
  const resets = (events: JsonEvent[]) =>
    (ofKind(events, 'reset') as JsonEvent<'reset'>[])
      .map(({ direction, src, sport, dst, dport, reason }) => ({ direction, src, sport, dst, dport, reason }))
      .sort((a, b) => JSON.stringify(a).localeCompare(JSON.stringify(b)));
  assert.deepEqual(resets(ftrace), resets(bpf));
  // Before 6.10 a RST without a socket is no event.
  assert.ok(resets(ftrace).length >= 3);
});

test(
  'ftrace: drops have the same reason, place and class, as many as the firewall counted',
  requires('root', 'btf', 'ftrace'),
  async () => {
    await using lab = Lab.create();
    const { client, server } = lab.twoHosts();
    const drops = (events: JsonEvent[]): JsonEvent<'drop'>[] => ofKind(events, 'drop') as JsonEvent<'drop'>[];
    const { ofRule, ftrace, counted } = await seen(async () => {
      const rule = server.dropMatching({ family: 4, protocol: 'udp', dport: 4321 });
      const { bpf, ftrace } = await recordTwice([client, server], async () => {
        await blastUdp(client, { host: server.ip4, port: 4321, count: 1009, rate: 5000 });
        await sleep(200);
      });
      const counted = rule.packets();
      rule.remove();
      return { ofRule: drops(bpf).filter(({ dport }) => dport === 4321), ftrace, counted };
    });
    assert.deepEqual([ofRule.length, counted], [1009, 1009]);
    const [first] = ofRule;
    const alike = drops(ftrace).filter(({ location, family }) => location === first?.location && family === 'ipv4');
    assert.equal(alike.length, 1009);
    for (const drop of alike) assert.deepEqual([drop.class, drop.reason], [first?.class, first?.reason]);
  },
);

test('ftrace: what it lost is told', requires('root', 'btf', 'ftrace'), async () => {
  await using lab = Lab.create();
  const { client, server } = lab.twoHosts();
  const rule = server.dropMatching({ family: 4, protocol: 'udp', dport: 4321 });
  await using recorder = await Recorder.start({ hosts: [server], args: ['--source', 'ftrace'] });
  recorder.process.signal('SIGSTOP');
  await blastUdp(client, { host: server.ip4, port: 4321, count: 500_000, bytes: 10 });
  recorder.process.signal('SIGCONT');
  await sleep(3000);
  await recorder.stop();
  const told = recorder.eventsOf('coverage').filter(({ state }) => state === 'lost');
  const lost = told.reduce((sum, { count = 0 }) => sum + count, 0);
  const stored = recorder.eventsOf('drop').length;
  assert.ok(lost > 0, 'the flood should be more than the buffer holds');
  // Drops of other namespaces may be among them: ftrace does not tell.
  assert.ok(stored + lost >= rule.packets(), `${stored} stored and ${lost} lost of ${rule.packets()}`);
});

test(
  'ftrace: it says what it cannot see, and leaves no instance behind',
  requires('root', 'btf', 'ftrace'),
  async () => {
    await using lab = Lab.create();
    const { client } = lab.twoHosts();
    const killed = await Recorder.start({ hosts: [client], args: ['--source', 'ftrace'] });
    killed.process.kill();
    await killed.process.wait();
    killed.close();
    await using recorder = await Recorder.start({ hosts: [client], args: ['--source', 'ftrace'] });
    const names = tracingInstances();
    assert.deepEqual(
      names.filter((name) => name.startsWith(`losslog-${killed.process.pid}-`)),
      [],
    );
    assert.equal(names.filter((name) => name.startsWith(`losslog-${recorder.process.pid}-`)).length, 1);
    await recorder.stop();
    assert.deepEqual(
      tracingInstances().filter((name) => name.startsWith(`losslog-${recorder.process.pid}-`)),
      [],
    );
    assert.match(recorder.process.stderr, /^losslog: recording to .* probes of ftrace, Linux/m);
    const blind = recorder.eventsOf('coverage').filter(({ state }) => state === 'blind');
    assert.ok(blind.some(({ why }) => why?.includes('ftrace tells no addresses')));
  },
);
