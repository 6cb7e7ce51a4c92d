import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bootNs, wallNs } from '../base/time.ts';
import type { PacketEvent, SummaryEvent } from '../event/kinds.ts';
import { EventLimiter } from './event-limiter.ts';
import { NO_LIMITS } from './limits.ts';

const MS = 1_000_000n;
const LIMITS = { drops: { perKey: 10, total: 15 }, connections: { perKey: 100, total: 100 } };

const drop = (ms: number, reason: string): PacketEvent => ({
  ...{ kind: 'drop', time: wallNs(BigInt(ms) * MS), bootNs: bootNs(BigInt(ms) * MS) },
  ...{ class: 'loss', reason, location: 'nf_hook_slow+0xbe', length: 100 },
});

const resent = (ms: number, dport: number): PacketEvent => ({
  ...{ kind: 'retransmit', time: wallNs(BigInt(ms) * MS), bootNs: bootNs(BigInt(ms) * MS) },
  ...{ cause: 'rto', sport: 7, dport, segments: 2, bytes: 10, process: 'nginx', pid: 5 },
});

const summaries = (limiter: EventLimiter) => limiter.take().map(({ event }) => event as SummaryEvent);

test('of a key as many as its limit and what may be ahead of it; the rest is counted', () => {
  const limiter = new EventLimiter({ ...LIMITS, drops: { perKey: 1, total: 0 } });
  const admitted = Array.from({ length: 1000 }, (_, ms) => limiter.admit(drop(ms, 'NETFILTER_DROP'))).filter(Boolean);
  // one at once, a hundred ahead of it, then one a second
  assert.ok(admitted.length >= 101 && admitted.length <= 102, `${admitted.length} records`);
  const [summary, ...more] = summaries(limiter);
  assert.deepEqual(more, []);
  assert.equal(summary?.events, 1000 - admitted.length);
  assert.equal(summary?.bytes, 100 * (summary?.events ?? 0));
  assert.deepEqual(
    [summary?.of, summary?.reason, summary?.location, summary?.class, summary?.until],
    ['drop', 'NETFILTER_DROP', 'nf_hook_slow+0xbe', 'loss', 999n * MS],
  );
  assert.deepEqual(limiter.take(), []);
});

test('all keys together have a limit, and drops take nothing from connections', () => {
  const limiter = new EventLimiter(LIMITS);
  const drops = Array.from({ length: 600 }, (_, i) => limiter.admit(drop(0, `REASON_${i % 30}`))).filter(Boolean);
  assert.equal(drops.length, 20 * LIMITS.drops.total + 1);
  assert.ok(Array.from({ length: 50 }, (_, i) => limiter.admit(resent(0, i))).every(Boolean));
  assert.equal(
    summaries(limiter).reduce((sum, { events }) => sum + events, 0),
    600 - drops.length,
  );
});

test('connections keep their flow and owner', () => {
  const limiter = new EventLimiter({ ...LIMITS, connections: { perKey: 1, total: 0 } });
  const admitted = Array.from({ length: 7 }, () => limiter.admit(resent(0, 443))).filter(Boolean).length;
  const [summary] = summaries(limiter);
  assert.deepEqual(
    [summary?.events, summary?.segments, summary?.bytes, summary?.cause, summary?.dport, summary?.process],
    [7 - admitted, 2 * (7 - admitted), 10 * (7 - admitted), 'rto', 443, 'nginx'],
  );
});

test('keys without room are counted by kind', () => {
  const limiter = new EventLimiter({ ...LIMITS, drops: { perKey: 0, total: 1 } });
  const count = 20_000;
  const admitted = Array.from({ length: count }, (_, i) => limiter.admit(drop(0, `REASON_${i}`))).filter(
    Boolean,
  ).length;
  const all = summaries(limiter);
  assert.equal(all.length, 8193);
  assert.equal(all.reduce((sum, { events }) => sum + events, 0) + admitted, count);
  assert.deepEqual(
    all.filter(({ lacks }) => lacks === 'key').map(({ reason, class: dropClass }) => [reason, dropClass]),
    [[undefined, 'unknown']],
  );
});

test('no limits', () => {
  const limiter = new EventLimiter(NO_LIMITS);
  assert.ok(Array.from({ length: 1000 }, () => limiter.admit(drop(0, 'X'))).every(Boolean));
  assert.deepEqual(limiter.take(), []);
});
