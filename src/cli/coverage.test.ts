import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { NS_PER_S, type WallNs, wallNs } from '../base/time.ts';
import type { Event } from '../event/kinds.ts';
import { StoreWriter } from '../store/writer.ts';
import { losslog as run } from './run.test-util.ts';

const dir = mkdtempSync(join(tmpdir(), 'losslog-coverage-'));
after(() => rmSync(dir, { recursive: true, force: true }));

/** 2026-03-01T10:00:00Z and some seconds. */
const at = (seconds: number): WallNs => wallNs(1_772_359_200n * NS_PER_S + BigInt(seconds) * NS_PER_S);
const store = join(dir, 'store');

/** Two runs of the recorder with a minute between them; the second lost seven events. */
function fill(): void {
  let now = at(0);
  const session = { bootId: 'b', losslogVersion: '0', kernel: '0', host: 'h' };
  const first = StoreWriter.open(store, session, { now: () => now });
  now = at(60);
  first.close();
  now = at(120);
  const second = StoreWriter.open(store, { ...session, filter: 'netns 7' }, { now: () => now });
  const lost = {
    kind: 'coverage',
    time: at(130),
    from: at(129),
    until: at(130),
    state: 'lost',
    count: 7,
    why: 'ring\u001b full',
  };
  second.write([lost as Event]);
  now = at(180);
  second.close();
}
fill();

const coverage = (...args: string[]) => run(['coverage', '--store', store, ...args]);

test('the stretches in order, as text', () => {
  const { status, stdout, stderr } = coverage('--until', '2026-03-01 10:03:00');
  assert.equal(status, 0);
  assert.equal(
    stdout,
    `2026-03-01 10:00:00  to 10:01:00  1m  recording
2026-03-01 10:01:00  to 10:02:00  1m  down       the recorder was not running
2026-03-01 10:02:00  to 10:03:00  1m  recording  only: netns 7
2026-03-01 10:02:09  to 10:02:10  1s  lost       7 events: ring\\x1b full
`,
  );
  assert.equal(stderr, 'losslog: the recorder was not running for 1m of 3m; 7 events lost\n');
});

test('as JSON, cut to what was asked', () => {
  const { stdout } = coverage('--since', '2026-03-01 10:00:30', '--until', '2026-03-01 10:01:30', '--json');
  const lines = stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  assert.deepEqual(
    lines.map(({ kind, state, from, until }) => [kind, state, from, until]),
    [
      ['coverage', 'recording', '2026-03-01T10:00:30.000000000Z', '2026-03-01T10:01:00.000000000Z'],
      ['coverage', 'down', '2026-03-01T10:01:00.000000000Z', '2026-03-01T10:01:30.000000000Z'],
    ],
  );
});

test('a stretch that is whole, and a store without anything', () => {
  assert.equal(
    coverage('--since', '2026-03-01 10:00', '--until', '2026-03-01 10:00:50').stderr,
    'losslog: the recorder was running all that time\n',
  );
  const empty = run(['coverage', '--store', dir]);
  assert.deepEqual([empty.status, empty.stderr], [0, 'losslog: the store holds nothing yet\n']);
});

test('a stretch in which the kernel recorded alone is no gap, also when it is told after the time asked for', () => {
  const alone = join(dir, 'alone');
  let now = at(0);
  const session = { bootId: 'b', losslogVersion: '0', kernel: '0', host: 'h' };
  const first = StoreWriter.open(alone, session, { now: () => now });
  now = at(60);
  first.close();
  now = at(120);
  const second = StoreWriter.open(alone, session, { now: () => now });
  const why = 'the kernel recorded alone';
  second.write([
    { kind: 'coverage', time: at(121), from: at(59), until: at(121), state: 'recording', count: 0, why } as Event,
  ]);
  now = at(180);
  second.close();
  const { stdout, stderr } = run([
    'coverage',
    '--store',
    alone,
    '--since',
    '2026-03-01 10:00:30',
    '--until',
    '2026-03-01 10:01:30',
  ]);
  assert.equal(stderr, 'losslog: the recorder was running all that time\n');
  assert.match(stdout, /10:00:59 {2}to 10:02:01 .* recording {2}0 events: the kernel recorded alone\n$/);
  const show = run(['show', '--store', alone, '--since', '2026-03-01 10:01:10', '--until', '2026-03-01 10:01:30']);
  assert.match(show.stderr, /nothing found: the recorder was running all that time/);
});
