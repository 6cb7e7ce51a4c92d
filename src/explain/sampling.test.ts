import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type WallNs, wallNs } from '../base/time.ts';
import type { Event } from '../event/kinds.ts';
import { EPOCH } from '../store/arbitrary-event.test-util.ts';
import { sampling, weightsOf } from './sampling.ts';
import { drop, incidentsOf, resent, storeOf } from './why.test-util.ts';

const HOUR_END = wallNs(EPOCH + 3_600_000_000_000n);

/** An hour of noise: drops of one connection each, none of which is resent. */
function noise(count: number): Event[] {
  return Array.from({ length: count }, (_, i) =>
    drop((i * 3_600_000) / count, { sport: 1024 + (i % 40_000), seq: i, endSeq: i + 1 }),
  );
}

const sum = (counts: readonly number[]): number => counts.reduce((total, count) => total + count, 0);

test('what is little is examined whole', (t) => {
  const reader = storeOf(t, noise(500));
  assert.deepEqual(sampling(reader, {}, EPOCH as WallNs, HOUR_END), {
    samples: [{ since: EPOCH, until: HOUR_END, weight: 1 }],
    share: 1,
  });
});

test('of what is much a part stands for all, but what is rare or sudden is examined whole', () => {
  const counts = Array<number>(1440).fill(700);
  counts[100] = 0;
  counts[777] = 9000;
  const weights = weightsOf(counts, (minute) => minute === 500);
  assert.deepEqual([weights[500], weights[777], weights[100]], [1, 1, 0]);
  const examined = sum(counts.filter((_, minute) => (weights[minute] as number) > 0));
  assert.ok(examined < 60_000, `${examined} events are examined`);
  const reckoned = sum(counts.map((count, minute) => count * (weights[minute] as number)));
  assert.ok(Math.abs(reckoned - sum(counts)) < 1, `${reckoned} of ${sum(counts)}`);
});

test('a rare incident in much noise is found, and the noise is reckoned', (t) => {
  const rare = Array.from({ length: 7 }, (_, i) => [
    drop(1_234_000 + i * 50, { reason: 'IP_RPFILTER', sport: 5, seq: i, endSeq: i + 1 }),
    resent(1_234_020 + i * 50, { sport: 5, seq: i, endSeq: i + 1, cause: 'fast' }),
  ]).flat();
  const events = [...noise(150_000), ...rare].sort((a, b) => Number(a.time - b.time));
  const incidents = incidentsOf(t, events);
  assert.deepEqual(
    incidents.map(({ rule, amount }) => [rule, amount.retransmissions]),
    [
      ['firewall', 0],
      ['reverse-path', 7],
    ],
  );
  const [firewall] = incidents;
  assert.ok(firewall && (firewall.examined ?? 1) < 0.9);
  assert.ok(Math.abs(firewall.amount.drops - 150_000) < 1500, `${firewall.amount.drops} drops`);
});
