/**
 * Captures one raw record of each sort from the running kernel, in namespaces of its own, and writes them with what they
 * decode to into testdata/records/RELEASE/. Needs root. To be run again when bpf/record.h changes, and once for each
 * kernel whose records differ; read what it wrote before it is committed.
 *
 *     node scripts/capture-records.ts
 */

import { mkdirSync, writeFileSync } from 'node:fs';
import { release } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Host } from '../lab/host.ts';
import { Lab } from '../lab/lab.ts';
import { blastUdp, holdConnection, injectFrames, sendTcp, startSink } from '../lab/traffic.ts';
import { type IpBytes, parseIp } from '../src/base/ip.ts';
import { formatSocketAddress } from '../src/base/socket-address.ts';
import { type BootNs, wallNs } from '../src/base/time.ts';
import { BpfObject } from '../src/bpf/object.ts';
import { objectPath } from '../src/bpf/object-path.ts';
import { configure } from '../src/capture/kernel-constants.ts';
import { kernelFacts, programsOf } from '../src/capture/kernel-facts.ts';
import { NO_LIMITS } from '../src/capture/limits.ts';
import { Symbols } from '../src/capture/symbols.ts';
import { toJson } from '../src/event/json.ts';
import { jiffyNs } from '../src/linux/clock.ts';
import { DropReasons } from '../src/linux/drop-reasons.ts';
import { readKernelBtf } from '../src/linux/kernel-btf.ts';
import { decodeRecord } from '../src/wire/decode.ts';
import type { Decoding } from '../src/wire/head.ts';
import type { RecordFixture } from '../src/wire/record-fixture.test-util.ts';

const VERSION = release().split('.', 2).join('.');
const DIRECTORY = join(import.meta.dirname, '../testdata/records', VERSION);
/** 2026-11-22T20:15:00Z, in place of the machine's own boot time. */
const BOOTED_AT = 1_795_378_500_000_000_000n;

const btf = readKernelBtf();
const reasons = new DropReasons(btf);
const symbols = new Symbols();

async function captureRecords(): Promise<Buffer[]> {
  await using lab = Lab.create();
  const { client, server } = lab.twoHosts();
  const facts = kernelFacts(btf);
  const programs = facts.available.map(programsOf).flatMap(({ first, rescue }) => [first, rescue]);
  const object = BpfObject.load(objectPath(), {
    programs,
    configure: (view) =>
      configure(view, facts, { netns: [client.netns, server.netns], limits: NO_LIMITS }, symbols, reasons),
  });
  try {
    const filter = object.map('netns_filter');
    for (const { netns } of [client, server]) {
      filter.update(new Uint8Array(Uint32Array.of(netns).buffer), Uint8Array.of(1));
    }
    for (const program of programs) object.attach(program);
    await loseOfEachSort(client, server);
    object.detach();
    return ['connection_ring', 'drop_ring'].flatMap((name) => drain(object, name));
  } finally {
    object.close();
  }
}

function drain(object: BpfObject, name: string): Buffer[] {
  const records: Buffer[] = [];
  const ring = object.map(name).ring();
  ring.drain((bytes, offset, length) => records.push(Buffer.from(bytes.subarray(offset, offset + length))));
  ring.close();
  return records;
}

async function loseOfEachSort(client: Host, server: Host): Promise<void> {
  const sink = await startSink(server, { title: 'nginx' });
  for (const host of [server.ip4, server.ip6]) {
    const held = await holdConnection(client, { host, port: sink.port, title: 'curl' });
    const data = server.dropMatching({ protocol: 'tcp', dport: sink.port });
    await held.tell('send 5000');
    await sleep(800);
    data.remove();
    await held.tell('close');
    const synAck = client.dropMatching({ protocol: 'tcp', sport: sink.port });
    await sendTcp(client, { host, port: sink.port, bytes: 0 }, { timeoutMs: 1500 }).catch(() => undefined);
    synAck.remove();
    await sendTcp(client, { host, port: 81, bytes: 0, title: 'wget' });
    await loseTranslated(client, host, sink.port);
    await blastUdp(client, { host, port: 53, count: 1, sport: 5353 });
  }
  const ethernet = [...Buffer.from(`${server.mac}${client.mac}`.replaceAll(':', ''), 'hex')];
  await injectFrames(client, [Uint8Array.from([...ethernet, 0x08, 0x06, 0, 1])]);
}

/** A connection to a port that the client itself translates, of which data is dropped. */
async function loseTranslated(client: Host, host: string, port: number): Promise<void> {
  const family = host.includes(':') ? 6 : 4;
  const to = formatSocketAddress({ address: parseIp(host) as IpBytes, port });
  const target = ['DNAT', '--to-destination', to];
  const nat = client.dropMatching({ table: 'nat', chain: 'OUTPUT', family, protocol: 'tcp', dport: 8080, target });
  const held = await holdConnection(client, { host, port: 8080, title: 'curl' });
  const data = client.dropMatching({ chain: 'OUTPUT', family, protocol: 'tcp', dport: port });
  await held.tell('send 5000');
  await sleep(300);
  data.remove();
  await held.tell('close');
  nat.remove();
}

/** Decodes like a recorder on this kernel, and notes what it had to ask the kernel for. */
function fixtureOf(record: Buffer): RecordFixture {
  const asked: RecordFixture['kernel'] = { jiffyMs: jiffyNs() / 1e6, dropReasons: {}, resetReasons: {}, symbols: {} };
  const decoding: Decoding = {
    jiffyMs: asked.jiffyMs,
    toWall: (time: BootNs) => wallNs(BOOTED_AT + time),
    dropReason: (code) => {
      asked.dropReasons[code] = reasons.reasonName(code);
      return reasons.reasonName(code);
    },
    resetReason: (code) => {
      asked.resetReasons[code] = reasons.rstReasonName(code);
      return reasons.rstReasonName(code);
    },
    symbol: (address) => {
      const name = symbols.lookup(address);
      if (name !== undefined) asked.symbols[`0x${address.toString(16)}`] = name;
      return name;
    },
  };
  const { event } = decodeRecord(record, 0, record.length, decoding);
  const hex = record.toString('hex').match(/.{1,64}/g) ?? [];
  return { record: hex, kernel: asked, bootedAt: String(BOOTED_AT), event: JSON.parse(toJson(event)) };
}

/** One file for each of these: the first record of that sort. */
function sortOf({ event }: RecordFixture): string {
  const what = event.cause ?? event.protocol ?? event.direction;
  return [event.kind, what, event.family, event.reason, event.nat === undefined ? undefined : 'nat']
    .filter((part) => part !== undefined)
    .join('-')
    .toLowerCase();
}

mkdirSync(DIRECTORY, { recursive: true });
const written = new Set<string>();
for (const fixture of (await captureRecords()).map(fixtureOf)) {
  const sort = sortOf(fixture);
  if (written.has(sort)) continue;
  written.add(sort);
  writeFileSync(join(DIRECTORY, `${sort}.json`), `${JSON.stringify(fixture, null, 2)}\n`);
}
process.stderr.write(`${[...written].sort().join('\n')}\n`);
