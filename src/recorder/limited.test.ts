import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bootNs, NS_PER_S, wallNs } from '../base/time.ts';
import type { Counted } from '../capture/capture.ts';
import type { SummaryEvent } from '../event/kinds.ts';
import { LimitedStretches } from './limited.ts';

const at = (seconds: number) => wallNs(BigInt(seconds) * NS_PER_S);

function counted(from: number, until: number, events: number, noRoom = 0): Counted {
  const event: SummaryEvent = {
    kind: 'summary',
    time: at(from),
    of: 'drop',
    events,
    from: at(from),
    until: at(until),
  };
  return { summaries: [{ event, socket: { sk: 0n, cgroupId: 0n, cgroupHierarchy: 0 } }], noRoom };
}

const nothing: Counted = { summaries: [], noRoom: 0 };
const stretches = () => new LimitedStretches(() => ({ wall: at(100), boot: bootNs(0n) }));
const told = (events: ReturnType<LimitedStretches['note']>) =>
  events.map(({ state, from, until, count }) => [state, Number(from / NS_PER_S), Number(until / NS_PER_S), count]);

test('seconds in a row are one stretch, told when it is over', () => {
  const limited = stretches();
  assert.deepEqual(limited.note(nothing), []);
  assert.deepEqual(limited.note(counted(1, 2, 7)), []);
  assert.deepEqual(limited.note(counted(2, 3, 11)), []);
  assert.deepEqual(told(limited.note(nothing)), [['limited', 1, 3, 18]]);
  assert.deepEqual(limited.note(nothing), []);
  assert.deepEqual(limited.end(), []);
});

test('a storm that goes on is told of every ten seconds, and at the end', () => {
  const limited = stretches();
  const all = Array.from({ length: 25 }, (_, i) => limited.note(counted(i, i + 1, 3))).flat();
  assert.deepEqual(told(all), [
    ['limited', 0, 10, 30],
    ['limited', 10, 20, 30],
  ]);
  assert.deepEqual(told(limited.end()), [['limited', 20, 25, 15]]);
});

test('how many found a ring full is said', () => {
  const limited = stretches();
  limited.note(counted(1, 2, 7, 3));
  limited.note(counted(2, 3, 7, 2));
  const [event] = limited.end();
  assert.match(event?.why ?? '', /: 5 found a ring full, the rest was beyond the limits$/);
});
