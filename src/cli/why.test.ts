import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { parseIp } from '../base/ip.ts';
import { NS_PER_MS, NS_PER_S, parseRfc3339, type WallNs, wallNs } from '../base/time.ts';
import type { Event } from '../event/kinds.ts';
import { StoreWriter } from '../store/store.ts';
import { losslog } from './run.test-util.ts';

const start = parseRfc3339('2026-03-01T10:00:00Z') as WallNs;
const at = (ms: number): WallNs => wallNs(start + BigInt(ms) * NS_PER_MS);
const ip = (text: string): Uint8Array => parseIp(text) as Uint8Array;
const flow = { src: ip('10.0.0.2'), sport: 45678, dst: ip('10.0.0.9'), dport: 443 };
const range = { seq: 7000, endSeq: 8000 };
const place = { netns: 4026532177, netnsName: 'blue', device: 'eth0', direction: 'rx' } as const;
const why = { reason: 'NETFILTER_DROP', location: 'nft_do_chain+0x3e8', class: 'loss' } as const;
const tcp = { protocol: 'tcp', tcpFlags: 'PSH|ACK', ack: 1 };

const other = { ...flow, src: ip('10.0.0.3') };
const hadIt = { reason: 'TCP_OLD_DATA', location: 'tcp_data_queue+0x1', class: 'benign' } as const;

const events: Event[] = [
  { kind: 'drop', time: at(10_000), ...flow, ...range, ...place, ...why, ...tcp },
  {
    kind: 'retransmit',
    time: at(10_204),
    ...flow,
    ...range,
    cause: 'rto',
    segments: 1,
    rtoMs: 204,
    process: 'cu\x1brl',
  },
  { kind: 'retransmit', time: at(20_000), ...other, ...range, cause: 'tail-loss-probe', segments: 1 },
  { kind: 'drop', time: at(20_001), ...other, ...range, ...tcp, ...hadIt },
];

let dir: string;
let store: string;

before(() => {
  dir = mkdtempSync(join(tmpdir(), 'losslog-why-'));
  store = join(dir, 'store');
  let now = start;
  const session = { bootId: 'b', losslogVersion: '0.1.0', kernel: '6.18.44', host: 'alpha' };
  const writer = StoreWriter.open(store, session, { now: () => now });
  writer.write(events);
  now = wallNs(start + 60n * NS_PER_S);
  writer.close();
});
after(() => rmSync(dir, { recursive: true }));

const run = (...args: string[]) => losslog([args[0] as string, '--store', store, ...args.slice(1)]);

test('an incident tells what, when, how much, whose, how sure, what to do and where the events are', () => {
  const { status, stdout } = run('why');
  assert.equal(status, 0);
  const lines = stdout.split('\n');
  assert.equal(
    lines[0],
    '1. The firewall in netns blue on eth0 dropped 1 TCP packet (10.0.0.2:45678 - 10.0.0.9:443) (INPUT or PREROUTING)',
  );
  assert.ok(lines.includes('   how much 1 retransmission, 1 drop on 1 connection'));
  assert.ok(
    lines.some((line) => line.includes('cu\\x1brl (1)')),
    'names are escaped',
  );
  assert.ok(lines.includes("   certain  the kernel's reason is NETFILTER_DROP in nft_do_chain()"));
  assert.ok(lines.includes('              ip netns exec blue nft list ruleset'));
  const command = lines.find((line) => line.includes('losslog show --incident ')) ?? '';
  const shown = run('show', '--incident', command.split(' ').at(-1) as string, '--json')
    .stdout.trimEnd()
    .split('\n');
  assert.deepEqual(
    shown.map((line) => JSON.parse(line).kind),
    ['drop', 'retransmit'],
  );
});

test('what was sent again without need and did no harm is told in a line, and shown when it is asked for', () => {
  const { stdout, stderr } = run('why', '--json');
  assert.equal(stdout.trimEnd().split('\n').length, 1);
  assert.match(stderr, /^losslog: 1 segment was sent again without need, which did no harm \(--all shows it\)$/m);
  const all = run('why', '--json', '--all');
  assert.doesNotMatch(all.stderr, /no harm/);
  assert.match(run('why', '--all').stdout, /^2\. 1 segment .* sent again without need .*: harmless$/m);
  const told = all.stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  assert.deepEqual(
    told.map(({ rule, harmless }) => [rule, harmless]),
    [
      ['firewall', undefined],
      ['spurious', true],
    ],
  );
});

test('filters ask whose losses they are; what explains them is found all the same', () => {
  const rules = (...args: string[]): string[] =>
    run('why', '--json', ...args)
      .stdout.split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line).rule);
  assert.deepEqual(rules('--process', 'cu\x1brl'), ['firewall']);
  assert.deepEqual(rules('--reason', 'netfilter_drop'), ['firewall']);
  assert.deepEqual(rules('--since', '2026-03-01 10:00:10.1'), ['firewall']);
  assert.deepEqual(rules('--process', 'nobody'), []);
});

test('the story of a connection', () => {
  const { stdout } = run('why', '10.0.0.2:45678', '10.0.0.9:443');
  assert.match(
    stdout,
    /\|-----------X {12}\| {2}0\.\.1000 dropped in blue on eth0: NETFILTER_DROP in nft_do_chain\(\)\n/,
  );
  assert.match(stdout, /\|={23}>\| {2}0\.\.1000 sent again: rto after 204ms\n/);
  assert.match(stdout, /why: what was sent before was dropped in blue \(firewall\)\n/);
  const other = run('why', '10.0.0.9:443', '10.0.0.2:45678', '--json');
  const told = JSON.parse(other.stdout) as { a: string; steps: { way: string; fate: string }[] };
  assert.deepEqual(
    [told.a, ...told.steps.map(({ way, fate }) => `${way} ${fate}`)],
    ['10.0.0.9:443', 'left lost', 'left unknown'],
  );
});

test('wrong use, and an incident that is not there', () => {
  for (const args of [
    ['why', '10.0.0.2:45678'],
    ['why', '10.0.0.2', '10.0.0.9'],
    ['show', '--incident', 'nonsense'],
  ]) {
    assert.equal(run(...args).status, 2, args.join(' '));
  }
  const { status, stderr } = run('show', '--incident', 'firewall-20260301T100010Z-1s-000000');
  assert.equal(status, 1);
  assert.match(stderr, /the store holds no incident/);
});
