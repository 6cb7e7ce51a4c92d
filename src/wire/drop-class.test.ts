import assert from 'node:assert/strict';
import { test } from 'node:test';
import { classOf, functionOf } from './drop-class.ts';
import { type DropFacts, dropRules, NO_REASON } from './drop-rules.ts';

const SYN = 2;
const RST = 4;
const ACK = 16;

const group = Uint8Array.of(224, 0, 0, 251);
const groupV6 = Uint8Array.of(0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 22);
const everybody = Uint8Array.of(255, 255, 255, 255);
const host = Uint8Array.of(10, 0, 0, 9);

const tcp = (flags: number, dataBytes = 0) => ({ protocol: 'tcp', tcp: { flags, dataBytes } });

const cases: [Partial<DropFacts>, string][] = [
  [{ reason: 'NETFILTER_DROP' }, 'loss'],
  [{ reason: 'A_REASON_OF_TOMORROW' }, 'loss'],
  [{ reason: 'QUEUE_PURGE' }, 'benign'],
  [{ reason: 'TCP_OLD_DATA', ...tcp(ACK, 100) }, 'benign'],
  [{ reason: 'TCP_OFO_DROP', ...tcp(ACK, 100) }, 'benign'],
  [{ reason: 'TCP_OLD_ACK', ...tcp(ACK) }, 'benign'],
  [{ reason: 'TCP_OLD_ACK', ...tcp(ACK, 1) }, 'loss'],
  [{ reason: 'NO_SOCKET', protocol: 'udp', dst: host }, 'loss'],
  [{ reason: 'NO_SOCKET', ...tcp(SYN) }, 'loss'],
  [{ reason: 'NO_SOCKET', ...tcp(RST) }, 'benign'],
  [{ reason: 'NO_SOCKET', ...tcp(ACK, 100) }, 'unknown'],
  [{ reason: 'NO_SOCKET', protocol: 'icmp' }, 'benign'],
  [{ reason: 'NO_SOCKET', protocol: 'udp', dst: group }, 'benign'],
  [{ reason: 'NO_SOCKET', protocol: 'udp', dst: groupV6 }, 'benign'],
  [{ reason: 'NO_SOCKET', protocol: 'udp', dst: everybody }, 'benign'],
  [{ reason: 'NETFILTER_DROP', protocol: 'udp', dst: group }, 'loss'],
  [{ reason: 'SOCKET_FILTER', protocol: 'icmpv6' }, 'benign'],
  [{ reason: 'SOCKET_FILTER', protocol: 'udp' }, 'loss'],
  [{ reason: 'NOT_SPECIFIED', location: 'tbf_enqueue+0x192' }, 'benign'],
  [{ reason: 'NOT_SPECIFIED', location: 'sk_stream_kill_queues.part.0+0x57' }, 'benign'],
  [{ reason: 'NOT_SPECIFIED', location: 'tcp_rcv_state_process+0x1c1', ...tcp(ACK) }, 'benign'],
  [{ reason: 'NOT_SPECIFIED', location: 'tcp_rcv_state_process+0x1c1', ...tcp(ACK, 1) }, 'unknown'],
  [{ reason: 'NOT_SPECIFIED', location: 'tcp_v4_rcv+0x91', ...tcp(SYN) }, 'benign'],
  [{ reason: 'NOT_SPECIFIED', location: 'tcp_v4_rcv+0x91', ...tcp(SYN | ACK) }, 'unknown'],
  [{ reason: undefined, location: 'tcp_v4_rcv+0x91', ...tcp(ACK) }, 'unknown'],
  [{ reason: 'NOT_SPECIFIED', location: 'ip_rcv_finish_core.isra.0+0x25b', dst: group }, 'benign'],
  [{ reason: 'NOT_SPECIFIED', location: 'ip_rcv_finish_core.isra.0+0x25b', dst: host }, 'loss'],
  [{ reason: undefined, location: 'ip_forward+0x1' }, 'loss'],
  [{ reason: 'NOT_SPECIFIED', location: 'some_driver_rx+0x57 [some_driver]' }, 'unknown'],
  [{ reason: 'NOT_SPECIFIED' }, 'unknown'],
  [{ reason: undefined }, 'unknown'],
  [{ reason: 'NOT_SPECIFIED', location: 'unix_stream_connect+0x7aa', onNetwork: false }, 'benign'],
];

const complete = (facts: Partial<DropFacts>): DropFacts => ({
  ...{ reason: undefined, location: undefined, dst: undefined, protocol: undefined, tcp: undefined, onNetwork: true },
  ...facts,
});

test('classes of drops', () => {
  for (const [facts, expected] of cases) assert.equal(classOf(complete(facts)), expected, JSON.stringify(facts));
});

test('names of functions', () => {
  assert.equal(functionOf('ip_rcv_finish_core.isra.0+0x25b'), 'ip_rcv_finish_core');
  assert.equal(functionOf('veth_xmit+0x10 [veth]'), 'veth_xmit');
  assert.equal(functionOf(undefined), '');
});

test('no rule is hidden behind an earlier one', () => {
  for (const [i, rule] of dropRules.entries()) {
    for (const reason of rule.reasons) {
      const before = dropRules.slice(0, i).filter(({ reasons, at, only }) => !at && !only && reasons.includes(reason));
      assert.deepEqual(before, [], `${reason}: ${rule.why}`);
    }
  }
});

test('a reason is named as the decoder names it', () => {
  const names = dropRules.flatMap(({ reasons }) => reasons).filter((reason) => reason !== NO_REASON);
  for (const name of names) assert.match(name, /^(?!SKB_)[A-Z0-9_]+$/);
});
