/** Recording with no more rights than it needs (docs/limitations.md). */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chownSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Lab } from '../lab/lab.ts';
import { type JsonEvent, LOSSLOG, Recorder } from '../lab/recorder.ts';
import { holdConnection, startSink } from '../lab/traffic.ts';
import { asNobody, NOBODY, recordsAsNobody } from './helpers/nobody.ts';
import { requires } from './helpers/requires.ts';
import { seen } from './helpers/seen.ts';

const OUTAGE_MS = 700;
const BPF_RIGHTS = ['bpf', 'perfmon'];

/** As kernel.kptr_restrict and kernel.perf_event_paranoid have it (kernel/ksyms_common.c). */
function seesSymbols(capabilities: readonly string[]): boolean {
  const [program, ...args] = asNobody(capabilities);
  const { stdout } = spawnSync(program, [...args, 'head', '-n', '1', '/proc/kallsyms'], { encoding: 'utf8' });
  return !stdout.startsWith('0000000000000000');
}

interface Recorded {
  events: JsonEvent[];
  pid: number;
  /** TcpRetransSegs of the sender, and what the firewall of the receiver dropped. */
  resent: number;
  dropped: number;
}

/** A connection older than the recorder meets an outage; what nobody with these capabilities recorded of it. */
async function recordOutage(t: TestContext, capabilities: readonly string[]): Promise<Recorded> {
  await using lab = Lab.create();
  const { client, server } = lab.twoHosts();
  const sink = await startSink(server);
  const holder = await holdConnection(client, { host: server.ip4, port: sink.port });
  const storeDir = mkdtempSync(join(tmpdir(), 'losslog-rights-'));
  t.after(() => rmSync(storeDir, { recursive: true, force: true }));
  chownSync(storeDir, NOBODY, NOBODY);
  await using recorder = await Recorder.start({ hosts: [client, server], storeDir, prefix: asNobody(capabilities) });
  const loss = server.dropMatching({ family: 4, protocol: 'tcp', dport: sink.port });
  await holder.tell('send 1009');
  await sleep(OUTAGE_MS);
  const dropped = loss.packets();
  loss.remove();
  await sleep(OUTAGE_MS);
  const resent = client.counters().get('Tcp.RetransSegs') ?? 0;
  await recorder.stop();
  return { events: recorder.events(), pid: holder.process.pid, resent, dropped };
}

function assertComplete({ events, pid, resent, dropped }: Recorded): void {
  assert.ok(resent > 0 && dropped > 0, `${resent} resent, ${dropped} dropped`);
  const retransmits = events.filter((event) => event.kind === 'retransmit');
  assert.equal(
    retransmits.reduce((sum, { segments }) => sum + (segments ?? 0), 0),
    resent,
  );
  for (const event of retransmits) assert.equal(event.pid, pid);
  assert.equal(events.filter((event) => event.kind === 'drop' && event.reason === 'NETFILTER_DROP').length, dropped);
}

const placesOf = (events: readonly JsonEvent[]): number =>
  events.filter((event) => event.kind === 'drop' && event.location !== undefined).length;

const blindOf = (events: readonly JsonEvent[]): (string | undefined)[] =>
  events
    .filter((event) => event.kind === 'coverage' && event.state === 'blind')
    .map((event) => ('why' in event ? event.why : undefined));

test('CAP_BPF and CAP_PERFMON record everything but the places of drops, and say so', recordsAsNobody(), async (t) => {
  if (seesSymbols(BPF_RIGHTS)) return t.skip('this host shows symbols to everyone');
  const recorded = await seen(() => recordOutage(t, BPF_RIGHTS));
  assertComplete(recorded);
  assert.equal(placesOf(recorded.events), 0);
  assert.deepEqual(blindOf(recorded.events), [
    'the kernel hides the addresses of its symbols: no place of a drop is named',
  ]);
});

test('with CAP_SYSLOG the places of drops are named too', recordsAsNobody(), async (t) => {
  if (!seesSymbols([...BPF_RIGHTS, 'syslog'])) return t.skip('this host shows symbols to nobody');
  const recorded = await seen(() => recordOutage(t, [...BPF_RIGHTS, 'syslog']));
  assertComplete(recorded);
  assert.equal(placesOf(recorded.events), recorded.events.filter(({ kind }) => kind === 'drop').length);
  assert.deepEqual(blindOf(recorded.events), []);
});

test('one of the two is not enough', recordsAsNobody(), () => {
  for (const [given, lacking] of [
    ['bpf', 'PERFMON'],
    ['perfmon', 'BPF'],
  ] as const) {
    const [program, ...args] = asNobody([given]);
    const record = spawnSync(program, [...args, LOSSLOG, 'record', '--for', '1s', '--store', '/tmp/losslog-never'], {
      encoding: 'utf8',
    });
    assert.equal(record.status, 3, record.stderr);
    assert.match(record.stderr, /^losslog: the kernel refused the BPF programs: EPERM\n {2}hint: .*\n$/);
    const doctor = spawnSync(program, [...args, LOSSLOG, 'doctor'], { encoding: 'utf8' });
    assert.equal(doctor.status, 3);
    assert.match(doctor.stdout, new RegExp(`^missing {2}rights: without CAP_${lacking}$`, 'm'));
  }
});

test('doctor as root: everything that recording needs is there', requires('root', 'btf'), () => {
  const { status, stdout, stderr } = spawnSync(LOSSLOG, ['doctor', '--json'], { encoding: 'utf8', timeout: 30_000 });
  assert.equal(status, 0, stdout);
  assert.equal(stderr, '');
  const checks = stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as { name: string; state: string });
  const stateOf = (name: string): string | undefined => checks.find((check) => check.name === name)?.state;
  for (const name of [
    'kernel',
    'rights',
    'libbpf',
    'BPF object',
    'BTF',
    'BPF',
    'tcp_retransmit_skb',
    'programs',
    'poll',
  ]) {
    assert.equal(stateOf(name), 'ok', name);
  }
  assert.equal(stateOf('listen queues'), 'limited');
  assert.equal(stateOf('device rings'), 'limited');
});
