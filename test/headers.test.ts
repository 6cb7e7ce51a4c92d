/** Headers of dropped packets that are not a plain IP header, and sockets that are found without TCP. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Host } from '../lab/host.ts';
import { Lab } from '../lab/lab.ts';
import { type JsonEvent, Recorder } from '../lab/recorder.ts';
import { blastUdp, injectFrames } from '../lab/traffic.ts';
import { parseIp } from '../src/base/ip.ts';
import { requires } from './helpers/requires.ts';
import { seen } from './helpers/seen.ts';

const SPORT = 4789;
const DPORT = 4791;
const COUNT = 23;
const UDP = 17;

const be16 = (value: number): number[] => [value >> 8, value & 0xff];
const bytesOf = (ip: string): number[] => [...(parseIp(ip) as Uint8Array)];
const macOf = (mac: string): number[] => mac.split(':').map((byte) => Number.parseInt(byte, 16));

function ethernet(from: Host, to: Host, rest: number[]): Uint8Array {
  return Uint8Array.from([...macOf(to.mac), ...macOf(from.mac), ...rest]);
}

/** Checksum 0: IPv4 takes it as none; over IPv6 nothing looks at it before the rule. */
const udp = (payload: number): number[] => [
  ...be16(SPORT),
  ...be16(DPORT),
  ...be16(8 + payload),
  0,
  0,
  ...Array<number>(payload).fill(65),
];

function ipv4(from: Host, to: Host, fragment: number, payload: number[]): number[] {
  const header = [
    0x45,
    0,
    ...be16(20 + payload.length),
    0,
    1,
    ...be16(fragment),
    64,
    UDP,
    0,
    0,
    ...bytesOf(from.ip4),
    ...bytesOf(to.ip4),
  ];
  let sum = 0;
  for (let i = 0; i < header.length; i += 2) sum += ((header[i] as number) << 8) | (header[i + 1] as number);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
  header.splice(10, 2, ...be16(~sum & 0xffff));
  return [...header, ...payload];
}

const ipv6 = (from: Host, to: Host, next: number, payload: number[]): number[] => [
  0x60,
  0,
  0,
  0,
  ...be16(payload.length),
  next,
  64,
  ...bytesOf(from.ip6),
  ...bytesOf(to.ip6),
  ...payload,
];

/** Injects `frames` at the client and returns what was dropped at the server, of `reason`. */
async function dropped(
  hosts: { client: Host; server: Host },
  frames: Uint8Array[],
  reason: string,
): Promise<JsonEvent<'drop'>[]> {
  await using recorder = await Recorder.start({ hosts: [hosts.server] });
  await injectFrames(hosts.client, frames, COUNT);
  await recorder.stop();
  return recorder.eventsOf('drop').filter((event) => event.reason === reason);
}

test('a frame with two VLAN tags: the headers behind them', requires('root', 'btf'), async () => {
  await using lab = Lab.create();
  const { client, server } = lab.twoHosts();
  const tags = [0x88, 0xa8, 0, 5, 0x81, 0x00, 0, 7, 0x08, 0x00];
  const frame = ethernet(client, server, [...tags, ...ipv4(client, server, 0, udp(11))]);
  const events = await seen(async () => {
    await using recorder = await Recorder.start({ hosts: [server] });
    await injectFrames(client, [frame], COUNT);
    await recorder.stop();
    return recorder.eventsOf('drop').filter(({ sport }) => sport === SPORT);
  });
  assert.equal(events.length, COUNT);
  for (const { src, dst, dport, protocol } of events) {
    assert.deepEqual([src, dst, dport, protocol], [client.ip4, server.ip4, DPORT, 'udp']);
  }
});

test('IPv6 extension headers before UDP', requires('root', 'btf', 'ipv6'), async () => {
  await using lab = Lab.create();
  const { client, server } = lab.twoHosts();
  server.dropMatching({ family: 6, chain: 'PREROUTING', table: 'raw', protocol: 'udp' });
  // hop-by-hop (0), then destination options (60), each 8 bytes with one PadN option (RFC 8200 4.2)
  const pad = [1, 4, 0, 0, 0, 0];
  const chain = [60, 0, ...pad, UDP, 0, ...pad, ...udp(11)];
  const frame = ethernet(client, server, [0x86, 0xdd, ...ipv6(client, server, 0, chain)]);
  const events = await seen(() => dropped({ client, server }, [frame], 'NETFILTER_DROP'));
  assert.equal(events.length, COUNT);
  for (const { src, sport, dst, dport, protocol } of events) {
    assert.deepEqual([src, sport, dst, dport, protocol], [client.ip6, SPORT, server.ip6, DPORT, 'udp']);
  }
});

test('fragments: the first has ports, the others have none', requires('root', 'btf'), async () => {
  await using lab = Lab.create();
  const { client, server } = lab.twoHosts();
  server.dropMatching({ family: 4, chain: 'PREROUTING', table: 'raw', protocol: 'udp' });
  const moreFragments = 0x2000;
  const first = ethernet(client, server, [0x08, 0x00, ...ipv4(client, server, moreFragments, udp(16))]);
  const second = ethernet(client, server, [0x08, 0x00, ...ipv4(client, server, 3, Array<number>(16).fill(66))]);
  const events = await seen(() => dropped({ client, server }, [first, second], 'NETFILTER_DROP'));
  assert.equal(events.length, 2 * COUNT);
  const withPorts = events.filter(({ sport, dport }) => sport === SPORT && dport === DPORT);
  assert.equal(withPorts.length, COUNT);
  assert.equal(events.filter(({ sport, dport }) => sport === undefined && dport === undefined).length, COUNT);
  for (const { src, dst, protocol } of events) assert.deepEqual([src, dst, protocol], [client.ip4, server.ip4, 'udp']);
});

test('a protocol without ports', requires('root', 'btf'), async () => {
  await using lab = Lab.create();
  const { client, server } = lab.twoHosts();
  const packet = ipv4(client, server, 0, Array<number>(16).fill(0));
  server.dropMatching({ family: 4, chain: 'PREROUTING', table: 'raw', extra: ['-p', '253'] });
  // protocol 253 (RFC 3692) in place of UDP: the header's checksum changes by the difference
  packet[9] = 253;
  const sum = ((packet[10] as number) << 8) + (packet[11] as number) - (253 - UDP);
  packet.splice(10, 2, ...be16(sum < 0 ? sum + 0xffff : sum));
  const frame = ethernet(client, server, [0x08, 0x00, ...packet]);
  const events = await seen(() => dropped({ client, server }, [frame], 'NETFILTER_DROP'));
  assert.equal(events.length, COUNT);
  for (const { src, sport, dst, protocol } of events) {
    assert.deepEqual([src, sport, dst, protocol], [client.ip4, undefined, server.ip4, '253']);
  }
});

/** Binds, says its port, and then never reads. */
const DEAF = `const s = require('node:dgram').createSocket('udp4');
process.title = 'the-deaf';
s.bind(0, () => { s.setRecvBufferSize(4096); console.log(s.address().port); setTimeout(() => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20000), 20); });`;

test('a full UDP receive buffer: as many as the socket counts, and whose it is', requires('root', 'btf'), async () => {
  await using lab = Lab.create();
  const { client, server } = lab.twoHosts();
  const { events, counted, pid } = await seen(async () => {
    const deaf = server.spawn([process.execPath, '-e', DEAF]);
    const port = Number(await deaf.line());
    await new Promise((resolve) => setTimeout(resolve, 200));
    await using recorder = await Recorder.start({ hosts: [server] });
    const before = server.counters();
    await blastUdp(client, { host: server.ip4, port, count: 499, bytes: 500 });
    const errors = server.counters().since(before).get('Udp.RcvbufErrors');
    await new Promise((resolve) => setTimeout(resolve, 200));
    await recorder.stop();
    const full = recorder.eventsOf('drop').filter(({ reason }) => reason === 'SOCKET_RCVBUFF');
    deaf.kill();
    return { events: full, counted: errors, pid: deaf.pid };
  });
  assert.ok(counted > 100);
  assert.equal(events.length, counted);
  for (const event of events) {
    assert.deepEqual([event.direction, event.pid, event.process, event.ownerHow], ['rx', pid, 'the-deaf', 'fd']);
  }
});
