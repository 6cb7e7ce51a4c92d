/**
 * What the store costs and how fast it answers, on a million events with a fixed seed.
 *
 *     node --disable-warning=ExperimentalWarning bench/store-query.ts [EVENTS]
 *
 * Two stores: a day (24 slices, all but the last sealed) and a storm (everything within one hour, in parts). Latencies
 * are medians of five, once within a process and once of the command as a user runs it, start of Node included.
 */

import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { formatWall, NS_PER_HOUR, NS_PER_S, type WallNs, wallNs } from '../src/base/time.ts';
import { choice } from '../src/base/values.ts';
import { filterFlags, toFilter } from '../src/cli/filters.ts';
import { type FlagTable, parseFlags } from '../src/cli/flag.ts';
import { TOP_DIMENSIONS, type TopDimension } from '../src/event/filter.ts';
import { CAUSES, type Event } from '../src/event/kinds.ts';
import { StoreReader } from '../src/store/reader.ts';
import { StoreWriter } from '../src/store/writer.ts';

/** 2026-11-21T00:00:00Z */
const BEGIN = wallNs(1_795_219_200n * NS_PER_S);
const RUNS = 5;
const BATCH = 1000;
const LOSSLOG = fileURLToPath(new URL('../bin/losslog', import.meta.url));
const queryFlags = {
  ...filterFlags,
  by: { type: 'value', placeholder: 'DIM', doc: 'of top', parse: choice('dimension', TOP_DIMENSIONS) },
} as const satisfies FlagTable;

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

/** Words of the command line after `losslog`; `--since half` stands for the middle of the store. */
const QUERIES = [
  'show',
  'show --since half --peer 192.168.11.100',
  'show --since begin --peer 192.168.11.100',
  'show --since half --peer 192.168.0.1',
  'show --since begin --peer 10.0.0.2',
  'show --peer 203.0.113.1',
  'show --peer 203.0.0.0/16',
  'show --pid 1017',
  'show --reason qdisc_drop --port 22',
  'top --by peer',
  'top --by process --since half',
  'top --by location',
];

function wordsOf(query: string, spanNs: bigint): string[] {
  const times: Record<string, WallNs> = { begin: BEGIN, half: wallNs(BEGIN + spanNs / 2n) };
  return query.split(' ').map((word) => (times[word] === undefined ? word : formatWall(times[word])));
}

/** What `show` and `top` ask of the store. */
function ask(dir: string, [command, ...words]: string[]): number {
  const reader = StoreReader.open(dir);
  try {
    const { values } = parseFlags(queryFlags, words, { now: BEGIN });
    const filter = toFilter(values);
    if (command === 'top') return reader.top(filter, values.by as TopDimension, 20).length;
    const found = [...reader.events(filter, { order: 'newest', limit: 101 })].length;
    reader.countBenign(filter, 1000);
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

/** The command as a user runs it. */
function runCommand(dir: string, [command = '', ...words]: string[]): void {
  const { status, stderr } = spawnSync(LOSSLOG, [command, '--store', dir, ...words], {
    encoding: 'utf8',
    timeout: 60_000,
  });
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
    for (const query of QUERIES) {
      const words = wordsOf(query, spanNs);
      const found = ask(dir, words);
      const inside = medianMs(() => ask(dir, words));
      const whole = medianMs(() => runCommand(dir, words));
      row(query, String(found), inside.toFixed(1), whole.toFixed(0));
    }
    row('(node alone)', '', '', medianMs(() => spawnSync(process.execPath, ['-e', '0'])).toFixed(0));
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

const count = Number(process.argv[2] ?? 1_000_000);
await report('day', count, 24n * NS_PER_HOUR);
await report('storm', count, NS_PER_HOUR - NS_PER_S);
