import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { LosslogError } from '../base/errors.ts';
import { findTracefs, listEventGroups, listEvents, parseEventFormat, readEventFormat } from './tracefs.ts';

/** tcp:tcp_retransmit_skb of Linux 6.18, without some of its fields, and one of each other form. */
const FORMAT = `name: tcp_retransmit_skb
ID: 2281
format:
	field:unsigned short common_type;	offset:0;	size:2;	signed:0;
	field:int common_pid;	offset:4;	size:4;	signed:1;

	field:const void * skbaddr;	offset:8;	size:8;	signed:0;
	field:int state;	offset:24;	size:4;	signed:1;
	field:__u8 saddr_v6[16];	offset:42;	size:16;	signed:0;
	field:__data_loc char[] name;	offset:60;	size:4;	signed:0;
	field:enum skb_drop_reason reason;	offset:64;	size:4;	signed:0;

print fmt: "skbaddr=%p state=%d", REC->skbaddr, REC->state
`;

test('the format of an event', () => {
  assert.deepEqual(parseEventFormat(FORMAT), {
    name: 'tcp_retransmit_skb',
    id: 2281,
    fields: [
      { type: 'const void *', name: 'skbaddr', offset: 8, size: 8, signed: false },
      { type: 'int', name: 'state', offset: 24, size: 4, signed: true },
      { type: '__u8[16]', name: 'saddr_v6', offset: 42, size: 16, signed: false },
      { type: '__data_loc char[]', name: 'name', offset: 60, size: 4, signed: false },
      { type: 'enum skb_drop_reason', name: 'reason', offset: 64, size: 4, signed: false },
    ],
    printFormat: '"skbaddr=%p state=%d", REC->skbaddr, REC->state',
  });
  assert.throws(() => parseEventFormat('something else'), /not the format of a tracepoint/);
});

test('finding tracefs, its groups and events', (t) => {
  const root = mkdtempSync(join(tmpdir(), 'losslog-tracefs-'));
  t.after(() => rmSync(root, { recursive: true }));
  assert.throws(
    () => findTracefs(root),
    (error: unknown) => error instanceof LosslogError && error.code === 'NOT_SUPPORTED' && error.hint !== undefined,
  );
  const tracefs = join(root, 'sys/kernel/debug/tracing');
  mkdirSync(join(tracefs, 'events/tcp/tcp_retransmit_skb'), { recursive: true });
  mkdirSync(join(tracefs, 'events/tcp/tcp_probe'));
  mkdirSync(join(tracefs, 'events/skb'));
  writeFileSync(join(tracefs, 'events/tcp/enable'), '0\n');
  writeFileSync(join(tracefs, 'events/tcp/tcp_retransmit_skb/format'), FORMAT);
  assert.equal(findTracefs(root), tracefs);
  assert.deepEqual(listEventGroups(tracefs), ['skb', 'tcp']);
  assert.deepEqual(listEvents(tracefs, 'tcp'), ['tcp_probe', 'tcp_retransmit_skb']);
  assert.deepEqual(listEvents(tracefs, 'nothing'), []);
  assert.equal(readEventFormat(tracefs, 'tcp', 'tcp_retransmit_skb')?.id, 2281);
  assert.equal(readEventFormat(tracefs, 'tcp', 'tcp_nothing'), undefined);
});

const EVENT = '/sys/kernel/tracing/events/tcp/tcp_retransmit_skb/format';

test('the running kernel', { skip: !existsSync(EVENT) && `${EVENT} is not there: tracefs is not mounted` }, () => {
  const tracefs = findTracefs();
  assert.ok(listEvents(tracefs, 'tcp').includes('tcp_retransmit_skb'));
  const fields = readEventFormat(tracefs, 'tcp', 'tcp_retransmit_skb')?.fields ?? [];
  const sport = fields.find((field) => field.name === 'sport');
  assert.deepEqual([sport?.type, sport?.size, sport?.signed], ['__u16', 2, false]);
});
