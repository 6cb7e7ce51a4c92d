/** Exported files, read by the tools that they are for. */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { LOSSLOG } from '../lab/recorder.ts';
import { parseIp } from '../src/base/ip.ts';
import { NS_PER_S, wallNs } from '../src/base/time.ts';
import { CAUSES, type Event } from '../src/event/kinds.ts';
import { StoreWriter } from '../src/store/writer.ts';
import { requires } from './helpers/requires.ts';

/** 2026-11-21T00:00:00Z */
const BEGIN = 1_795_219_200n * NS_PER_S;
const DIR = mkdtempSync(join(tmpdir(), 'losslog-export-'));
const STORE = join(DIR, 'store');
const address = (text: string): Uint8Array => parseIp(text) as Uint8Array;
const v4 = { family: 'ipv4', src: address('10.0.0.1'), sport: 40_001, dst: address('10.0.0.2'), dport: 443 } as const;
const v6 = { family: 'ipv6', src: address('fd00::1'), sport: 40_002, dst: address('fd00::2'), dport: 8443 } as const;
const drop = { kind: 'drop', class: 'loss', reason: 'NETFILTER_DROP', location: 'nft_do_chain+0x3e8' } as const;

const ACK = 4_000_000_000;

/** Each with what tshark must find in it: `-` where the field is not there. */
const EVENTS: readonly { event: object; seen: string }[] = [
  ...CAUSES.map((cause) => ({
    event: { kind: 'retransmit', cause, segments: 1, seq: 4294967290, endSeq: 94, bytes: 100, ...v4 },
    seen: `10.0.0.1 10.0.0.2 40001 443 4294967290 ${cause === 'syn' ? '0x0002 100' : cause === 'syn-ack' ? '0x0012 100' : '0x0010 100'}`,
  })),
  {
    event: { kind: 'retransmit', cause: 'rto', segments: 1, seq: 5, endSeq: 6, ack: ACK, bytes: 0, ...v6 },
    seen: 'fd00::1 fd00::2 40002 8443 5 0x0011 0',
  },
  {
    event: { ...drop, ...v4, protocol: 'tcp', tcpFlags: 'SYN|ECE|CWR', seq: 7, endSeq: 8, length: 60, direction: 'rx' },
    seen: '10.0.0.1 10.0.0.2 40001 443 7 0x00c2 0',
  },
  {
    event: {
      ...drop,
      ...v6,
      protocol: 'tcp',
      tcpFlags: 'PSH|ACK',
      seq: 7,
      endSeq: 1007,
      ack: ACK,
      length: 1060,
      direction: 'tx',
    },
    seen: 'fd00::1 fd00::2 40002 8443 7 0x0018 1000',
  },
  {
    event: { ...drop, ...v4, protocol: 'udp', length: 128, netns: 5, device: 'eth0' },
    seen: '10.0.0.1 10.0.0.2 40001 443 - - -',
  },
  {
    event: {
      ...drop,
      family: 'ipv4',
      src: v4.src,
      dst: v4.dst,
      protocol: 'icmp',
      length: 84,
      process: 'a"b,\r\nc\u001b',
    },
    seen: '10.0.0.1 10.0.0.2 - - - - -',
  },
  {
    event: { kind: 'reset', direction: 'sent', ...v4, process: '=1+1' },
    seen: '10.0.0.1 10.0.0.2 40001 443 0 0x0004 0',
  },
  { event: { kind: 'reset', direction: 'received', ...v4 }, seen: '10.0.0.2 10.0.0.1 443 40001 0 0x0004 0' },
];
/** As CSV writes these names: neither a terminal nor a spreadsheet acts on them. */
const INERT: Readonly<Record<string, string>> = {
  'a"b,\r\nc\u001b': 'a"b,\\x0d\\x0ac\\x1b',
  '=1+1': "'=1+1",
};
/** An ARP request as it was captured, of which nothing could be rebuilt. */
const ARP = Buffer.from('ffffffffffff02000000000108060001080006040001020000000001000000000000000000000a000002', 'hex');
/** No packets. */
const OTHERS: readonly object[] = [
  { ...drop, protocol: 'arp' },
  { kind: 'coverage', from: BEGIN, until: BEGIN, state: 'lost', count: 3, why: 'drops lost: their ring was full' },
];

const SESSION = { bootId: 'b', losslogVersion: '0', kernel: '0', host: 'h' };

before(() => {
  const now = (): ReturnType<typeof wallNs> => wallNs(BEGIN);
  const writer = StoreWriter.open(STORE, SESSION, { now });
  const all = [...EVENTS.map(({ event }) => event), ...OTHERS];
  writer.write(all.map((event, i) => ({ time: BEGIN + BigInt(i) * 1001n, ...event }) as Event));
  writer.close();
});
after(() => rmSync(DIR, { recursive: true, force: true }));

function losslog(...args: string[]): { stdout: string; stderr: string } {
  const { status, stdout, stderr } = spawnSync(LOSSLOG, args, { encoding: 'utf8', timeout: 30_000 });
  assert.equal(status, 0, stderr);
  return { stdout, stderr };
}

const exported = (format: string, ...args: string[]) =>
  losslog('export', '--store', STORE, '--format', format, ...args);

function run(program: string, ...args: string[]): string {
  const { status, stdout, stderr } = spawnSync(program, args, { encoding: 'utf8', timeout: 60_000 });
  assert.equal(status, 0, stderr);
  return stdout;
}

test(
  'pcapng: tshark finds the addresses, ports, sequence numbers and flags that were recorded',
  requires('tshark'),
  () => {
    const file = join(DIR, 'out.pcapng');
    const { stderr } = exported('pcapng', '-o', file);
    assert.match(stderr, /^losslog: 2 events are no IP packet and left out/m);
    const names = ['frame.time_epoch', 'ip.src', 'ip.dst', 'ipv6.src', 'ipv6.dst'];
    const ports = ['tcp.srcport', 'tcp.dstport', 'udp.srcport', 'udp.dstport', 'tcp.seq_raw', 'tcp.flags', 'tcp.len'];
    const fields = [...names, ...ports, 'frame.comment'].flatMap((name) => ['-e', name]);
    const rows = run('tshark', '-r', file, '-T', 'fields', ...fields)
      .trimEnd()
      .split('\n');
    assert.equal(rows.length, EVENTS.length);
    for (const [i, row] of rows.entries()) {
      const [time, s4, d4, s6, d6, ts, td, us, ud, seq, flags, length, comment] = row.split('\t');
      const seen = [s4 || s6, d4 || d6, ts || us, td || ud, seq, flags, length].map((value) => value || '-').join(' ');
      assert.equal(seen, EVENTS[i]?.seen, row);
      assert.equal(time, `1795219200.${String(i * 1001).padStart(9, '0')}`);
      assert.match(comment ?? '', /RETRANS|DROP|RESET/);
    }
    const acknowledged = run('tshark', '-r', file, '-Y', `tcp.ack_raw == ${ACK}`, '-T', 'fields', '-e', 'tcp.seq_raw');
    assert.equal(acknowledged, '5\n7\n');
    const about = run('capinfos', '-M', file);
    assert.match(about, /File timestamp precision: +nanoseconds/);
    assert.match(about, new RegExp(`Number of packets: +${EVENTS.length}\n`));
    assert.match(about, /Number of interfaces in file: +2\n/);
    assert.match(about, /Name = 5:eth0/);
    const expert = run('tshark', '-r', file, '-Y', '_ws.malformed && !_ws.short');
    assert.equal(expert, '');
  },
);

test('pcapng: a captured packet is what was captured, on an interface of its link layer', requires('tshark'), () => {
  const store = join(DIR, 'captured');
  const writer = StoreWriter.open(store, SESSION, { now: () => wallNs(BEGIN), packets: 'all' });
  const packet = { begin: 'ethernet', length: 60, bytes: ARP } as const;
  const events: object[] = [
    { ...drop, protocol: 'arp', device: 'eth0', packet },
    { ...drop, ...v4, protocol: 'udp', length: 128, device: 'eth0' },
  ];
  writer.write(events.map((event, i) => ({ time: BEGIN + BigInt(i), ...event }) as Event));
  writer.close();
  const file = join(DIR, 'captured.pcapng');
  losslog('export', '--store', store, '--format', 'pcapng', '-o', file);
  const fields = ['frame.protocols', 'frame.len', 'frame.cap_len', 'arp.dst.proto_ipv4'].flatMap((name) => [
    '-e',
    name,
  ]);
  assert.equal(
    run('tshark', '-r', file, '-T', 'fields', '-E', 'separator=/s', ...fields),
    `eth:ethertype:arp 60 ${ARP.length} 10.0.0.2\nraw:ip:udp 148 24 \n`,
  );
  const about = run('capinfos', '-M', file);
  assert.match(about, /Number of interfaces in file: +2\n/);
  assert.match(about, /Encapsulation = Ethernet/);
});

test('csv: a reader gets back every value, names from outside inert', () => {
  const { stdout } = exported('csv');
  const python = 'import csv, json, sys; print(json.dumps(list(csv.DictReader(sys.stdin))))';
  const { status, stdout: parsed, stderr } = spawnSync('python3', ['-c', python], { input: stdout, encoding: 'utf8' });
  assert.equal(status, 0, stderr);
  const rows = JSON.parse(parsed) as Record<string, string>[];
  const objects = exported('jsonl')
    .stdout.trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  assert.equal(rows.length, EVENTS.length + OTHERS.length);
  for (const [i, row] of rows.entries()) {
    const known = Object.fromEntries(Object.entries(row).filter(([, value]) => value !== ''));
    const expected = Object.entries(objects[i] ?? {}).map(([name, value]) => [
      name,
      INERT[String(value)] ?? String(value),
    ]);
    assert.deepEqual(known, Object.fromEntries(expected));
  }
  assert.ok(stdout.split('\r\n').length > rows.length, 'RFC 4180: lines end with CRLF');
});

test('jsonl is what show --json prints', () => {
  const shown = losslog('show', '--store', STORE, '--json', '--all', '--limit', '0').stdout;
  assert.equal(exported('jsonl', '--all').stdout, shown);
});

test('a file that cannot be written leaves nothing behind and says so', () => {
  const { status, stderr } = spawnSync(
    LOSSLOG,
    ['export', '--store', STORE, '--format', 'csv', '-o', join(DIR, 'none', 'out.csv')],
    { encoding: 'utf8' },
  );
  assert.equal(status, 1);
  assert.match(stderr, /^losslog: cannot write .*none\/out\.csv: .*ENOENT.*\n {2}hint: /);
});
