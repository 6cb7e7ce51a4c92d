import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatIp } from '../../base/ip.ts';
import { decodeLine } from './events.ts';
import { BadField } from './fields.ts';
import type { Endian } from './log-event.ts';

function decoded(line: string, endian: Endian = 'little'): Record<string, unknown> | undefined {
  const colon = line.indexOf(': ');
  const event = decodeLine(
    { cpu: 0, seconds: 1, ns: 0, name: line.slice(0, colon), text: line.slice(colon + 2) },
    endian,
  );
  if (!event) return undefined;
  const { src, dst, ...rest } = event;
  return { ...rest, ...(src ? { src: formatIp(src) } : {}), ...(dst ? { dst: formatIp(dst) } : {}) };
}

const V4 = 'saddr=10.9.0.1 daddr=10.9.0.77 saddrv6=::ffff:10.9.0.1 daddrv6=::ffff:10.9.0.77';
const V6 = 'saddr=0.0.0.0 daddr=0.0.0.0 saddrv6=fd00::1 daddrv6=fd00::2';
const v4 = { family: 'ipv4', src: '10.9.0.1', sport: 34246, dst: '10.9.0.77', dport: 443 };
const v6 = { family: 'ipv6', src: 'fd00::1', sport: 34246, dst: 'fd00::2', dport: 443 };
const TWO = 'skbaddr=000000001e730e97 skaddr=000000002f6e4d89';

for (const { line, event } of [
  {
    line: '0: tcp_retransmit port=37897 dst=831376843 state=1',
    event: {
      kind: 'retransmit',
      family: 'ipv4',
      dst: '203.205.141.49',
      dport: 2452,
      cause: 'unknown',
      state: 'TCP_ESTABLISHED',
    },
  },
  {
    line: 'bpf_trace_printk: tcp_retransmit port=64288 dst=-932957242 state=2',
    event: {
      kind: 'retransmit',
      family: 'ipv4',
      dst: '198.51.100.200',
      dport: 8443,
      cause: 'syn',
      state: 'TCP_SYN_SENT',
    },
  },
  {
    line: 'bpf_trace_printk: tcp_retransmit port=47873 dst=0 state=2',
    event: { kind: 'retransmit', dport: 443, cause: 'syn', state: 'TCP_SYN_SENT' },
  },
  {
    line: 'bpf_trace_printk: tcp_drop port=47873 dst=1291847946 state=1',
    event: { kind: 'drop', family: 'ipv4', dst: '10.9.0.77', dport: 443, protocol: 'tcp', class: 'unknown' },
  },
  {
    line: '0: kfree_skb port=47873 dst=1291847946 state=1',
    event: { kind: 'drop', family: 'ipv4', dst: '10.9.0.77', dport: 443, protocol: 'tcp', class: 'unknown' },
  },
  {
    line: '0: tcp_retransmit_skb port=47873 dst=0 state=2',
    event: { kind: 'retransmit', dport: 443, cause: 'syn', state: 'TCP_SYN_SENT' },
  },
  {
    line: 'tcp_retransmit: (tcp_retransmit_skb+0x4/0xe0) port=47873 dst=1291847946 state=2',
    event: { kind: 'retransmit', family: 'ipv4', dst: '10.9.0.77', dport: 443, cause: 'syn', state: 'TCP_SYN_SENT' },
  },
  {
    line: 'mine: (tcp_retransmit_skb+0x0/0xc0) port=0xbb01 dst=0x4d00090a state=0x1',
    event: {
      kind: 'retransmit',
      family: 'ipv4',
      dst: '10.9.0.77',
      dport: 443,
      cause: 'unknown',
      state: 'TCP_ESTABLISHED',
    },
  },
  {
    line: 'tcp_retransmit: (ffffffff816bef49) port=47873 dst=1291847946 state=2',
    event: { kind: 'retransmit', family: 'ipv4', dst: '10.9.0.77', dport: 443, cause: 'syn', state: 'TCP_SYN_SENT' },
  },
  {
    line: `tcp_retransmit_skb: sport=34246 dport=443 ${V4} state=TCP_ESTABLISHED`,
    event: { kind: 'retransmit', ...v4, cause: 'unknown', state: 'TCP_ESTABLISHED' },
  },
  {
    line: `tcp_retransmit_skb: ${TWO} family=AF_INET6 sport=34246 dport=443 ${V6} state=TCP_SYN_SENT err=-1`,
    event: { kind: 'retransmit', ...v6, cause: 'syn', failed: 'EPERM', state: 'TCP_SYN_SENT' },
  },
  {
    line: `tcp_retransmit_skb: ${TWO} family=AF_INET sport=34246 dport=443 ${V4} state=TCP_ESTABLISHED err=0`,
    event: { kind: 'retransmit', ...v4, cause: 'unknown', state: 'TCP_ESTABLISHED' },
  },
  {
    line: `tcp_retransmit_synack: family=AF_INET6 sport=34246 dport=443 ${V4}`,
    event: { kind: 'retransmit', ...v4, cause: 'syn-ack' },
  },
  {
    line: `tcp_send_reset: sport=34246 dport=443 ${V4} state=TCP_TIME_WAIT`,
    event: { kind: 'reset', ...v4, direction: 'sent', state: 'TCP_TIME_WAIT' },
  },
  {
    line: `tcp_send_reset: ${TWO} src=10.9.0.1:34246 dest=10.9.0.77:443 state=UNKNOWN reason=NO_SOCKET`,
    event: { kind: 'reset', ...v4, direction: 'sent', reason: 'NO_SOCKET' },
  },
  {
    line: `tcp_send_reset: ${TWO} src=[fd00::1]:34246 dest=[fd00::2]:443 state=TCP_CLOSE reason=NOT_SPECIFIED`,
    event: { kind: 'reset', ...v6, direction: 'sent', reason: 'NOT_SPECIFIED', state: 'TCP_CLOSE' },
  },
  {
    line: `tcp_receive_reset: family=AF_INET sport=34246 dport=443 ${V4} sock_cookie=1f`,
    event: { kind: 'reset', ...v4, socketCookie: 31n, direction: 'received' },
  },
  {
    line: 'kfree_skb: skbaddr=ffff88805e442a00 protocol=2048 location=ffffffff816bef49',
    event: { kind: 'drop', family: 'ipv4', location: '0xffffffff816bef49', class: 'unknown' },
  },
  {
    line: 'kfree_skb: skbaddr=000000006e94c10e protocol=34525 location=0000000093c3043c reason: QDISC_DROP',
    event: { kind: 'drop', family: 'ipv6', reason: 'QDISC_DROP', class: 'loss' },
  },
  {
    line: 'kfree_skb: skbaddr=0 rx_sk=0 protocol=2054 location=arp_rcv+0x10/0x20 reason: PKT_TOO_SMALL',
    event: { kind: 'drop', protocol: 'arp', reason: 'PKT_TOO_SMALL', location: 'arp_rcv+0x10', class: 'loss' },
  },
  {
    line: 'kfree_skb: skbaddr=0 rx_sk=0 protocol=2048 location=nft_do_chain+0x3e8/0x5d0 [nf_tables] reason: NETFILTER_DROP',
    event: { kind: 'drop', family: 'ipv4', reason: 'NETFILTER_DROP', location: 'nft_do_chain+0x3e8', class: 'loss' },
  },
  { line: 'tcp_retransmit: (tcp_retransmit_skb+0x0/0xc0 <- __tcp_push+0x1/0x2) ret=0', event: undefined },
  { line: 'consume_skb: skbaddr=00000000dd5e8142', event: undefined },
  { line: 'constructor: tcp', event: undefined },
  { line: 'bpf_trace_printk: something else about tcp_retransmit', event: undefined },
]) {
  test(line, () => assert.deepEqual(decoded(line), event));
}

test('a log of a big-endian machine has the values as they are', () => {
  const event = decoded(`0: tcp_retransmit port=443 dst=${0x0a09004d} state=1`, 'big');
  assert.deepEqual([event?.dport, event?.dst], [443, '10.9.0.77']);
});

for (const line of [
  '0: tcp_retransmit port=65536 dst=1 state=1',
  '0: tcp_retransmit port=1 dst=4294967296 state=1',
  '0: tcp_retransmit port=1 dst=x state=1',
  '0: tcp_retransmit port=1 dst=1 state=',
  '0: tcp_retransmit port=1',
  `tcp_retransmit_skb: sport=34246 dport=443 saddr=10.9.0.1 daddr=10.9.0.777 state=TCP_ESTABLISHED`,
  `tcp_retransmit_skb: sport=34246 ${V4} state=TCP_ESTABLISHED`,
  'tcp_send_reset: src=10.9.0.1:99999 dest=10.9.0.77:443 state=UNKNOWN reason=X',
  'kfree_skb: skbaddr=000000006e94c10e protocol=',
  'kfree_skb: skbaddr=000000006e94c10e protocol=2048 location=x reason: \u001b[31m',
]) {
  test(`broken: ${JSON.stringify(line)}`, () => assert.throws(() => decoded(line), BadField));
}
