/** Stores of many events with a fixed seed, for measuring. */

import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { NS_PER_HOUR, type WallNs, wallNs } from '../src/base/time.ts';
import { CAUSES, type Event } from '../src/event/kinds.ts';
import { StoreWriter } from '../src/store/writer.ts';

const BATCH = 1000;

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
    bootNs: 300n * NS_PER_HOUR + (time % NS_PER_HOUR),
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
    ack: below(2 ** 32),
    spentUs: 1 + below(60),
  } as Event;
}

function drop(time: WallNs): Event {
  const isOwned = random() < 0.3;
  return {
    kind: 'drop',
    time,
    bootNs: 300n * NS_PER_HOUR + (time % NS_PER_HOUR),
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
    ack: below(2 ** 32),
    length: 40 + below(1460),
  } as Event;
}

/** A retransmission or a drop. */
export const anyEvent = (time: WallNs): Event => (random() < 0.5 ? retransmit(time) : drop(time));

export interface Filled {
  cpuUs: number;
  bytes: number;
  slices: number;
}

/** Writes events evenly over the time from `begin` on. */
export async function fill(dir: string, count: number, spanNs: bigint, begin: WallNs): Promise<Filled> {
  const batches: number = Math.ceil(count / BATCH);
  let now = begin;
  let cpuUs = 0;
  const writer = StoreWriter.open(
    dir,
    { bootId: 'bench', losslogVersion: '0', kernel: '0', host: 'bench' },
    { now: () => now },
  );
  for (let batch = 0; batch < batches; batch++) {
    const events = Array.from({ length: BATCH }, (_, i) => {
      now = wallNs(begin + (spanNs * BigInt(batch * BATCH + i)) / BigInt(batches * BATCH));
      return anyEvent(now);
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
