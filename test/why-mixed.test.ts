/**
 * Which drop made the kernel send again, judged by captures at both ends that losslog has no part in: a packet that left
 * the client and did not reach the server was dropped, and what covers the same bytes next was sent because of that.
 */

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { run } from '../lab/command.ts';
import type { Host } from '../lab/host.ts';
import { Lab } from '../lab/lab.ts';
import { Recorder } from '../lab/recorder.ts';
import { loadScenario } from '../lab/scenario/catalogue.ts';
import { explain } from '../src/explain/cases.ts';
import type { Dropped } from '../src/explain/facts.ts';
import type { ResentCase } from '../src/explain/join.ts';
import { overlap, type Range } from '../src/explain/sequence.ts';
import { StoreReader } from '../src/store/store.ts';
import { requires } from './helpers/requires.ts';
import { seen } from './helpers/seen.ts';

/** Of the router, which translates it. */
const PORT = 8080;

interface Packet extends Range {
  /** Wall time in ns. */
  readonly time: number;
  readonly sport: number;
  /** What tells it from another packet of the same bytes: the IP identification, which NAT leaves alone. */
  readonly id: string;
}

/** Captures what passes the device of a host until it is told to end. */
class Capture {
  readonly #file: string;
  readonly #process;

  private constructor(host: Host, file: string) {
    this.#file = file;
    // headers only, and a buffer that holds everything
    const options = ['-i', host.device, '-s', '120', '-B', '256', '-q', '-f', 'tcp', '-w', file];
    this.#process = host.spawn(['dumpcap', ...options]);
  }

  static async start(host: Host, file: string): Promise<Capture> {
    const capture = new Capture(host, file);
    await capture.#process.stderrLine('File: ', 20_000);
    return capture;
  }

  /** The packets with data, SYN or FIN that were sent to the port. */
  async end(port: number): Promise<Packet[]> {
    this.#process.signal('SIGINT');
    await this.#process.wait(20_000);
    assert.match(this.#process.stderr, /dropped on interface '\w+': \d+\/0 /, 'the capture is whole');
    const fields = ['frame.time_epoch', 'tcp.srcport', 'ip.id', 'tcp.seq_raw', 'tcp.len', 'tcp.flags'];
    const wanted = ['-Y', `tcp.dstport == ${port} && (tcp.len > 0 || tcp.flags.syn == 1 || tcp.flags.fin == 1)`];
    const columns = fields.flatMap((field) => ['-e', field]);
    const text = run(
      'tshark',
      '-r',
      this.#file,
      '-o',
      'tcp.desegment_tcp_streams:FALSE',
      ...wanted,
      '-T',
      'fields',
      ...columns,
    );
    return text.trimEnd().split('\n').map(packetOf);
  }
}

function packetOf(line: string): Packet {
  const [time = '', sport, id, sequence, length, flags] = line.split('\t');
  const [seconds = '', fraction = ''] = time.split('.');
  const begin = Number(sequence);
  const bits = Number(flags);
  const end = (begin + Number(length) + (bits & 1) + ((bits >> 1) & 1)) % 2 ** 32;
  return {
    time: Number(seconds) * 1e9 + Number(fraction.padEnd(9, '0')),
    sport: Number(sport),
    begin,
    end,
    id: `${id} ${begin} ${end}`,
  };
}

/** How far apart the clocks of capture and record may be: the next copy may follow 30 µs later. */
const CLOCK_NS = 5000;

/** A byte of them. */
const firstOf = ({ begin }: Range): Range => ({ begin, end: (begin + 1) % 2 ** 32 });

class Captured {
  readonly #sent: readonly Packet[];
  readonly #arrived: readonly Packet[];
  readonly #arrivedIds: ReadonlySet<string>;

  constructor(sent: readonly Packet[], arrived: readonly Packet[]) {
    this.#sent = sent;
    this.#arrived = arrived;
    this.#arrivedIds = new Set(arrived.map(({ id }) => id));
  }

  /**
   * What of the bytes of a retransmission had not arrived when they were sent the time before: one packet, or some of the
   * many of a GSO packet.
   * @param time when the retransmission was recorded
   */
  lostBefore(range: Range, sport: number, time: number): Packet[] {
    const same = this.#sent.filter((packet) => packet.sport === sport && overlap(packet, range) !== undefined);
    // the record is written after the packet has gone down the stack
    const own = same.findLast((packet) => packet.time <= time + CLOCK_NS && packet.begin === range.begin);
    const earlier = own === undefined ? [] : same.filter((packet) => packet.time < own.time);
    const isLast = (packet: Packet, i: number): boolean =>
      !earlier.slice(i + 1).some((later) => overlap(later, packet) !== undefined);
    return earlier.filter(isLast).filter((packet) => !this.#came(packet, own as Packet));
  }

  /** What was sent of the first byte of a range, and what of it arrived, for messages. */
  copies(range: Range): { sent: Packet[]; arrived: Packet[] } {
    const some = (packets: readonly Packet[]): Packet[] =>
      packets.filter((packet) => overlap(packet, firstOf(range)) !== undefined);
    return { sent: some(this.#sent), arrived: some(this.#arrived) };
  }

  /**
   * The router may put packets together (GRO) and so give them another identification: then the bytes came in between,
   * or as often as they were sent.
   */
  #came(packet: Packet, resent: Packet): boolean {
    if (this.#arrivedIds.has(packet.id)) return true;
    const { sent, arrived } = this.copies(packet);
    return arrived.length >= sent.length || arrived.some(({ time }) => time >= packet.time && time < resent.time);
  }
}

interface Result {
  retransmissions: number;
  dropped: number;
  matched: number;
  /** Matches that the captures do not bear out, and drops that were not found. */
  wrong: object[];
  missed: object[];
}

async function attempt(): Promise<Result> {
  await using lab = Lab.create();
  const scenario = await loadScenario('mixed-nat');
  const stage = await scenario.build(lab, 4);
  const { client, server } = stage.hosts as { client: Host; server: Host };
  const dir = mkdtempSync(join(tmpdir(), 'losslog-mixed-'));
  lab.defer(() => rmSync(dir, { recursive: true }));
  await using recorder = await Recorder.start({ hosts: Object.values(stage.hosts) });
  const captures = [await Capture.start(client, join(dir, 'client')), await Capture.start(server, join(dir, 'server'))];
  await stage.run();
  await sleep(300);
  await recorder.stop();
  const sent = await (captures[0] as Capture).end(PORT);
  const toServer = recorder
    .eventsOf('drop')
    .find(({ dst, reason }) => dst === server.ip4 && reason === 'NETFILTER_DROP');
  const captured = new Captured(sent, await (captures[1] as Capture).end(toServer?.dport as number));
  return judge(recorder.storeDir, client.netns, captured);
}

function judge(storeDir: string, netns: number, captured: Captured): Result {
  const reader = StoreReader.open(storeDir);
  const cases: ResentCase[] = [];
  const explained = explain(reader, {}, {}, () => ({
    drop: () => {},
    resent: (_, found) => void (found.fact.owner.netns === netns && cases.push(found)),
    reset: () => {},
    counter: () => {},
    summary: () => {},
  }));
  reader.close();
  const base = Number(explained?.base);
  const flows = explained?.known.flows;
  assert.ok(flows);
  const result: Result = { retransmissions: cases.length, dropped: 0, matched: 0, wrong: [], missed: [] };
  for (const { fact, lost, lostAck, needless } of cases) {
    const { flow, range, failed, cause } = fact;
    assert.ok(flow !== undefined && range !== undefined);
    // nothing was sent: the original still sits in the queue
    if (failed !== undefined) continue;
    const time = base + fact.at;
    const dropped = captured.lostBefore(range, flows.source(flow) % 65536, time);
    if (dropped.length > 0) result.dropped++;
    const isRight = ({ at, range: of = range }: Dropped): boolean =>
      dropped.some((packet) => overlap(packet, of) !== undefined && Math.abs(base + at - packet.time) < 20e6);
    const wrong = lost.find((drop) => !isRight(drop));
    const about = wrong?.range ?? dropped[0] ?? range;
    const told = {
      time,
      cause,
      range,
      dropped,
      lost: lost.length,
      lostAck,
      needless,
      about,
      ...captured.copies(about),
    };
    if (wrong) result.wrong.push(told);
    else if (lost.length > 0) result.matched++;
    else if (dropped.length > 0) result.missed.push(told);
  }
  return result;
}

test('a mixed run behind NAT, against captures', requires('root', 'btf', 'statistic', 'tshark'), async (t) => {
  const { wrong, missed, ...counts } = await seen(attempt);
  t.diagnostic(JSON.stringify(counts));
  assert.ok(counts.dropped > 30, JSON.stringify(counts));
  assert.deepEqual(wrong, [], JSON.stringify(wrong));
  if (counts.matched < 0.99 * counts.dropped) assert.deepEqual(missed, [], JSON.stringify(missed));
});
