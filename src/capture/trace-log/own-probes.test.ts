import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { formatIp } from '../../base/ip.ts';
import type { Endian, LogEvent } from './log-event.ts';
import { TraceLogReader } from './reader.ts';

/** Values of a socket, as `losslog kprobe --print` asks for them. */
const SOCKET = [
  'port=14865 dst=0 state=1 src=0 sport=40962 family=10 dst6=0xfd dst6low=0x200000000000000 src6=0xfd',
  'src6low=0x100000000000000 netns=4026532290 cookie=71 inode=40213 uid=1000 castate=4 pending=0 retransmits=1 rto=51',
  'srtt=1600 cwnd=1 ssthresh=7 packetsout=10 sackedout=0 lostout=10 retransout=0 una=900 seq=1000',
].join(' ');
const RESEND = {
  kind: 'retransmit',
  family: 'ipv6',
  src: 'fd00::1',
  sport: 40962,
  dst: 'fd00::2',
  dport: 4410,
  netns: 4026532290,
  uid: 1000,
  socketInode: 40213n,
  socketCookie: 71n,
  cause: 'rto',
  state: 'TCP_ESTABLISHED',
  caState: 'Loss',
  seq: 1000,
  srttUs: 200,
  cwnd: 1,
  ssthresh: 7,
  inFlight: 0,
  retransmits: 1,
};

/** An IPv4 UDP packet of 10.9.0.1:4789 to 10.9.0.2:4321, 16 bytes behind skb->head. */
const PACKET = Buffer.from(`4500002180004000401100000a0900010a09000212b510e1000d0000${'00'.repeat(8)}`, 'hex');
const HEAD = Buffer.concat([Buffer.alloc(16), PACKET, Buffer.alloc(12)]);
const dropText = (endian: Endian): string => {
  const words = Array.from({ length: HEAD.length / 8 }, (_, i) =>
    endian === 'little' ? HEAD.readBigUInt64LE(8 * i) : HEAD.readBigUInt64BE(8 * i),
  );
  const head = `{${words.map((word) => `0x${word.toString(16)}`).join(',')}}`;
  return `users=1 protocol=${endian === 'little' ? 8 : 0x800} length=33 network=16 device="eth0" netns=4026532290 sknetns=0 inode=0 uid=0 head=${head} rxinode=0 location=0xffffffff81c05b4c reason=8`;
};
const DROP = {
  kind: 'drop',
  family: 'ipv4',
  src: '10.9.0.1',
  sport: 4789,
  dst: '10.9.0.2',
  dport: 4321,
  netns: 4026532290,
  device: 'eth0',
  reason: '8',
  location: '0xffffffff81c05b4c',
  class: 'unknown',
  protocol: 'udp',
  length: 33,
};

function read(texts: readonly string[], endian: Endian = 'little') {
  const events: Record<string, unknown>[] = [];
  const broken: string[] = [];
  const reader = new TraceLogReader(endian, {
    onEvent: (event: LogEvent) => {
      const { src, dst, ...rest } = event;
      events.push({ ...rest, ...(src ? { src: formatIp(src) } : {}), ...(dst ? { dst: formatIp(dst) } : {}) });
    },
    onLost: () => assert.fail('nothing is lost'),
    onBroken: (_line, why) => broken.push(why),
  });
  const lines = texts.map((text) => `          <idle>-0       [001] ..s2.    74.970863: ${text}\n`);
  reader.push(Buffer.from(lines.join('')));
  reader.end();
  return { events, broken };
}

const outer = `tcp_retransmit: (tcp_retransmit_skb+0x4/0xe0) ${SOCKET}`;
const inner = `tcp_resend: (__tcp_retransmit_skb+0x4/0x9c0) ${SOCKET}`;

test('all that the own definitions fetch is told, IPv6 and the cause too', () => {
  assert.deepEqual(read([outer]), { events: [RESEND], broken: [] });
});

test('a resend is told once, by the outer of the two functions', () => {
  const ends = [
    'tcp_resend_end: (tcp_retransmit_skb+0x1e/0xe0 <- __tcp_retransmit_skb) ret=0',
    'tcp_retransmit_end: (tcp_xmit_retransmit_queue+0x1/0x2 <- tcp_retransmit_skb) ret=0',
  ];
  assert.deepEqual(read([outer, inner, ...ends]).events, [RESEND]);
  assert.deepEqual(read([inner]).events, [RESEND], 'a tail loss probe calls the inner one alone');
  const other = inner.replace('seq=1000', 'seq=2000');
  assert.deepEqual(read([outer, other]).events, [RESEND, { ...RESEND, seq: 2000 }]);
});

test('SYN-ACKs and resets', () => {
  const socket = 'port=14865 dst=0x0200090a state=12 src=0x0100090a sport=443 family=2 netns=7 ';
  const ends = { family: 'ipv4', src: '10.9.0.1', sport: 443, dst: '10.9.0.2', dport: 4410, netns: 7 };
  assert.deepEqual(
    read([
      `tcp_synack: (tcp_rtx_synack+0x4/0x1c0) ${socket}`,
      `tcp_reset: (tcp_reset+0x4/0xe0) ${socket}`,
      `tcp_reset_active: (tcp_send_active_reset+0x4/0x200) ${socket}`,
    ]).events,
    [
      { kind: 'retransmit', ...ends, cause: 'syn-ack', state: 'TCP_NEW_SYN_RECV' },
      { kind: 'reset', ...ends, direction: 'received', state: 'TCP_NEW_SYN_RECV' },
      { kind: 'reset', ...ends, direction: 'sent', state: 'TCP_NEW_SYN_RECV' },
    ],
  );
});

for (const endian of ['little', 'big'] as const) {
  test(`a drop has the ends of its packet; ${endian}-endian`, () => {
    const line = `drop: (sk_skb_reason_drop+0x4/0x130) ${dropText(endian)}`;
    assert.deepEqual(read([line], endian), { events: [DROP], broken: [] });
    assert.deepEqual(read([line.replace('users=1', 'users=2')], endian).events, [], 'somebody else still holds it');
  });
}

test('a value that is none is told', () => {
  const why = (from: string, to: string): string[] => read([outer.replace(from, to)]).broken;
  assert.deepEqual(why('cwnd=1', 'cwnd=x'), ['cwnd is "x"']);
  assert.deepEqual(why('port=14865', 'port=80401'), ['port is "80401"'], 'more than 16 bits');
  assert.deepEqual(why('castate=4', 'castate=-4'), ['castate is "-4"']);
  const drop = `drop: (sk_skb_reason_drop+0x4/0x130) ${dropText('little')}`;
  assert.deepEqual(read([drop.replace('head={', 'head={x')]).broken, ['head is "{x0x0,0x0,0x4000"']);
});

test('any change of a line makes an event, a broken line or another one', () => {
  const lines = [outer, inner, `drop: (sk_skb_reason_drop+0x4/0x130) ${dropText('little')}`];
  const piece = fc.string({ unit: fc.constantFrom(...'0123456789abcdefx-{},"= '), maxLength: 4 });
  fc.assert(
    fc.property(fc.constantFrom(...lines), fc.nat(1200), fc.nat(4), piece, (line, at, length, text) => {
      const { events, broken } = read([line.slice(0, at) + text + line.slice(at + length)]);
      assert.ok(events.length + broken.length <= 1);
    }),
  );
});
