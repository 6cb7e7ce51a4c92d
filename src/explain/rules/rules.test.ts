/** Events in, verdict out: one line for each rule. How retransmissions find their drops is in join.test.ts. */

import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { ConnectionEvent, CounterEvent, DropEvent, Event, RetransmitEvent } from '../../event/kinds.ts';
import { at, drop, droppedAck, incidentsOf, resent, reset, why } from '../why.test-util.ts';
import { rules } from './index.ts';

const because = (reason: string, rest: Partial<DropEvent> = {}): DropEvent => drop(0, { reason, ...rest });
const nothing = (location: string, rest: Partial<DropEvent> = {}): DropEvent =>
  drop(0, { reason: 'NOT_SPECIFIED', location: `${location}+0x1`, ...rest });
const SYN = { tcpFlags: 'SYN', seq: 7, endSeq: 8 };
const UDP = { protocol: 'udp', tcpFlags: undefined, seq: undefined, endSeq: undefined, ack: undefined };

function withoutUndefined<T extends object>(event: T): T {
  return Object.fromEntries(Object.entries(event).filter(([, value]) => value !== undefined)) as T;
}

const drops: [DropEvent, expected: string][] = [
  [because('NETFILTER_DROP'), 'firewall certain'],
  [nothing('nf_hook_slow'), 'firewall likely'],
  [nothing('nf_queue'), 'firewall likely'],
  [nothing('nfqnl_reinject'), 'firewall likely'],
  [because('TC_INGRESS'), 'traffic-control certain'],
  [because('XDP'), 'traffic-control certain'],
  [because('QDISC_DROP', { direction: 'tx' }), 'local-queue certain'],
  [because('QDISC_DROP', { direction: 'forward' }), 'queue certain'],
  [because('FQ_FLOW_LIMIT', { direction: 'tx' }), 'local-queue certain'],
  [because('PKT_TOO_BIG'), 'path-mtu certain'],
  [because('IP_INHDR', { location: 'ip_forward+0x1' }), 'ttl certain'],
  [because('IP_INHDR', { location: 'ip_rcv_core+0x1' }), 'other-drop likely'],
  [because('IP_OUTNOROUTES'), 'route certain'],
  [nothing('ip_error'), 'route likely'],
  [nothing('dst_discard_out'), 'route likely'],
  [because('NEIGH_FAILED'), 'neighbour certain'],
  [because('IP_RPFILTER'), 'reverse-path certain'],
  [because('IP_LOCAL_SOURCE'), 'address certain'],
  [because('IP_INVALID_DEST'), 'address certain'],
  [because('NO_TX_TARGET'), 'bridge certain'],
  [nothing('br_handle_frame_finish'), 'bridge likely'],
  [nothing('__dev_forward_skb2', { direction: 'tx' }), 'link likely'],
  [because('VXLAN_VNI_NOT_FOUND', UDP as object), 'tunnel certain'],
  [because('FRAG_REASM_TIMEOUT', UDP as object), 'fragment certain'],
  [because('TCP_CSUM'), 'checksum certain'],
  [because('SOCKET_RCVBUFF', UDP as object), 'receiver certain'],
  [because('PROTO_MEM'), 'receiver certain'],
  [because('CPU_BACKLOG'), 'cpu-backlog certain'],
  [because('NO_SOCKET', SYN), 'closed-port certain'],
  [because('NO_SOCKET', UDP as object), 'closed-port certain'],
  [because('NO_SOCKET', { class: 'unknown' }), 'no-connection possible'],
  [because('TCP_INVALID_SEQUENCE'), 'refused certain'],
  [because('SOME_REASON_OF_2030'), 'other-drop likely'],
  [nothing('some_driver_rx', { class: 'unknown' }), 'other-drop possible'],
  [droppedAck(0, 9), 'ack-lost certain'],
];

test('a drop', (t) => {
  for (const [event, expected] of drops) {
    assert.deepEqual(why(t, [withoutUndefined(event)]), [`${expected} 1D`], `${event.reason} ${event.location}`);
  }
});

test('what is benign is told in no incident', (t) => {
  assert.deepEqual(
    why(t, [because('QUEUE_PURGE', { class: 'benign' }), because('TCP_OLD_DATA', { class: 'benign' })]),
    [],
  );
});

test('a retransmission that no drop explains', (t) => {
  const [syn, synAck] = [{ cause: 'syn', rtoMs: 1000 } as const, { cause: 'syn-ack' } as const];
  const cases: [Event, string][] = [
    [resent(0), 'outside likely 1R'],
    [resent(0, { failed: 'EBUSY' }), 'local-queue certain 1R'],
    [resent(0, { failed: 'NET_XMIT_DROP' }), 'local-queue certain 1R'],
    [resent(0, syn), 'peer-silent likely 1R'],
    [resent(0, synAck), 'handshake likely 1R'],
  ];
  for (const [event, expected] of cases) assert.deepEqual(why(t, [event]), [expected]);
});

test('probes of a closed window come at growing intervals, keepalives at equal ones', (t) => {
  const probe = (ms: number): DropEvent =>
    drop(ms, { reason: 'TCP_OLD_SEQUENCE', class: 'benign', tcpFlags: 'ACK', seq: 999, endSeq: 999 });
  assert.deepEqual(why(t, [probe(0), probe(200), probe(620), probe(1450)]), ['receiver certain 4D']);
  assert.deepEqual(why(t, [probe(0), probe(200)]), []);
  assert.deepEqual(why(t, [0, 1000, 2000, 3000, 4000, 5000].map(probe)), []);
});

const SERVER = { src: drop(0).dst as Uint8Array, sport: 443, dst: drop(0).src as Uint8Array, dport: 40000, netns: 2 };

test('a RST is told of the one that sent it', (t) => {
  const sent = reset(0, { ...SERVER, direction: 'sent', reason: 'TCP_ABORT_ON_CLOSE' });
  const received = reset(1, { state: 'TCP_ESTABLISHED' });
  const places = (events: Event[]): unknown[] => incidentsOf(t, events).map(({ rule, place }) => [rule, place.netns]);
  assert.deepEqual(places([sent, received]), [['reset', 2]]);
  assert.deepEqual(places([received]), [['reset', 1]]);
  assert.deepEqual(why(t, [received]), ['reset likely 1X']);
  assert.deepEqual(why(t, [reset(0, { state: 'TCP_SYN_SENT' })]), ['closed-port likely 1X']);
});

test('a RST that answers a dropped packet belongs to that drop', (t) => {
  const sent = reset(0, { ...SERVER, direction: 'sent', reason: 'NO_SOCKET' });
  const refused = reset(0.1, { state: 'TCP_SYN_SENT' });
  assert.deepEqual(why(t, [sent, drop(0.02, { reason: 'NO_SOCKET', ...SYN }), refused]), ['closed-port certain 1D 2X']);
  assert.deepEqual(why(t, [drop(0, SYN), refused]), ['firewall certain 1D 1X']);
});

function counter(counter: string, rest: Partial<CounterEvent> = {}): CounterEvent {
  const stretch = { from: at(-5000), until: at(5000), class: 'loss' } as const;
  return { kind: 'counter', time: at(5000), counter, count: 3, netns: 2, ...stretch, ...rest };
}

test('a counter, with the SYNs that it explains', (t) => {
  const listener = { src: drop(0).dst as Uint8Array, sport: 443 };
  const syn = resent(1000, { cause: 'syn', rtoMs: 1000 });
  const other = resent(1000, { cause: 'syn', rtoMs: 1000, dport: 444 });
  assert.deepEqual(why(t, [syn, counter('ListenOverflows', listener)]), ['accept-queue certain 1R 3C']);
  assert.deepEqual(why(t, [syn, counter('TCPReqQFullDrop', listener)]), ['syn-queue certain 1R 3C']);
  assert.deepEqual(why(t, [other, counter('ListenOverflows', listener)]), [
    'accept-queue certain 3C',
    'peer-silent likely 1R',
  ]);
  const anyAddress = { src: new Uint8Array(16), sport: 443 };
  assert.deepEqual(why(t, [syn, counter('ListenOverflows', anyAddress)]), ['accept-queue certain 1R 3C']);
  assert.deepEqual(why(t, [counter('rx_missed_errors', { device: 'eth0' })]), ['device certain 3C']);
  assert.deepEqual(why(t, [counter('RcvPruned')]), ['receiver likely 3C']);
  assert.deepEqual(why(t, [counter('UdpSndbufErrors')]), ['counter likely 3C']);
});

test('a connection that was given up for want of answers ended by what dropped its keepalives', (t) => {
  const keepalive = (ms: number): DropEvent => drop(ms, { tcpFlags: 'ACK', seq: 999, endSeq: 999 });
  const givenUp = reset(3000, { direction: 'sent', reason: 'TCP_KEEPALIVE_TIMEOUT' });
  assert.deepEqual(why(t, [keepalive(0), keepalive(1000), givenUp]), ['ack-lost certain 2D 1X']);
  assert.deepEqual(why(t, [givenUp]), ['reset certain 1X']);
  const other = keepalive(1000);
  assert.deepEqual(why(t, [{ ...other, sport: 40001 }, givenUp]), ['reset certain 1X', 'ack-lost certain 1D']);
});

test('what was only counted in a storm goes where it would have gone one by one', (t) => {
  const { reason, location, direction, protocol } = drop(0) as Required<DropEvent>;
  const stretch = { time: at(500), from: at(500), until: at(1400), netns: 2, device: 'eth0' } as const;
  const drops = {
    ...stretch,
    kind: 'summary',
    of: 'drop',
    events: 5000,
    class: 'loss',
    ...{ reason, location, direction, protocol },
  } as const;
  assert.deepEqual(why(t, [drop(0), resent(200), drops]), ['firewall certain 1R 5001D']);
  const { src, sport, dst, dport } = resent(0) as Required<RetransmitEvent>;
  const retransmissions = {
    ...stretch,
    kind: 'summary',
    of: 'retransmit',
    events: 30,
    segments: 40,
    cause: 'fast',
    netns: 1,
  } as const;
  const ofConnection = { ...retransmissions, src, sport, dst, dport };
  assert.deepEqual(why(t, [drop(0), resent(200), ofConnection]), ['firewall certain 31R 1D']);
  const limited = {
    kind: 'coverage',
    time: at(1000),
    from: at(400),
    until: at(1000),
    state: 'limited',
    count: 30,
  } as const;
  assert.deepEqual(why(t, [ofConnection, limited]), ['unknown possible 30R']);
});

test('how much of what was sent', (t) => {
  const { src, sport, dst, dport } = resent(0) as Required<RetransmitEvent>;
  const flow = { src, sport, dst, dport, netns: 1 };
  const report = (ms: number, segments: number, retransmitted: number): Event =>
    ({ kind: 'connection', time: at(ms), ...flow, segments, retransmitted, spurious: 1 }) as Event;
  const [incident] = incidentsOf(t, [drop(0), resent(200), report(300, 50, 1), report(900, 400, 2)]);
  assert.equal(incident?.amount.lossRatio, 0.005);
  assert.ok(
    incident?.restsOn.includes(
      'of 2 segments that these connections sent again in all, the other ends got 1 twice (DSACK)',
    ),
  );
  assert.equal(incidentsOf(t, [drop(0), resent(200)])[0]?.amount.lossRatio, undefined);
});

/** Retransmissions that the receiver, on this host too, had no need of; each of another connection or of one. */
function needless(count: number, rest: Partial<RetransmitEvent>, isOne = true): Event[] {
  return Array.from({ length: count }, (_, i) => {
    const own = { seq: 1000 * (i + 1), endSeq: 1000 * (i + 2), ...(isOne ? {} : { sport: 40_000 + i }) };
    const copy = { reason: 'TCP_OLD_DATA', class: 'benign', location: 'tcp_data_queue+0x1' } as const;
    return [resent(10 * i, { ...own, ...rest }), drop(10 * i + 1, { ...own, ...copy })];
  }).flat();
}

const sentInAll = (ms: number, sent: Partial<ConnectionEvent>): Event => {
  const { src, sport, dst, dport } = resent(0) as Required<RetransmitEvent>;
  return { kind: 'connection', time: at(ms), src, sport, dst, dport, netns: 1, ...sent };
};

test('what was sent again without need is harmless where it is a vanishing part, or timers that fired once', (t) => {
  const isHarmless = (events: Event[]): (true | undefined)[] => incidentsOf(t, events).map(({ harmless }) => harmless);
  const [fast, rto, probe] = (['fast', 'rto', 'tail-loss-probe'] as const).map((cause) => ({ cause }));
  assert.deepEqual(isHarmless(needless(3, { ...fast })), [true]);
  assert.deepEqual(isHarmless(needless(4, { ...fast })), [undefined]);
  assert.deepEqual(isHarmless(needless(40, { ...rto }, false)), [true]);
  assert.deepEqual(isHarmless(needless(40, { ...probe })), [undefined]);
  const stuck = (count: number) =>
    Array.from({ length: count }, (_, i) => resent(10 * i, { failed: 'EBUSY', device: 'eth0' }));
  assert.deepEqual(isHarmless(stuck(3)), [true]);
  assert.deepEqual(isHarmless(stuck(4)), [undefined]);
  const refused = drop(5, { reason: 'QDISC_DROP', direction: 'tx', netns: 1 });
  assert.deepEqual(isHarmless([...stuck(1), refused]), [undefined]);
  const part = (segments: number) => [...needless(40, { ...fast }), sentInAll(1000, { segments, retransmitted: 40 })];
  assert.deepEqual(isHarmless(part(40_000)), [true]);
  assert.deepEqual(isHarmless(part(39_999)), [undefined]);
  const [reordering] = incidentsOf(t, [...needless(9, { ...fast }), sentInAll(1000, { segments: 300, reordered: 2 })]);
  assert.ok(reordering?.restsOn.includes('the senders saw packets acknowledged out of order, in 2 cases (reord_seen)'));
  const loss = [drop(500, { seq: 90_000, endSeq: 91_000 }), resent(700, { seq: 90_000, endSeq: 91_000 })];
  const [first, last] = incidentsOf(t, [...needless(3, { ...fast }), ...loss]);
  assert.deepEqual([first?.rule, last?.rule, last?.harmless], ['firewall', 'spurious', true]);
});

test('nothing was lost outside where the other end got all of it twice', (t) => {
  const told = (spurious: number): unknown[] => {
    const [incident] = incidentsOf(t, [resent(0), sentInAll(900, { segments: 50, retransmitted: 1, spurious })]);
    return [incident?.rule, incident?.harmless, /without need/.test(incident?.title ?? '')];
  };
  assert.deepEqual(told(1), ['outside', true, true]);
  assert.deepEqual(told(0), ['outside', undefined, false]);
});

test('counters that count what drops tell are no second incident', (t) => {
  const full = drop(0, { reason: 'PROTO_MEM', location: 'tcp_rcv_established+0x1' });
  assert.deepEqual(why(t, [full, counter('RcvPruned')]), ['receiver certain 1D']);
  const [incident] = incidentsOf(t, [full, counter('RcvPruned')]);
  assert.ok(incident?.restsOn.includes("the kernel's own counters grew with it: RcvPruned +3"));
  assert.deepEqual(why(t, [full, counter('RcvPruned', { netns: 3 })]).sort(), [
    'receiver certain 1D',
    'receiver likely 3C',
  ]);
  const later = { time: at(60_000), from: at(55_000), until: at(60_000) };
  assert.deepEqual(why(t, [full, counter('RcvPruned', later)]).sort(), ['receiver certain 1D', 'receiver likely 3C']);
});

test('a socket without room is one incident, whatever reasons the kernel gives', (t) => {
  const full = drop(0, { reason: 'PROTO_MEM', location: 'tcp_rcv_established+0x1' });
  const beyond = drop(9, {
    reason: 'TCP_INVALID_END_SEQUENCE',
    location: 'tcp_validate_incoming+0x1',
    seq: 5,
    endSeq: 9,
  });
  const [incident, ...others] = incidentsOf(t, [full, beyond]);
  assert.deepEqual([incident?.rule, incident?.amount.drops, others], ['receiver', 2, []]);
  for (const told of [
    /TCP or UDP may not use more memory/,
    /dropped for TCP_INVALID_END_SEQUENCE: the segment ended/,
  ]) {
    assert.ok(
      incident?.restsOn.some((text) => told.test(text)),
      `${told}`,
    );
  }
  const udp = withoutUndefined({ ...full, ...(UDP as object), reason: 'SOCKET_RCVBUFF' });
  assert.deepEqual(why(t, [full, udp]), ['receiver certain 1D', 'receiver certain 1D']);
});

test('counters of what did not leave are told by the drops on the way out, and tell a device without a link', (t) => {
  const refused = (ms: number): DropEvent => drop(ms, { reason: 'QDISC_DROP', direction: 'tx' });
  const dropped = (count: number): Event => counter('tx_dropped', { device: 'eth0', class: 'unknown', count });
  assert.deepEqual(why(t, [refused(0), refused(9), dropped(2)]), ['local-queue certain 2D']);
  assert.deepEqual(why(t, [refused(0), refused(9), dropped(3)]), ['local-queue certain 2D', 'device possible 3C']);
  assert.deepEqual(why(t, [refused(0), counter('UdpSndbufErrors', { count: 1 })]), ['local-queue certain 1D']);
  assert.match(incidentsOf(t, [refused(0)])[0]?.title ?? '', /queue .* was full/);
  assert.match(incidentsOf(t, [refused(0), dropped(1)])[0]?.title ?? '', /^no link /);
});

test('many peers hit at once make one incident, few make one each', (t) => {
  const to = (i: number): Event => resent(i, { cause: 'syn', rtoMs: 1000, dst: Uint8Array.of(10, 0, 1, i) });
  const silent = (count: number): string[] =>
    why(
      t,
      Array.from({ length: count }, (_, i) => to(i)),
    );
  assert.deepEqual(silent(3), Array(3).fill('peer-silent likely 1R'));
  assert.deepEqual(silent(9), ['peer-silent likely 9R']);
});

test('every rule has a page, every page a rule', () => {
  const docs = join(import.meta.dirname, '../../../docs/rules');
  const pages = readdirSync(docs).filter((name) => name !== 'README.md');
  assert.deepEqual(pages.sort(), rules.map(({ name }) => `${name}.md`).sort());
  const index = readFileSync(join(docs, 'README.md'), 'utf8');
  for (const page of pages) assert.ok(index.includes(`(${page})`), page);
});

test('what is told of each can be read', (t: TestContext) => {
  for (const [event] of drops) {
    const [incident] = incidentsOf(t, [withoutUndefined(event), resent(300)]);
    assert.ok(incident);
    const texts = [
      incident.title,
      ...incident.restsOn,
      ...incident.alternatives,
      ...incident.advice.map(({ text }) => text),
    ];
    for (const text of texts) assert.doesNotMatch(text, /undefined|NaN|\s\s|\s$|^\s/, text);
    for (const { command } of incident.advice) assert.doesNotMatch(command ?? '', /undefined/);
  }
});
