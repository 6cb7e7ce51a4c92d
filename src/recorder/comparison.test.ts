import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Event, RetransmitEvent } from '../event/kinds.ts';
import { COMPARED, Comparison, type Look } from './comparison.ts';
import { RecordedTotals } from './recorded-totals.ts';

type Counter = (typeof COMPARED)[number];

/** A kernel that counts, and a recorder beside it, of one namespace. */
class Host {
  readonly #kernel = new Map<Counter, number>();
  readonly #totals = new RecordedTotals();
  #bootNs = 0n;

  count(counts: Partial<Record<Counter, number>>): void {
    for (const [name, count] of Object.entries(counts)) {
      this.#kernel.set(name as Counter, (this.#kernel.get(name as Counter) ?? 0) + count);
    }
  }

  record(...events: Partial<RetransmitEvent>[]): void {
    const whole = events.map((event) => ({ kind: 'retransmit', netns: 7, cause: 'fast', segments: 1, ...event }));
    this.#totals.add(whole as Event[]);
  }

  look(): Look {
    this.#bootNs += 1000n;
    const kernel = Float64Array.from(COMPARED, (name) => this.#kernel.get(name) ?? 0);
    return { bootNs: this.#bootNs, kernel, recorded: { ...this.#totals.of(7) } };
  }
}

/** A namespace older than the recorder, with counters of before. */
function begun(tellsFailures = true): { host: Host; comparison: Comparison } {
  const host = new Host();
  host.count({ 'Tcp.RetransSegs': 1000, 'TcpExt.TCPRetransFail': 10, 'TcpExt.TCPFastRetrans': 500 });
  const comparison = new Comparison(tellsFailures);
  comparison.add(host.look());
  assert.equal(comparison.isReady, false);
  comparison.add(host.look());
  assert.ok(comparison.isReady && comparison.isSettled);
  return { host, comparison };
}

const told = (comparison: Comparison) =>
  comparison.take()?.compared.map(({ counter, recorded, kernel, relation }) => [counter, recorded, kernel, relation]);

test('all that the kernel counted was recorded', () => {
  const { host, comparison } = begun();
  host.count({ 'Tcp.RetransSegs': 9, 'TcpExt.TCPFastRetrans': 5, 'TcpExt.TCPSynRetrans': 1, 'TcpExt.TCPTimeouts': 3 });
  host.count({ 'TcpExt.TCPRetransFail': 1 });
  host.record({ segments: 5 }, { cause: 'syn' }, { cause: 'rto', segments: 2 }, { cause: 'rto', failed: 'EPERM' });
  host.record({ cause: 'rto', failed: 'EBUSY', segments: 44 });
  comparison.add(host.look());
  assert.ok(comparison.isSettled && !comparison.hasNews);
  assert.deepEqual(told(comparison), [
    ['TcpRetransSegs', 9, 9, 'exact'],
    ['TCPRetransFail', 1, 1, 'exact'],
    ['TCPSynRetrans', 1, 1, 'part'],
    ['TCPFastRetrans', 5, 5, 'part'],
    ['TCPTimeouts', 4, 3, 'more'],
  ]);
  comparison.add(host.look());
  assert.deepEqual(told(comparison), [], 'a quiet namespace has nothing new to tell');
});

test('what is under way at a look is no difference', () => {
  const { host, comparison } = begun();
  host.count({ 'Tcp.RetransSegs': 1 });
  comparison.add(host.look());
  assert.ok(!comparison.isSettled && !comparison.hasNews);
  host.record({ cause: 'rto' });
  for (let i = 0; i < 3; i++) comparison.add(host.look());
  assert.ok(comparison.isSettled && !comparison.hasNews);
  assert.deepEqual(told(comparison), [
    ['TcpRetransSegs', 1, 1, 'exact'],
    ['TCPTimeouts', 1, 0, 'more'],
  ]);
});

test('what three looks in a row miss is missing, and told once', () => {
  const { host, comparison } = begun();
  host.count({ 'Tcp.RetransSegs': 10, 'TcpExt.TCPFastRetrans': 10 });
  host.record({ segments: 7 });
  for (let i = 0; i < 3; i++) {
    assert.equal(comparison.hasNews, false);
    comparison.add(host.look());
  }
  assert.ok(comparison.hasNews && comparison.isSettled);
  assert.deepEqual(told(comparison), [
    ['TcpRetransSegs', 7, 10, 'exact'],
    ['TCPFastRetrans', 7, 10, 'part'],
  ]);
  host.count({ 'Tcp.RetransSegs': 1 });
  host.record({ cause: 'tail-loss-probe' });
  comparison.add(host.look());
  assert.deepEqual(told(comparison), [
    ['TcpRetransSegs', 1, 1, 'exact'],
    ['TCPLossProbes', 1, 0, 'more'],
  ]);
});

test('while ever more is missed, what the latest looks agree on is told', () => {
  const { host, comparison } = begun();
  for (const [missed, agreed] of [
    [5, 0],
    [3, 0],
    [4, 5],
    [1, 8],
  ] as const) {
    host.count({ 'Tcp.RetransSegs': missed });
    comparison.add(host.look());
    if (agreed > 0) assert.equal(comparison.isSettled, false);
    const [[, recorded, kernel] = []] = told(comparison) ?? [];
    assert.deepEqual([recorded ?? 0, kernel ?? 0], [0, agreed === 8 ? 3 : agreed]);
  }
});

test('a failure that does not tell whether it was counted may be either', () => {
  for (const wasCounted of [true, false]) {
    const { host, comparison } = begun();
    host.record({ cause: 'syn', failed: 'EHOSTUNREACH' });
    if (wasCounted) host.count({ 'Tcp.RetransSegs': 1, 'TcpExt.TCPRetransFail': 1, 'TcpExt.TCPSynRetrans': 1 });
    for (let i = 0; i < 3; i++) comparison.add(host.look());
    assert.equal(comparison.hasNews, false);
  }
});

test('a kernel that does not tell of failures', () => {
  const { host, comparison } = begun(false);
  host.count({ 'Tcp.RetransSegs': 5, 'TcpExt.TCPRetransFail': 2, 'TcpExt.TCPSynRetrans': 2 });
  host.record({ cause: 'rto', segments: 3 });
  for (let i = 0; i < 3; i++) comparison.add(host.look());
  assert.deepEqual(told(comparison), [
    ['TcpRetransSegs', 3, 5, 'failures'],
    ['TCPRetransFail', 0, 2, 'failures'],
    ['TCPTimeouts', 1, 0, 'more'],
  ]);
});

test('a namespace that was made while the recorder ran is compared from its begin', () => {
  const host = new Host();
  const comparison = new Comparison(true, host.look());
  host.count({ 'Tcp.RetransSegs': 4 });
  host.record({ cause: 'rto', segments: 3 });
  for (let i = 0; i < 3; i++) comparison.add(host.look());
  assert.deepEqual(told(comparison)?.[0], ['TcpRetransSegs', 3, 4, 'exact']);
});

test('where the first looks meet something under way, it is compared from a later one', () => {
  const host = new Host();
  const comparison = new Comparison(true);
  host.count({ 'Tcp.RetransSegs': 1 });
  comparison.add(host.look());
  host.record({ cause: 'rto' });
  comparison.add(host.look());
  assert.equal(comparison.isReady, false);
  comparison.add(host.look());
  assert.ok(comparison.isReady && comparison.isSettled && !comparison.hasNews);
  const always = new Comparison(true);
  for (let i = 0; i < 4; i++) {
    host.count({ 'Tcp.RetransSegs': 1 });
    always.add(host.look());
  }
  assert.ok(always.isReady, 'and where all look different, from the fourth on');
});

test('retransmissions that were only counted are in the sums', () => {
  const totals = new RecordedTotals();
  const summary = { kind: 'summary', time: 0n, of: 'retransmit', cause: 'fast', events: 3, segments: 9, netns: 7 };
  const others = { ...summary, of: 'drop' };
  totals.add([summary, others].map((event) => ({ ...event, from: 0n, until: 0n })) as Event[]);
  assert.deepEqual([totals.of(7).sent, totals.of(7).fast, [...totals.namespaces]], [9, 9, [7]]);
  totals.forget(7);
  assert.equal(totals.of(7).sent, 0);
});
