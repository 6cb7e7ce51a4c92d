/** Headers of dropped packets that are not a plain IP header before the transport's. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Host } from '../lab/host.ts';
import { Lab } from '../lab/lab.ts';
import { injectFrames } from '../lab/traffic.ts';
import { be16, be32, ethernet, filler, ipv4, ipv6, TCP, tcp, UDP, udp } from './helpers/frames.ts';
import { type Drop, record, tally } from './helpers/record.ts';
import { requires } from './helpers/requires.ts';

const SPORT = 4789;
const DPORT = 4791;
const COUNT = 23;
/** 802.1ad tag 5 around 802.1Q tag 7 (IEEE 802.1Q 9.5). */
const TWO_TAGS = [0x88, 0xa8, 0, 5, 0x81, 0x00, 0, 7];

const tuple = ({ protocol, src, sport = 0, dst, dport = 0 }: Drop): string =>
  `${protocol} ${src}:${sport} > ${dst}:${dport}`;

const udpPacket = (from: Host, to: Host): number[] =>
  ipv4({ src: from.ip4, dst: to.ip4, protocol: UDP }, udp(SPORT, DPORT, filler(11)));

/** Injects `frames` at the client, COUNT times each; the tuples of what a firewall dropped at the server. */
async function refused({ client, server }: { client: Host; server: Host }, frames: Uint8Array[]) {
  const place = { chain: 'PREROUTING', table: 'raw', extra: ['-i', 'eth0'] } as const;
  const rules = ([4, 6] as const).map((family) => server.dropMatching({ ...place, family }));
  const { drops } = await record([server], () => injectFrames(client, frames, COUNT));
  for (const rule of rules) rule.remove();
  // The hosts themselves announce their multicast groups (MLD) from the unspecified address, now and then.
  const ours = drops.filter(
    ({ reason, device, src }) => reason === 'NETFILTER_DROP' && device === 'eth0' && src !== '::',
  );
  return tally(ours.map(tuple));
}

test('two VLAN tags on the way in: the headers behind them', requires('root', 'btf'), async () => {
  await using lab = Lab.create();
  const { client, server } = lab.twoHosts();
  const frame = ethernet(client, server.mac, [...TWO_TAGS, ...udpPacket(client, server)]);
  // Nobody took the tag off: it is no IP packet to the stack, and no rule sees it.
  const { drops } = await record([server], () => injectFrames(client, [frame], COUNT));
  const events = drops.filter(({ protocol }) => protocol === 'udp');
  assert.deepEqual(tally(events.map(tuple)), { [`udp ${client.ip4}:${SPORT} > ${server.ip4}:${DPORT}`]: COUNT });
  assert.ok(events.every((event) => event.direction === 'rx' && event.class === 'benign'));
});

test('VLAN tags on the way out: the headers behind them', requires('root', 'btf', 'tbf'), async () => {
  await using lab = Lab.create();
  // The queue would also refuse what a host with IPv6 announces.
  const { client, server } = lab.twoHosts({ ipv6: false });
  const queue = client.limitRate({ rate: '8kbit', burstBytes: 1600, limitBytes: 1600 });
  const inner = udpPacket(client, server);
  const frames = [inner, [...TWO_TAGS.slice(4), ...inner], [...TWO_TAGS, ...inner]].map((payload) =>
    ethernet(client, server.mac, payload),
  );
  const { drops, result } = await record([client], async () => {
    await injectFrames(client, frames, 101);
    return queue.dropped();
  });
  const events = drops.filter(({ reason }) => reason === 'QDISC_DROP');
  assert.ok(result > 200, `only ${result} packets`);
  assert.equal(events.length, result);
  assert.deepEqual(tally(events.map(tuple)), {
    [`udp ${client.ip4}:${SPORT} > ${server.ip4}:${DPORT}`]: result,
  });
  assert.ok(events.every(({ direction, device }) => direction === 'tx' && device === 'eth0'));
});

test('IPv6 extension headers before UDP', requires('root', 'btf', 'ipv6'), async () => {
  await using lab = Lab.create();
  const { client, server } = lab.twoHosts();
  // hop-by-hop (0), then destination options (60), each 8 bytes with one PadN option (RFC 8200 4.2)
  const pad = [1, 4, 0, 0, 0, 0];
  const headers = [60, 0, ...pad, UDP, 0, ...pad, ...udp(SPORT, DPORT, filler(11))];
  const frame = ethernet(client, server.mac, ipv6(client.ip6, server.ip6, 0, headers));
  assert.deepEqual(await refused({ client, server }, [frame]), {
    [`udp ${client.ip6}:${SPORT} > ${server.ip6}:${DPORT}`]: COUNT,
  });
});

test('IPv4 options before TCP', requires('root', 'btf'), async () => {
  await using lab = Lab.create();
  const { client, server } = lab.twoHosts();
  const segment = tcp(client.ip4, server.ip4, { sport: SPORT, dport: DPORT, seq: 1, flags: 2 });
  const packet = ipv4({ src: client.ip4, dst: server.ip4, protocol: TCP, options: [1, 1, 1, 0] }, segment);
  assert.deepEqual(await refused({ client, server }, [ethernet(client, server.mac, packet)]), {
    [`tcp ${client.ip4}:${SPORT} > ${server.ip4}:${DPORT}`]: COUNT,
  });
});

test('fragments: the first has ports, the others have none', requires('root', 'btf', 'ipv6'), async () => {
  await using lab = Lab.create();
  const { client, server } = lab.twoHosts();
  const MORE_FRAGMENTS = 0x2000;
  const first = udp(SPORT, DPORT, filler(16));
  const whole = { src: client.ip4, dst: server.ip4, protocol: UDP };
  // fragment header (44): next header, reserved, offset in 8 bytes and the bit "more", identification (RFC 8200 4.5)
  const fragment6 = (field: number, payload: number[]): number[] =>
    ipv6(client.ip6, server.ip6, 44, [UDP, 0, ...be16(field), ...be32(99), ...payload]);
  const frames = [
    ipv4({ ...whole, fragment: MORE_FRAGMENTS }, first),
    ipv4({ ...whole, fragment: 3 }, filler(16)),
    fragment6(1, first),
    fragment6(3 << 3, filler(16)),
  ].map((payload) => ethernet(client, server.mac, payload));
  assert.deepEqual(await refused({ client, server }, frames), {
    [`udp ${client.ip4}:${SPORT} > ${server.ip4}:${DPORT}`]: COUNT,
    [`udp ${client.ip4}:0 > ${server.ip4}:0`]: COUNT,
    [`udp ${client.ip6}:${SPORT} > ${server.ip6}:${DPORT}`]: COUNT,
    [`udp ${client.ip6}:0 > ${server.ip6}:0`]: COUNT,
  });
});

test('frames that are not IP: their EtherType', requires('root', 'btf'), async () => {
  await using lab = Lab.create();
  const { client, server } = lab.twoHosts();
  const lldp = ethernet(client, '01:80:c2:00:00:0e', [0x88, 0xcc, ...filler(46)]);
  const unheardOf = ethernet(client, server.mac, [0x88, 0xb5, ...filler(46)]);
  // ends within the header (RFC 826)
  const arp = ethernet(client, server.mac, [0x08, 0x06, 0, 1, 8, 0, 6, 4, 0, 1]);
  const { drops } = await record([server], () => injectFrames(client, [lldp, unheardOf, arp], COUNT));
  const events = drops.filter(({ family }) => family === undefined);
  const facts = events.map((event) =>
    [event.protocol, event.reason, event.class, event.direction, event.src].join(' '),
  );
  assert.deepEqual(tally(facts), {
    'lldp UNHANDLED_PROTO benign rx ': COUNT,
    '0x88b5 UNHANDLED_PROTO benign rx ': COUNT,
    'arp PKT_TOO_SMALL loss rx ': COUNT,
  });
});
