/** The first bytes of dropped packets, beside what another program captured of the same packets. */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Host } from '../lab/host.ts';
import { Lab } from '../lab/lab.ts';
import { Recorder } from '../lab/recorder.ts';
import { injectFrames } from '../lab/traffic.ts';
import {
  be16,
  be32,
  ethernet,
  filler,
  ICMP,
  icmp,
  ipv4,
  ipv6,
  PSH,
  SYN,
  TCP,
  tcp,
  UDP,
  udp,
} from './helpers/frames.ts';
import { requires } from './helpers/requires.ts';
import { seen } from './helpers/seen.ts';

const SPORT = 4789;
const DPORT = 4791;
const PAYLOAD = 120;
/** IEEE 802.1Q 9.5: tag 7. */
const TAG = [0x81, 0x00, 0, 7];
const ETHERNET = 14;
/** Classic BPF that returns TC_ACT_SHOT. */
const RETURN_SHOT = '1,6 0 0 2,';

const DIR = mkdtempSync(join(tmpdir(), 'losslog-snaplen-'));
after(() => rmSync(DIR, { recursive: true, force: true }));

interface Frame {
  /** In hex. */
  bytes: string;
  /** Of the whole frame. */
  length: number;
}

function tshark(...args: string[]): string {
  const { status, stdout, stderr } = spawnSync('tshark', args, { encoding: 'utf8', maxBuffer: 1 << 28 });
  assert.equal(status, 0, stderr);
  return stdout;
}

/** The frames of a file, by tshark. */
function framesOf(file: string): Frame[] {
  const packets = JSON.parse(tshark('-r', file, '-T', 'json', '-x')) as {
    _source: { layers: { frame: { 'frame.len': string }; frame_raw: [string] } };
  }[];
  return packets.map(({ _source: { layers } }) => ({
    bytes: layers.frame_raw[0],
    length: Number(layers.frame['frame.len']),
  }));
}

const hex = (frame: Uint8Array): string => Buffer.from(frame).toString('hex');
const sorted = (frames: readonly Frame[]): Frame[] => frames.toSorted((a, b) => (a.bytes < b.bytes ? -1 : 1));

/** A frame of each sort, with the number of its bytes that are headers. */
function framesOfEachSort(client: Host, server: Host): { frame: Uint8Array; headers: number }[] {
  const to4 = { src: client.ip4, dst: server.ip4 };
  const payload = filler(PAYLOAD);
  const segment = tcp(to4.src, to4.dst, { sport: SPORT, dport: DPORT, seq: 1, flags: PSH, payload });
  const pad = [1, 4, 0, 0, 0, 0];
  const extended = [60, 0, ...pad, UDP, 0, ...pad, ...udp(SPORT, DPORT, payload)];
  const segment6 = tcp(client.ip6, server.ip6, { sport: SPORT, dport: DPORT, seq: 9, flags: SYN });
  const laterFragment6 = [UDP, 0, ...be16(3 << 3), ...be32(99), ...payload];
  const sorts: [number[], number][] = [
    [ipv4({ ...to4, protocol: TCP }, segment), 20 + 20],
    [ipv4({ ...to4, protocol: TCP, options: [1, 1, 1, 0] }, segment), 24 + 20],
    [ipv4({ ...to4, protocol: UDP }, udp(SPORT, DPORT, payload)), 20 + 8],
    [ipv4({ ...to4, protocol: ICMP }, icmp(8, [0, 1, 0, 1, ...payload])), 20 + 8],
    [ipv4({ ...to4, protocol: UDP, fragment: 3 }, payload), 20],
    [ipv6(client.ip6, server.ip6, TCP, segment6), 40 + 20],
    [ipv6(client.ip6, server.ip6, 0, extended), 40 + 16 + 8],
    [ipv6(client.ip6, server.ip6, 44, laterFragment6), 40 + 8],
  ];
  return sorts.map(([packet, headers]) => ({
    frame: ethernet(client, server.mac, packet),
    headers: ETHERNET + headers,
  }));
}

/** Resolves when a file holds these frames, whole: dumpcap hands over what it has twice a second and loses the rest at its end. */
async function written(file: string, frames: readonly Uint8Array[]): Promise<void> {
  for (const end = Date.now() + 30_000; Date.now() < end; await sleep(50)) {
    const bytes = readFileSync(file);
    if (frames.every((frame) => bytes.includes(Buffer.from(frame)))) return;
  }
  throw new Error(`dumpcap did not capture all of ${frames.length} frames`);
}

/** What losslog exports of frames that a firewall drops or no one wants, and what dumpcap saw of them. */
async function dropped(client: Host, server: Host, frames: readonly Uint8Array[], args: readonly string[]) {
  const captured = join(DIR, 'captured.pcapng');
  const exported = join(DIR, 'exported.pcapng');
  const sent = frames.map(hex);
  return seen(async () => {
    await using recorder = await Recorder.start({ hosts: [server], args });
    const capture = server.spawn(['dumpcap', '-q', '-i', server.device, '-w', captured]);
    await capture.stderrLine('File: ', 30_000);
    await injectFrames(client, frames, 1);
    await written(captured, frames);
    await recorder.stop();
    capture.signal('SIGINT');
    await capture.wait(30_000);
    recorder.losslog('export', '--all', '--format', 'pcapng', '-o', exported);
    const ours = framesOf(captured).filter(({ bytes }) => sent.includes(bytes));
    // The hosts announce their multicast groups now and then.
    const kept = framesOf(exported).filter(({ bytes }) => sent.some((frame) => frame.startsWith(bytes)));
    assert.match(spawnSync('capinfos', ['-M', exported], { encoding: 'utf8' }).stdout, /Encapsulation = Ethernet/);
    return { captured: sorted(ours), kept: sorted(kept) };
  });
}

async function behindFirewall<T>(run: (client: Host, server: Host) => Promise<T>): Promise<T> {
  await using lab = Lab.create();
  const { client, server } = lab.twoHosts();
  const place = { chain: 'PREROUTING', table: 'raw', extra: ['-i', server.device] } as const;
  for (const family of [4, 6] as const) server.dropMatching({ ...place, family });
  return await run(client, server);
}

const needs = requires('root', 'btf', 'ipv6', 'tshark');

for (const snaplen of [30, 60, 256]) {
  test(`--snaplen ${snaplen}: the same bytes as dumpcap's, up to that length`, needs, () =>
    behindFirewall(async (client, server) => {
      const frames = framesOfEachSort(client, server).map(({ frame }) => frame);
      const { captured, kept } = await dropped(client, server, frames, ['--snaplen', String(snaplen)]);
      assert.equal(captured.length, frames.length);
      const expected = captured.map(({ bytes, length }) => ({ bytes: bytes.slice(0, 2 * snaplen), length }));
      assert.deepEqual(kept, sorted(expected));
    }),
  );
}

test('by itself: the headers, and nothing that they carry', needs, () =>
  behindFirewall(async (client, server) => {
    const sorts = framesOfEachSort(client, server);
    const { kept } = await dropped(
      client,
      server,
      sorts.map(({ frame }) => frame),
      [],
    );
    const expected = sorts.map(({ frame, headers }) => ({
      bytes: hex(frame.subarray(0, headers)),
      length: frame.length,
    }));
    assert.deepEqual(kept, sorted(expected));
  }),
);

test('a VLAN tag that the kernel keeps beside the packet is where it was', needs, async (t) => {
  await using lab = Lab.create();
  const { client, server } = lab.twoHosts();
  // Before the tag is looked at: behind that the kernel forgets one that no VLAN device wants (__netif_receive_skb_core()).
  const refuse = ['bpf', 'direct-action', 'bytecode', RETURN_SHOT];
  try {
    server.exec('tc', 'qdisc', 'add', 'dev', server.device, 'clsact');
    server.exec('tc', 'filter', 'add', 'dev', server.device, 'ingress', 'protocol', 'all', ...refuse);
  } catch (error) {
    t.skip(`this kernel has no BPF classifier: ${error}`);
    return;
  }
  const packet = ipv4({ src: client.ip4, dst: server.ip4, protocol: UDP }, udp(SPORT, DPORT, filler(PAYLOAD)));
  const frame = ethernet(client, server.mac, [...TAG, ...packet]);
  const { captured, kept } = await dropped(client, server, [frame], ['--snaplen', '100']);
  assert.deepEqual(captured, [{ bytes: hex(frame), length: frame.length }]);
  assert.deepEqual(kept, [{ bytes: hex(frame.subarray(0, 100)), length: frame.length }]);
});

test('what is refused before it has an Ethernet header begins with its IP header', needs, async () => {
  await using lab = Lab.create();
  const { client, server } = lab.twoHosts();
  client.dropMatching({ chain: 'OUTPUT', family: 4, protocol: 'udp', dport: DPORT });
  const exported = join(DIR, 'raw.pcapng');
  const [frame] = await seen(async () => {
    await using recorder = await Recorder.start({ hosts: [client] });
    const send = `exec 3>/dev/udp/${server.ip4}/${DPORT}; printf secret >&3`;
    await client.spawn(['bash', '-c', send]).wait();
    await recorder.stop();
    recorder.losslog('export', '--port', String(DPORT), '--format', 'pcapng', '-o', exported);
    return framesOf(exported);
  });
  assert.equal(frame?.length, 20 + 8 + 'secret'.length);
  assert.match(frame.bytes, /^45.{54}$/, 'an IPv4 and a UDP header');
  assert.match(spawnSync('capinfos', ['-M', exported], { encoding: 'utf8' }).stdout, /Encapsulation = Raw IP/);
});

test('--snaplen 0: the headers are rebuilt', needs, () =>
  behindFirewall(async (client, server) => {
    const [{ frame } = assert.fail()] = framesOfEachSort(client, server);
    const exported = join(DIR, 'rebuilt.pcapng');
    await seen(async () => {
      await using recorder = await Recorder.start({ hosts: [server], args: ['--snaplen', '0'] });
      await injectFrames(client, [frame], 1);
      await sleep(100);
      await recorder.stop();
      recorder.losslog('export', '--port', String(DPORT), '--format', 'pcapng', '-o', exported);
    });
    const rebuilt = framesOf(exported);
    assert.equal(rebuilt.length, 1);
    assert.equal(rebuilt[0]?.length, frame.length - ETHERNET);
  }),
);

test('a source that does not have the bytes says so', requires('root', 'ftrace'), async () => {
  await using recorder = await Recorder.start({ args: ['--source', 'ftrace', '--snaplen', '60'] });
  assert.match(recorder.process.stderr, /no bytes of dropped packets are kept \(--snaplen\): the source ftrace/);
  await recorder.stop();
});
