import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NS_PER_HOUR, NS_PER_MINUTE, NS_PER_S, wallNs } from '../base/time.ts';
import { EPOCH } from './arbitrary-event.test-util.ts';
import { StoreReader } from './reader.ts';
import { coverageEvents, gapsIn, type Stretch, sessionStretches } from './stretches.ts';
import { openWriter, temporaryDirectory } from './temporary-store.test-util.ts';

const s = (from: number, until: number): Stretch => ({
  from: wallNs(BigInt(from) * NS_PER_S),
  until: wallNs(BigInt(until) * NS_PER_S),
});

test('gapsIn', () => {
  const cases: [Stretch, Stretch[], Stretch[]][] = [
    [s(10, 20), [], [s(10, 20)]],
    [s(10, 20), [s(0, 30)], []],
    [s(10, 20), [s(10, 20)], []],
    [s(10, 20), [s(12, 14)], [s(10, 12), s(14, 20)]],
    [s(10, 20), [s(16, 30), s(0, 12)], [s(12, 16)]],
    [s(10, 20), [s(0, 5), s(25, 30)], [s(10, 20)]],
    [s(10, 20), [s(8, 18), s(9, 12)], [s(18, 20)]],
    [s(10, 20), [s(11, 20)], [s(10, 11)]],
  ];
  for (const [asked, covered, gaps] of cases) assert.deepEqual(gapsIn(asked, covered), gaps);
});

/** What a store says of 10:00 to 10:01 of three days: the clock shows the second by mistake, then the first, then it is set right. */
test('a clock that is set by a year and back: no time is taken for recorded that never passed', (t) => {
  const year = 365n * 24n * NS_PER_HOUR;
  for (const step of [year, -year]) {
    const dir = temporaryDirectory(t);
    let now = EPOCH;
    let steady = 0n;
    const writer = openWriter(dir, { now: () => now, steady: () => steady });
    const pass = (ns: bigint): void => {
      now = wallNs(now + ns);
      steady += ns;
      writer.write([{ kind: 'coverage', time: now, from: now, until: now, state: 'recording' }]);
      writer.flush();
    };
    pass(NS_PER_MINUTE);
    now = wallNs(now + step);
    pass(NS_PER_MINUTE);
    now = wallNs(now - step);
    pass(NS_PER_MINUTE);
    writer.close();
    const reader = StoreReader.open(dir);
    const { sessions } = reader.coverage();
    const [begin, end] = step > 0n ? [EPOCH, EPOCH + step] : [EPOCH + step, EPOCH];
    const asked = { from: wallNs(begin - NS_PER_HOUR), until: wallNs(end + NS_PER_HOUR) };
    const ran = sessions.flatMap((session) => sessionStretches(session, asked.until));
    const total = ran.reduce((sum, { from, until }) => sum + (until - from), 0n);
    assert.ok(total >= 3n * NS_PER_MINUTE && total < 2n * NS_PER_HOUR, `${total / NS_PER_S} s of a year`);
    const down = coverageEvents(reader, sessions, asked, asked.until).filter(({ state }) => state === 'down');
    assert.ok(down.reduce((sum, { from, until }) => sum + (until - from), 0n) > year - 2n * NS_PER_HOUR);
    reader.close();
  }
});
