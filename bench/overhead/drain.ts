/**
 * What draining the rings and decoding their records take: drops and retransmissions that the kernel recorded, read again and again from
 * where it wrote them. Nothing is completed, stored or given back.
 */

import type { Lab } from '../../lab/lab.ts';
import { blastUdp, sendTcp, startSink } from '../../lab/traffic.ts';
import { BpfObject } from '../../src/bpf/object.ts';
import { objectPath } from '../../src/bpf/object-path.ts';
import { configure } from '../../src/capture/kernel-constants.ts';
import { programNames } from '../../src/capture/kernel-objects.ts';
import { KernelView } from '../../src/capture/kernel-view.ts';
import { NO_LIMITS } from '../../src/capture/limits.ts';
import { WallClock } from '../../src/linux/clock.ts';
import { decodeRecord } from '../../src/wire/decode.ts';
import type { Decoded, Decoding } from '../../src/wire/head.ts';
import { median } from './statistics.ts';

const PORT = 9999;
const DROPS = 10_000;
const SENT_BYTES = 50_000_000;
const LOSS = 0.2;
/** Events in memory at once, as in the recorder (src/capture/event-rings.ts). */
const BATCH = 4096;
/** Records of a kind, in all. */
const RECORDS = 1_500_000;
/** Of as many rounds at the end: before, code is compiled. */
const MEASURED = 0.5;

/** Of one round: records, and what reading them took. */
interface Round {
  records: number;
  cpuUs: number;
  ms: number;
}

function readOnce(object: BpfObject, name: string, decoding: Decoding): Round {
  // A ring that is opened anew begins where the first began, since nobody gave anything back.
  const ring = object.map(name).ring();
  let [events, records, drained]: [Decoded[], number, number] = [[], 0, BATCH];
  const [begin, cpu] = [performance.now(), process.cpuUsage()];
  for (; drained === BATCH; records += drained) {
    drained = ring.drain((bytes, offset, length) => events.push(decodeRecord(bytes, offset, length, decoding)), BATCH);
    events = [];
  }
  const { user, system } = process.cpuUsage(cpu);
  const ms = performance.now() - begin;
  ring.close();
  return { records, cpuUs: user + system, ms };
}

/** Of one ring, once the code is warm. */
export interface Drained {
  /** Microseconds of an event on all threads of the process, V8's included. */
  cpuUs: number;
  /** By the clock, on one thread. */
  eventsASecond: number;
  /** In the ring. */
  records: number;
}

export type Drains = Readonly<Record<'drops' | 'retransmissions', Drained>>;

function measure(object: BpfObject, name: string, decoding: Decoding): Drained {
  const rounds: Round[] = [];
  for (let read = 0; read < RECORDS; read += rounds.at(-1)?.records ?? 0) {
    const round = readOnce(object, name, decoding);
    if (round.records === 0) throw new Error(`${name} is empty`);
    rounds.push(round);
  }
  const warm = rounds.slice(Math.floor(rounds.length * MEASURED));
  return {
    cpuUs: median(warm.map(({ cpuUs, records }) => cpuUs / records)),
    eventsASecond: median(warm.map(({ ms, records }) => (records / ms) * 1000)),
    records: rounds[0]?.records ?? 0,
  };
}

export async function drains(lab: Lab): Promise<Drains> {
  const { client, server } = lab.twoHosts({ ipv6: false, tso: false, subnet: 6 });
  server.dropMatching({ protocol: 'udp', dport: PORT, family: 4 });
  server.dropRandomly(LOSS, { protocol: 'tcp', family: 4 });
  const view = new KernelView();
  const netns = [client.netns, server.netns];
  const programs = programNames(view.facts.available);
  const object = BpfObject.load(objectPath(), {
    programs,
    configure: (rodata) => configure(rodata, view.facts, { netns, limits: NO_LIMITS }, view.symbols, view.reasons),
  });
  try {
    for (const program of programs) object.attach(program);
    await blastUdp(client, { host: server.ip4, port: PORT, count: DROPS });
    const { port } = await startSink(server);
    await sendTcp(client, { host: server.ip4, port, bytes: SENT_BYTES, connections: 4 });
    object.detach();
    const clock = new WallClock();
    const decoding = view.decoding(clock.toWall.bind(clock));
    return {
      drops: measure(object, 'drop_ring', decoding),
      retransmissions: measure(object, 'connection_ring', decoding),
    };
  } finally {
    object.close();
  }
}
