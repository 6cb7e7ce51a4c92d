/**
 * What the store costs and how fast it answers, on a million events with a fixed seed.
 *
 *     node --disable-warning=ExperimentalWarning bench/store-query.ts [EVENTS]
 *
 * Two stores: a day (24 slices, all but the last sealed) and a storm (everything within one hour, in parts). Latencies
 * are medians of five, once within a process and once as a process of its own, start of Node included.
 */

import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseCidr } from '../src/base/ip.ts';
import { NS_PER_HOUR, NS_PER_S, type WallNs, wallNs } from '../src/base/time.ts';
import type { Filter, TopDimension } from '../src/event/filter.ts';
import { CAUSES, type Event } from '../src/event/kinds.ts';
import { StoreReader } from '../src/store/reader.ts';
import { StoreWriter } from '../src/store/writer.ts';

/** 2026-11-21T00:00:00Z */
const BEGIN = wallNs(1_795_219_200n * NS_PER_S);
const RUNS = 5;
const BATCH = 1000;
/** As bin/losslog does in a checkout: without it the type stripper takes 150 ms of every process. */
const COMPILE_CACHE = fileURLToPath(new URL('../build/compile-cache', import.meta.url));

/** mulberry32: a small generator with a 32-bit seed. */
function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const random = randomOf(1);
const below = (limit: number): number => Math.floor(random() * limit);
const pick = <T>(values: readonly T[]): T => values[below(values.length)] as T;

const LOCAL = Uint8Array.of(10, 0, 0, 2);
const PROCESSES = ['nginx', 'envoy', 'postgres', 'java', 'node', 'curl', 'redis-server', 'kubelet'];
const REASONS = ['NETFILTER_DROP', 'NO_SOCKET', 'TCP_OLD_ACK', 'SOCKET_RCVBUFF', 'QDISC_DROP', 'TCP_OFOMERGE'];
const CONTAINERS = Array.from({ length: 40 }, () => Array.from({ length: 64 }, () => below(16).toString(16)).join(''));

/** 3,000 peers; a few are far more frequent than the rest. */
function peer(): Uint8Array {
  const rank = Math.floor(3000 * random() ** 3);
  return Uint8Array.of(192, 168, rank >> 8, rank & 255);
}

function owner(): object {
  const at = below(CONTAINERS.length);
  return {
    netns: 4026531840 + (at % 5),
    device: 'eth0',
    cgroup: `/system.slice/docker-${CONTAINERS[at]}.scope`,
    container: CONTAINERS[at],
    uid: 1000 + (at % 3),
    socketInode: BigInt(100_000 + below(50_000)),
    socketCookie: BigInt(below(1_000_000)),
    pid: 1000 + at * 17,
    process: pick(PROCESSES),
    ownerHow: 'connect',
  };
}

function retransmit(time: WallNs): Event {
  return {
    kind: 'retransmit',
    time,
    bootNs: time - BEGIN + 300n * NS_PER_HOUR,
    family: 'ipv4',
    src: LOCAL,
    sport: 32768 + below(28_000),
    dst: peer(),
    dport: 443,
    ...owner(),
    cause: pick(CAUSES),
    state: 'TCP_ESTABLISHED',
    caState: pick(['Open', 'Recovery', 'Loss']),
    seq: below(2 ** 32),
    endSeq: below(2 ** 32),
    segments: 1 + below(3),
    bytes: 1448 * (1 + below(3)),
    srttUs: below(200_000),
    rtoMs: 200 + below(1000),
    cwnd: 1 + below(100),
    inFlight: below(100),
    retransmits: below(4),
    totalRetransmits: below(1000),
  } as Event;
}

function drop(time: WallNs): Event {
  const isOwned = random() < 0.3;
  return {
    kind: 'drop',
    time,
    bootNs: time - BEGIN + 300n * NS_PER_HOUR,
    family: 'ipv4',
    src: peer(),
    sport: 1024 + below(60_000),
    dst: LOCAL,
    dport: pick([22, 80, 443, 5432]),
    ...(isOwned ? owner() : { netns: 4026531840, device: 'eth0' }),
    reason: pick(REASONS),
    location: `tcp_v4_rcv+0x${below(16).toString(16)}`,
    class: pick(['loss', 'benign', 'benign', 'unknown']),
    direction: 'rx',
    protocol: 'tcp',
    tcpFlags: pick(['ACK', 'SYN', 'PSH|ACK']),
    seq: below(2 ** 32),
    endSeq: below(2 ** 32),
    length: 40 + below(1460),
  } as Event;
}

interface Filled {
  cpuUs: number;
  bytes: number;
  slices: number;
}

async function fill(dir: string, count: number, spanNs: bigint): Promise<Filled> {
  const batches: number = Math.ceil(count / BATCH);
  let now = BEGIN;
  let cpuUs = 0;
  const writer = StoreWriter.open(
    dir,
    { bootId: 'bench', losslogVersion: '0', kernel: '0', host: 'bench' },
    { now: () => now },
  );
  for (let batch = 0; batch < batches; batch++) {
    const events = Array.from({ length: BATCH }, (_, i) => {
      now = wallNs(BEGIN + (spanNs * BigInt(batch * BATCH + i)) / BigInt(batches * BATCH));
      return random() < 0.5 ? retransmit(now) : drop(now);
    });
    const before = process.threadCpuUsage();
    writer.write(events);
    const { user, system } = process.threadCpuUsage(before);
    cpuUs += user + system;
  }
  await writer.sealed();
  writer.close();
  const files = readdirSync(dir);
  return {
    cpuUs: cpuUs / (batches * BATCH),
    bytes: files.reduce((sum, file) => sum + statSync(join(dir, file)).size, 0) / (batches * BATCH),
    slices: files.filter((file) => file.endsWith('.db')).length,
  };
}

interface Query {
  name: string;
  filter: Filter;
  by?: TopDimension;
}

function queriesOf(spanNs: bigint): Query[] {
  const middle = wallNs(BEGIN + spanNs / 2n);
  return [
    { name: 'show (newest 100)', filter: {} },
    { name: 'show --since half, --peer rare', filter: { since: middle, peer: parseCidr('192.168.11.100') } },
    { name: 'show --since begin, --peer rare', filter: { since: BEGIN, peer: parseCidr('192.168.11.100') } },
    { name: 'show --since half, --peer frequent', filter: { since: middle, peer: parseCidr('192.168.0.1') } },
    { name: 'show --since begin, --peer local host', filter: { since: BEGIN, peer: parseCidr('10.0.0.2') } },
    { name: 'show --peer never seen', filter: { peer: parseCidr('203.0.113.1') } },
    { name: 'show --peer never seen/16', filter: { peer: parseCidr('203.0.0.0/16') } },
    { name: 'show --pid', filter: { pid: 1017 } },
    { name: 'show --reason --port', filter: { reason: 'qdisc_drop', port: 22 } },
    { name: 'top --by peer', filter: {}, by: 'peer' },
    { name: 'top --by process --since half', filter: { since: middle }, by: 'process' },
    { name: 'top --by location', filter: {}, by: 'location' },
  ];
}

/** What `show` and `top` ask of the store. */
function ask(dir: string, { filter, by }: Query): number {
  const reader = StoreReader.open(dir);
  try {
    if (by) return reader.top(filter, by, 20).length;
    const found = [...reader.events(filter, { order: 'newest', limit: 100 })].length;
    reader.countBenign(filter, 10_000);
    reader.begins();
    return found;
  } finally {
    reader.close();
  }
}

function medianMs(run: () => void): number {
  const times = Array.from({ length: RUNS }, () => {
    const begin = performance.now();
    run();
    return performance.now() - begin;
  });
  return times.toSorted((a, b) => a - b)[RUNS >> 1] as number;
}

function askInChild(dir: string, spanNs: bigint, index: number): void {
  const self = fileURLToPath(import.meta.url);
  const options = ['--disable-warning=ExperimentalWarning', self, 'ask', dir, String(spanNs), String(index)];
  const env = { ...process.env, NODE_COMPILE_CACHE: COMPILE_CACHE };
  const { status, stderr } = spawnSync(process.execPath, options, { encoding: 'utf8', timeout: 60_000, env });
  if (status !== 0) throw new Error(stderr);
}

async function report(name: string, count: number, spanNs: bigint): Promise<void> {
  const dir = mkdtempSync(join(tmpdir(), 'losslog-bench-'));
  try {
    const { cpuUs, bytes, slices } = await fill(dir, count, spanNs);
    console.log(`${name}: ${count} events in ${slices} slices`);
    console.log(`  write ${cpuUs.toFixed(2)} µs CPU an event (its thread), ${bytes.toFixed(0)} bytes an event`);
    const row = (query: string, ...cells: string[]) =>
      console.log(`  ${query.padEnd(40)}${cells.map((cell) => cell.padStart(12)).join('')}`);
    row('query', 'found', 'inside ms', 'process ms');
    queriesOf(spanNs).forEach((query, i) => {
      const found = ask(dir, query);
      const inside = medianMs(() => ask(dir, query));
      const whole = medianMs(() => askInChild(dir, spanNs, i));
      row(query.name, String(found), inside.toFixed(1), whole.toFixed(0));
    });
    row('(node alone)', '', '', medianMs(() => spawnSync(process.execPath, ['-e', '0'])).toFixed(0));
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

const [command, ...parameters] = process.argv.slice(2);
if (command === 'ask') {
  const [dir = '', span = '0', index = '0'] = parameters;
  ask(dir, queriesOf(BigInt(span))[Number(index)] as Query);
} else {
  const count = Number(command ?? 1_000_000);
  await report('day', count, 24n * NS_PER_HOUR);
  await report('storm', count, NS_PER_HOUR - NS_PER_S);
}
