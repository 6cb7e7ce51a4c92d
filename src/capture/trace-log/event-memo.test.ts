import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EventMemo } from './event-memo.ts';
import { decodeLine } from './events.ts';
import { BadField } from './fields.ts';
import type { TraceLine } from './line.ts';

const line = (name: string, text: string): TraceLine => ({ cpu: 0, seconds: 1, ns: 0, name, text });
const printk = (port: number): TraceLine => line('0', `tcp_retransmit port=${port} dst=831376843 state=1`);

test('equal texts give the same event, whatever their pointers are', () => {
  const memo = new EventMemo('little');
  const drop = (skb: string): TraceLine =>
    line('kfree_skb', `skbaddr=${skb} rx_sk=0 protocol=2048 location=tcp_v4_rcv+0x91/0xd40 reason: NO_SOCKET`);
  const first = memo.eventOf(drop('00000000aa'));
  assert.equal(memo.isAgain, false);
  assert.deepEqual(first, decodeLine(drop('00000000aa'), 'little'));
  assert.equal(memo.eventOf(drop('00000000bb')), first);
  assert.equal(memo.isAgain, true);
});

test('texts that differ, names that differ and orders that differ are different events', () => {
  const memo = new EventMemo('little');
  const [one, other] = [memo.eventOf(printk(37897)), memo.eventOf(printk(37898))];
  assert.notDeepEqual(one, other);
  const text = 'sport=1 dport=2 saddr=10.0.0.1 daddr=10.0.0.2 saddrv6=::1 daddrv6=::2';
  const [synAck, resend] = [
    memo.eventOf(line('tcp_retransmit_synack', text)),
    memo.eventOf(line('tcp_retransmit_skb', text)),
  ];
  assert.deepEqual(
    [synAck, resend].map((event) => event?.kind === 'retransmit' && event.cause),
    ['syn-ack', 'unknown'],
  );
  assert.notDeepEqual(new EventMemo('big').eventOf(printk(37897)), one);
});

test('broken texts are told each time, and those of others are none', () => {
  const memo = new EventMemo('little');
  const broken = line('0', 'tcp_retransmit port=99999 dst=1 state=1');
  for (let i = 0; i < 2; i++) assert.throws(() => memo.eventOf(broken), BadField);
  assert.equal(memo.eventOf(line('sched_switch', 'prev_comm=a')), undefined);
});

test('where no text comes again it gives way, and every event stays right', () => {
  const memo = new EventMemo('little');
  for (let port = 0; port < 10_000; port++) {
    const event = memo.eventOf(printk(port));
    assert.deepEqual(event, decodeLine(printk(port), 'little'));
    assert.equal(memo.isAgain, false);
  }
});
