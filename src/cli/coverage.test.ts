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

test('comparisons as one line for each namespace; names from outside cannot move the cursor', () => {
  const path = join(dir, 'compared');
  let now = at(0);
  const session = { bootId: 'b', losslogVersion: '0', kernel: '0', host: 'h', blind: ['no drop is seen'] };
  const writer = StoreWriter.open(path, session, { now: () => now });
  const compared = (
    second: number,
    state: 'recording' | 'lost',
    counter: string,
    recorded: number,
    kernel: number,
  ): Event => ({
    kind: 'coverage',
    time: at(second),
    from: at(second - 10),
    until: at(second),
    state,
    ...(state === 'lost' ? { count: kernel - recorded } : {}),
    netns: 7,
    netnsName: 'blue\u001b[2J',
    counter,
    recorded,
    kernel,
  });
  writer.write([
    compared(10, 'recording', 'TcpRetransSegs', 40, 40),
    compared(10, 'recording', 'TCPFastRetrans', 40, 40),
    compared(20, 'lost', 'TcpRetransSegs', 57, 60),
    compared(20, 'lost', 'TCPFastRetrans', 57, 60),
    {
      kind: 'coverage',
      time: at(30),
      from: at(29),
      until: at(30),
      state: 'recording',
      why: 'the wall clock was set back by 3 s',
    },
  ]);
  now = at(40);
  writer.close();
  const { stdout, stderr } = run(['coverage', '--store', path, '--until', '2026-03-01 10:00:40']);
  assert.equal(
    stdout,
    `2026-03-01 10:00:00  to 10:00:20  20s  lost       recorded 97 of 100 TcpRetransSegs in netns blue\\x1b[2J
2026-03-01 10:00:00  to 10:00:40  40s  recording
2026-03-01 10:00:10  to 10:00:20  10s  lost       recorded 57 of 60 TCPFastRetrans in netns blue\\x1b[2J
2026-03-01 10:00:29  to 10:00:30  1s   recording  the wall clock was set back by 3 s
`,
  );
  const said =
    'the clock was set once; only 97 of the 100 segments that the kernel resent are recorded; not seen here: no drop is seen';
  assert.equal(stderr, `losslog: the recorder was running all that time; ${said}\n`);
  assert.equal(
    run(['show', '--store', path, '--kind', 'drop', '--until', '2026-03-01 10:00:40']).stderr,
    `losslog: nothing found: the recorder was running all that time, ${said.replaceAll(';', ',')}\nlosslog: history begins 2026-03-01 10:00:00\n`,
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

test('of a time before history begins nothing is said to be known', () => {
  const { stdout, stderr } = coverage('--until', '2026-02-28');
  assert.equal(stdout, '');
  assert.equal(stderr, 'losslog: all of that time is before history begins: nothing is known of it\n');
  for (const command of [['show'], ['top', '--by', 'peer'], ['why']]) {
    const answer = run([...command, '--store', store, '--until', '2026-02-28']);
    assert.equal(answer.stdout, '');
    assert.match(answer.stderr, /^losslog: nothing found: all of that time is before history begins: nothing is known/);
  }
});

test('what was not looked at for once is said as what this host does not show', () => {
  const path = join(dir, 'blind');
  let now = at(0);
  const session = { bootId: 'b', losslogVersion: '0', kernel: '0', host: 'h', blind: ['no places of drops'] };
  const writer = StoreWriter.open(path, session, { now: () => now });
  const blind = { kind: 'coverage', time: at(50), from: at(20), until: at(50), state: 'blind', why: 'some namespaces' };
  writer.write([blind as Event]);
  now = at(60);
  writer.close();
  const until = (time: string) => run(['show', '--store', path, '--until', `2026-03-01 10:00:${time}`]).stderr;
  assert.match(until('59'), /, not seen here: no places of drops; some namespaces\n/);
  assert.match(until('10'), /, not seen here: no places of drops\n/);
});
