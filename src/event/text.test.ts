import assert from 'node:assert/strict';
import { test } from 'node:test';
import { stripVTControlCharacters } from 'node:util';
import { parseIp } from '../base/ip.ts';
import { NS_PER_MS, parseRfc3339 } from '../base/time.ts';
import type { Event } from './kinds.ts';
import { formatEvent } from './text.ts';

process.env.TZ = 'Europe/Berlin';

const time = parseRfc3339('2026-11-22T19:15:07.123456789Z') as bigint;
const until = time + 1840n * NS_PER_MS;
const ip = (text: string) => parseIp(text) as Uint8Array;
const flow = { src: ip('10.0.0.2'), sport: 45678, dst: ip('10.0.0.9'), dport: 443 };
const longFlow = { src: ip('192.168.100.200'), sport: 45678, dst: ip('192.168.100.201'), dport: 443 };
const flow6 = { src: ip('2001:db8::1'), sport: 45678, dst: ip('2001:db8::2'), dport: 443 };
const owner = { process: 'nginx', pid: 4242, container: `3f2a9c81d4e7${'0'.repeat(52)}` };

const fast: Event = {
  kind: 'retransmit',
  time,
  cause: 'fast',
  segments: 3,
  state: 'TCP_ESTABLISHED',
  srttUs: 1234,
  rtoMs: 204,
  cwnd: 10,
  totalRetransmits: 17,
  bytes: 4344,
  seq: 99,
  ...flow,
  ...owner,
};
const drop: Event = {
  kind: 'drop',
  time,
  reason: 'NETFILTER_DROP',
  class: 'loss',
  protocol: 'tcp',
  tcpFlags: 'SYN',
  direction: 'rx',
  device: 'eth0',
  location: 'nf_hook_slow+0xbe',
  length: 60,
  netnsName: 'blue',
  ...flow,
};

const line = (event: Event, width: number, hiddenDay = '2026-11-22', color = false): string =>
  formatEvent(event, { width, color, hiddenDay });

test('80 columns: who, what and whose stay in aligned columns', () => {
  const cases: [Event, string][] = [
    [fast, '20:15:07.123 RETRANS fast 3 seg      10.0.0.2:45678 > 10.0.0.9:443   nginx/4242'],
    [
      { kind: 'retransmit', time, cause: 'tail-loss-probe', segments: 1, ...flow, ...owner },
      '20:15:07.123 RETRANS tail-loss-probe 10.0.0.2:45678 > 10.0.0.9:443   nginx/4242',
    ],
    [
      { kind: 'retransmit', time, cause: 'syn', segments: 1, ...longFlow, ...owner },
      '20:15:07.123 RETRANS syn 192.168.100.200:45678 > 192.168.100.201:443 nginx/4242',
    ],
    [
      { kind: 'retransmit', time, cause: 'syn', segments: 1, ...flow6, ...owner },
      '20:15:07.123 RETRANS syn [2001:db8::1]:45678 > [2001:db8::2]:443     nginx/4242',
    ],
    [drop, '20:15:07.123 DROP    NETFILTER_DROP  tcp 10.0.0.2:45678 > 10.0.0.9:443 SYN rx'],
    [
      { kind: 'reset', time, direction: 'received', ...flow, pid: 7 },
      '20:15:07.123 RESET   received        10.0.0.2:45678 < 10.0.0.9:443   pid/7',
    ],
  ];
  for (const [event, expected] of cases) {
    assert.equal(line(event, 80), expected);
    assert.ok(expected.length <= 80);
  }
});

test('a resent packet that did not leave the host says so before anything else', () => {
  const event: Event = { ...fast, segments: 1, cause: 'rto', failed: 'EPERM', retransmits: 3 };
  assert.equal(line(event, 80), '20:15:07.123 RETRANS rto NOT SENT: EPERM 10.0.0.2:45678 > 10.0.0.9:443 nginx/4242');
  assert.ok(line(event, 200, '2026-11-22', true).includes('\x1b[1;37;41mNOT SENT: EPERM\x1b[0m'));
});

test('without a width everything known is shown', () => {
  assert.equal(
    line(fast, Number.POSITIVE_INFINITY),
    '20:15:07.123456 RETRANS fast 3 seg       10.0.0.2:45678 > 10.0.0.9:443         nginx/4242  @3f2a9c81d4e7' +
      '  srtt 1.2ms  rto 204ms  cwnd 10  total 17  4344 B  seq 99',
  );
  assert.equal(
    line(drop, Number.POSITIVE_INFINITY),
    '20:15:07.123456 DROP    NETFILTER_DROP   tcp 10.0.0.2:45678 > 10.0.0.9:443' +
      '  SYN  rx  eth0  nf_hook_slow+0xbe  netns blue  60 B',
  );
});

test('a reason that says nothing gives way to the place', () => {
  const event: Event = { ...drop, reason: 'NOT_SPECIFIED', class: 'unknown', location: 'tbf_enqueue+0x1a' };
  assert.equal(
    line(event, 100),
    '20:15:07.123456 DROP    NOT_SPECIFIED    tcp 10.0.0.2:45678 > 10.0.0.9:443  class unknown  SYN  rx',
  );
  assert.ok(line(event, 120).includes('class unknown  tbf_enqueue+0x1a  SYN'));
});

test('what is unknown is absent, not made up', () => {
  assert.equal(
    line({ kind: 'drop', time, class: 'benign', protocol: 'icmp', src: flow.src, dst: flow.dst }, 80),
    '20:15:07.123 DROP    -               icmp 10.0.0.2 > 10.0.0.9 benign',
  );
  assert.equal(
    line({ kind: 'drop', time, class: 'loss', protocol: 'arp' }, 80),
    '20:15:07.123 DROP    -               arp',
  );
  assert.equal(line({ kind: 'reset', time, direction: 'sent', dst: flow.dst }, 80).slice(37), '? > 10.0.0.9');
});

test('summaries, coverage and connections', () => {
  const inf = Number.POSITIVE_INFINITY;
  const drops: Event = {
    kind: 'summary',
    time,
    of: 'drop',
    reason: 'NETFILTER_DROP',
    events: 152_062,
    from: time,
    until,
    class: 'loss',
    location: 'nf_hook_slow+0xbe',
    direction: 'rx',
  };
  assert.equal(line(drops, 80), '20:15:07.123 SUMMARY 152062 drops NETFILTER_DROP in 1.8s nf_hook_slow+0xbe rx');
  const resent: Event = {
    ...{ kind: 'summary', time, of: 'retransmit', cause: 'rto', events: 311, segments: 350, from: time, until },
    ...{ failed: 'EPERM', lacks: 'connection', ...flow, ...owner },
  };
  assert.equal(
    line(resent, 160),
    '20:15:07.123456 SUMMARY 311 retransmissions rto NOT SENT: EPERM  10.0.0.2:45678 > 10.0.0.9:443         nginx/4242  in 1.8s  of several connections  350 seg',
  );
  const reset: Event = {
    ...{
      kind: 'summary',
      time,
      of: 'reset',
      direction: 'sent',
      reason: 'NO_SOCKET',
      events: 1,
      from: time,
      until: time,
    },
    lacks: 'key',
  };
  assert.equal(line(reset, 80), '20:15:07.123 SUMMARY 1 reset sent NO_SOCKET of which only the number is known');
  assert.equal(
    line({ kind: 'coverage', time, state: 'lost', count: 12, from: time, until, why: 'ring buffer full' }, 80),
    '20:15:07.123 COVERAGE lost 12 events 20:15:07 to 20:15:08 (1.8s) ring buffer full',
  );
  assert.equal(
    line({ kind: 'coverage', time, state: 'recording', from: time, until: time }, 80),
    '20:15:07.123 COVERAGE recording',
  );
  const connection: Event = {
    kind: 'connection',
    time,
    segments: 3400,
    retransmitted: 12,
    lossRatio: 0.0035,
    durationMs: 12_345,
    closedBy: 'timeout',
    error: 'ETIMEDOUT',
    timeouts: 7,
    spurious: 0,
    minRttUs: 900,
    ...flow,
  };
  assert.equal(
    line(connection, inf),
    '20:15:07.123456 CONNECT 12 seg resent    10.0.0.2:45678 > 10.0.0.9:443  0.35 %  of 3400 seg  after 12s  timed out  ETIMEDOUT  timeouts 7  min rtt 900us',
  );
});

test('a comparison with the kernel, and a counter that grew', () => {
  const inf = Number.POSITIVE_INFINITY;
  const compared = { counter: 'TcpRetransSegs', recorded: 97, kernel: 100, netns: 4026532177 };
  assert.equal(
    line({ kind: 'coverage', time, state: 'lost', from: time, until, count: 3, ...compared, netnsName: 'blue' }, 100),
    '20:15:07.123456 COVERAGE lost  recorded 97 of 100 TcpRetransSegs in netns blue  20:15:07 to 20:15:08 (1.8s)',
  );
  assert.equal(
    line({ kind: 'coverage', time, state: 'recording', from: time, until: time, ...compared, recorded: 100 }, 100),
    '20:15:07.123456 COVERAGE recording        recorded 100 of 100 TcpRetransSegs in netns 4026532177',
  );
  const listener = { src: parseIp('10.0.0.2') as Uint8Array, sport: 443, process: 'nginx', pid: 42 };
  const grown = {
    kind: 'counter',
    time,
    from: time,
    until,
    class: 'loss',
    counter: 'ListenOverflows',
    count: 40,
  } as const;
  assert.equal(
    line({ ...grown, ...listener, queue: 129, backlog: 128, netnsName: 'blue' }, inf),
    '20:15:07.123456 COUNTER ListenOverflows +40  > 10.0.0.2:443                        nginx/42  accept queue 129 of 128  netns blue  20:15:07 to 20:15:08 (1.8s)',
  );
  assert.equal(
    line({ ...grown, counter: 'rx_missed_errors', device: 'eth0' }, 80),
    '20:15:07.123 COUNTER rx_missed_errors +40 eth0 20:15:07 to 20:15:08 (1.8s)',
  );
});

test('times of another day show their date', () => {
  assert.equal(line(drop, 80, '2026-11-23').slice(0, 26), '11-22 20:15:07.123 DROP   ');
  assert.equal(line(drop, 120, '2026-11-23').slice(0, 34), '2026-11-22 20:15:07.123456 DROP   ');
});

test('names from outside cannot move the cursor, in colour or not', () => {
  const event: Event = { ...drop, process: 'a\x1b[2J\u202e', device: 'eth\x9b0\n', netnsName: '\x07' };
  assert.ok(line(event, 300).includes('a\\x1b[2J\\u{202e}  SYN  rx  eth\\x9b0\\x0a'));
  const colored = line(event, 300, '2026-11-22', true);
  assert.equal(stripVTControlCharacters(colored), line(event, 300));
});

test('a benign drop is faint as a whole', () => {
  const colored = line({ kind: 'drop', time, class: 'benign', reason: 'X', protocol: 'tcp' }, 80, '2026-11-22', true);
  const codes = colored
    .split('\x1b[')
    .slice(1)
    .map((piece) => piece.slice(0, piece.indexOf('m')));
  assert.deepEqual([...new Set(codes)], ['2', '0']);
});
