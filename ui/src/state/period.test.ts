import assert from 'node:assert/strict';
import { test } from 'node:test';
import { between, panned, spanOf, stepFor, zoomed } from './period.ts';

const NOW = Date.parse('2026-11-25T12:00:00Z');
const HOUR = 3_600_000;

test('a period ends now unless it says when', () => {
  assert.deepEqual(spanOf('-2h', undefined, NOW), { from: NOW - 2 * HOUR, until: NOW });
  const until = '2026-11-25T11:00:00Z';
  assert.deepEqual(spanOf('2026-11-25T10:30:00Z', until, NOW), { from: NOW - 1.5 * HOUR, until: NOW - HOUR });
});

test('a period that ends before it begins is a short one', () => {
  const { from, until } = spanOf('2026-11-25T11:00:00Z', '2026-11-25T10:00:00Z', NOW);
  assert.equal(until, NOW - 2 * HOUR);
  assert.ok(from < until);
});

test('zooming keeps what is under the pointer there', () => {
  const span = { from: 1000_000, until: 2000_000 };
  assert.deepEqual(zoomed(span, 0.5, 1250_000), { from: 1125_000, until: 1625_000 });
  assert.deepEqual(zoomed({ from: 0, until: 60 }, 0.5, 0), { from: 0, until: 50 });
});

test('panning ends at now', () => {
  const span = { from: NOW - 3 * HOUR, until: NOW - HOUR };
  assert.deepEqual(panned(span, -0.5, NOW), { from: NOW - 4 * HOUR, until: NOW - 2 * HOUR });
  assert.deepEqual(panned(span, 5, NOW), { from: NOW - 2 * HOUR, until: NOW });
});

test('a selection may be drawn from either side', () => {
  assert.deepEqual(between(500, 100), { from: 100, until: 500 });
  assert.deepEqual(between(100, 100), { from: 100, until: 150 });
});

test('a step is as short as the number of bars allows', () => {
  assert.equal(stepFor({ from: 0, until: 24 * HOUR }, 180), 10 * 60_000);
  assert.equal(stepFor({ from: 0, until: 50 }, 180), 1);
  assert.equal(stepFor({ from: 0, until: 100 * 365 * 24 * HOUR }, 180), 604_800_000);
});
