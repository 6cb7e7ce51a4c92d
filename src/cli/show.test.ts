import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, copyFileSync, mkdirSync, mkdtempSync, openSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, before, test } from 'node:test';
import { parseIp } from '../base/ip.ts';
import { NS_PER_S, parseRfc3339, type WallNs, wallNs } from '../base/time.ts';
import { toJson } from '../event/json.ts';
import type { DropEvent, Event, RetransmitEvent } from '../event/kinds.ts';
import { StoreWriter } from '../store/store.ts';
import { losslog, MAIN, NODE_FLAGS } from './run.test-util.ts';

const start = parseRfc3339('2026-03-01T10:00:00Z') as WallNs;
const at = (seconds: number): WallNs => wallNs(start + BigInt(seconds) * NS_PER_S);
const ip = (text: string) => parseIp(text) as Uint8Array;
const flow = { src: ip('10.0.0.2'), sport: 45678, dst: ip('10.0.0.9'), dport: 443 };

const resent: RetransmitEvent = {
  kind: 'retransmit',
  time: at(10),
  cause: 'fast',
  segments: 3,
  netns: 4026532177,
  netnsName: 'blue',
  process: 'nginx\u202e',
  pid: 4242,
  ...flow,
};
const drop: DropEvent = {
  kind: 'drop',
  time: at(20),
  reason: 'NETFILTER_DROP',
  class: 'loss',
  protocol: 'tcp',
  direction: 'rx',
  netns: 4026532177,
  netnsName: 'blue',
  ...flow,
};
const benign: DropEvent = { ...drop, time: at(30), class: 'benign', reason: 'QUEUE_PURGE' };
const events: Event[] = [resent, drop, benign];

const RESENT =
  '2026-03-01 10:00:10.000000 RETRANS fast 3 seg       10.0.0.2:45678 > 10.0.0.9:443         nginx\\u{202e}/4242  netns blue';
const DROP = '2026-03-01 10:00:20.000000 DROP    NETFILTER_DROP   tcp 10.0.0.2:45678 > 10.0.0.9:443  rx  netns blue';
const BENIGN =
  '2026-03-01 10:00:30.000000 DROP    QUEUE_PURGE      tcp 10.0.0.2:45678 > 10.0.0.9:443  benign  rx  netns blue';
const BEGINS = 'history begins 2026-03-01 10:00:00';
/** Until now, nothing was recorded any more. */
const DOWN = /^losslog: the recorder was not running from 2026-03-01 10:01:00 to [-0-9: ]+ \([0-9a-z]+\)\n/;

/** What is said besides of how far the answer can be trusted. */
function besides(stderr: string): string {
  assert.match(stderr, DOWN);
  return stderr.replace(DOWN, '');
}

let dir: string;
let store: string;

/** A store recorded from 10:00:00 to 10:01:00. */
function writeStore(name: string, all: readonly Event[], filter?: string): string {
  const path = join(dir, name);
  let now = at(0);
  const session = { bootId: 'b', losslogVersion: '0.1.0', kernel: '6.18.44', host: 'alpha' };
  const writer = StoreWriter.open(path, filter === undefined ? session : { ...session, filter }, { now: () => now });
  writer.write(all);
  now = at(60);
  writer.close();
  return path;
}

before(() => {
  dir = mkdtempSync(join(tmpdir(), 'losslog-show-'));
  store = writeStore('store', events);
});
after(() => rmSync(dir, { recursive: true }));

const show = (...args: string[]) => losslog(['show', '--store', store, ...args]);

test('events in order on stdout, what is left out on stderr', () => {
  const all = show();
  assert.deepEqual([all.status, all.stdout], [0, `${RESENT}\n${DROP}\n`]);
  assert.equal(besides(all.stderr), `losslog: 1 benign drop is left out (--all shows them); ${BEGINS}\n`);
  const two = show('--all', '--limit', '2');
  assert.deepEqual([two.status, two.stdout], [0, `${DROP}\n${BENIGN}\n`]);
  assert.equal(besides(two.stderr), `losslog: only the newest 2 are shown (--limit 0 shows all); ${BEGINS}\n`);
  assert.deepEqual(show('--all', '--limit', '0').stdout, `${RESENT}\n${DROP}\n${BENIGN}\n`);
});

test('filters', () => {
  assert.equal(show('--kind', 'retransmit').stdout, `${RESENT}\n`);
  assert.equal(show('--peer', '10.0.0.0/24', '--reason', 'netfilter_drop').stdout, `${DROP}\n`);
  assert.equal(show('--since', '2026-03-01 10:00:15', '--until', '2026-03-01 10:00:25').stdout, `${DROP}\n`);
  assert.equal(show('--netns', '4026532177', '--pid', '4242').stdout, `${RESENT}\n`);
});

test('JSON is the same values, safe for a terminal', () => {
  const { stdout, stderr } = show('--json', '--all');
  const lines = stdout.trimEnd().split('\n');
  assert.deepEqual(
    lines.map((line) => JSON.parse(line)),
    events.map((event) => JSON.parse(toJson(event))),
  );
  assert.equal(JSON.parse(lines[0] ?? '').process, 'nginx\u202e');
  assert.ok(lines[0]?.includes('"nginx\\u202e"'));
  assert.equal(besides(stderr), `losslog: ${BEGINS}\n`);
});

test('an empty answer says whether it can be trusted', () => {
  const asked = ['--peer', '9.9.9.9', '--since', '2026-03-01 10:00:05'];
  const nothing = (...args: string[]) => show(...asked, ...args).stderr;
  assert.equal(
    nothing('--until', '2026-03-01 10:00:50'),
    `losslog: nothing found: the recorder was running all that time\nlosslog: ${BEGINS}\n`,
  );
  assert.equal(
    nothing('--until', '2026-03-01 10:02:30'),
    `losslog: nothing found: the recorder was not running from 2026-03-01 10:01:00 to 2026-03-01 10:02:30 (1m30s)\nlosslog: ${BEGINS}\n`,
  );
});

test('an empty answer names the filter of the recorder and what it missed', () => {
  const lost: Event = { kind: 'coverage', time: at(40), from: at(39), until: at(40), state: 'lost', count: 7 };
  const path = writeStore('limited', [lost], 'no drops');
  const range = ['--since', '2026-03-01 10:00:00', '--until', '2026-03-01 10:01:00'];
  assert.equal(
    losslog(['show', '--store', path, '--pid', '1', ...range]).stderr,
    'losslog: nothing found: the recorder was running all that time, it was told to record only: no drops, 7 events lost\n' +
      `losslog: ${BEGINS}\n`,
  );
  assert.equal(
    losslog(['show', '--store', path]).stdout,
    '2026-03-01 10:00:40.000000 COVERAGE lost             7 events  2026-03-01 10:00:39 to 2026-03-01 10:00:40 (1s)\n',
  );
});

test('a store without anything', () => {
  const path = join(dir, 'empty');
  mkdirSync(path);
  assert.deepEqual(losslog(['show', '--store', path]), {
    status: 0,
    stdout: '',
    stderr: 'losslog: the store holds nothing yet\n',
  });
});

test('a damaged slice is named, the rest answers', () => {
  const path = writeStore('damaged', events);
  writeFileSync(
    join(path, '2026-03-01T09.db'),
    'this is no database, and it is longer than a header of SQLite is: '.repeat(9),
  );
  const { status, stdout, stderr } = losslog(['show', '--store', path]);
  assert.deepEqual([status, stdout], [0, `${RESENT}\n${DROP}\n`]);
  assert.match(
    stderr,
    /^losslog: 2026-03-01T09\.db could not be read and is left out: .+\nlosslog: the recorder was not running/,
  );
});

test('a store of which nothing can be read is not called empty', () => {
  const path = join(dir, 'ruined');
  mkdirSync(path);
  writeFileSync(join(path, '2026-03-01T09.db'), 'no database, and longer than a header of SQLite is: '.repeat(9));
  const { stdout, stderr } = losslog(['show', '--store', path]);
  assert.equal(stdout, '');
  assert.match(stderr, /T09\.db could not be read and is left out: .+\nlosslog: nothing in the store could be read\n$/);
});

test('a store of a future version', () => {
  const path = writeStore('future', events);
  const [file] = readdirSync(path).filter((name) => name.endsWith('.db'));
  const copy = join(path, '2026-03-01T11.db');
  copyFileSync(join(path, file ?? ''), copy);
  const db = new DatabaseSync(copy);
  db.exec('PRAGMA user_version = 999');
  db.close();
  const { status, stdout, stderr } = losslog(['show', '--store', path]);
  assert.deepEqual([status, stdout], [1, '']);
  assert.match(stderr, /^losslog: .*T11\.db has store format 999; .+\n {2}hint: .+\n$/);
});

test('a reader that goes away ends it quietly', async () => {
  const many = Array.from({ length: 20_000 }, (_, i): Event => ({ ...drop, time: drop.time + BigInt(i) }));
  const path = writeStore('many', many);
  const child = spawn(process.execPath, [...NODE_FLAGS, MAIN, 'show', '--limit', '0', '--store', path]);
  let stderr = '';
  child.stderr.on('data', (chunk) => {
    stderr += chunk;
  });
  await once(child.stdout, 'data');
  child.stdout.destroy();
  const [status] = await once(child, 'exit');
  assert.deepEqual([status, stderr], [0, '']);
});

test('a full disk below stdout is a failure', () => {
  const full = openSync('/dev/full', 'w');
  const child = spawnSync(process.execPath, [...NODE_FLAGS, MAIN, 'show', '--store', store], {
    stdio: ['ignore', full, 'pipe'],
    encoding: 'utf8',
    timeout: 20_000,
  });
  closeSync(full);
  assert.equal(child.status, 1);
  assert.match(child.stderr, /^losslog: .*ENOSPC/m);
});

test('top', () => {
  const top = (...args: string[]) => losslog(['top', '--store', store, ...args]);
  const { stdout, stderr } = top('--by', 'netns');
  assert.equal(
    stdout,
    `netns            segments resent  drops  resets
4026532177 blue                3      1       0  ####################
`,
  );
  assert.equal(besides(stderr), `losslog: 1 benign drop is left out (--all shows them); ${BEGINS}\n`);
  assert.equal(
    top('--by', 'netns', '--json').stdout,
    '{"by":"netns","netns":4026532177,"netnsName":"blue","events":2,"retransmissions":1,"segments":3,"bytes":0,"drops":1,"resets":0}\n',
  );
  assert.equal(
    top('--by', 'reason').stdout,
    `reason          segments resent  drops  resets
NETFILTER_DROP                0      1       0  ####################
`,
  );
  assert.equal(
    top('--by', 'process', '--pid', '4242', '--json').stdout,
    '{"by":"process","process":"nginx\\u202e","events":1,"retransmissions":1,"segments":3,"bytes":0,"drops":0,"resets":0}\n',
  );
  const byProcess = top('--by', 'process', '--until', '2026-03-01 10:00:25').stdout;
  assert.equal(
    byProcess,
    `process        segments resent  drops  resets
nginx\\u{202e}                3      0       0  ####################
(unknown)                    0      1       0  #######
`,
  );
  assert.equal(top('--by', 'process').stdout, byProcess);
});
