import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { losslog } from './run.test-util.ts';

let dir: string;
before(() => {
  dir = mkdtempSync(join(tmpdir(), 'losslog-cli-'));
});
after(() => rmSync(dir, { recursive: true }));

const refuses = (args: readonly string[], status: number, message: string, hint?: string): void => {
  const stderr = `losslog: ${message}\n${hint === undefined ? '' : `  hint: ${hint}\n`}`;
  assert.deepEqual(losslog(args), { status, stdout: '', stderr }, args.join(' '));
};

test('wrong use is one line, a hint and exit code 2', () => {
  refuses([], 2, 'no command given', 'losslog --help lists them');
  refuses(['shwo'], 2, 'there is no command "shwo"', 'did you mean show?');
  refuses(['--json', 'show'], 2, '--json stands where the command should', 'losslog --help lists the commands');
  refuses(['show', '--sinse', '-2h'], 2, 'there is no flag --sinse', 'did you mean --since?');
  refuses(['show', 'json'], 2, 'show does not take "json"', 'did you mean --json?');
  refuses(
    ['show', '--peer', '10.0.0.300'],
    2,
    '--peer: "10.0.0.300" is not an IP address or CIDR block',
    'give it like 10.1.2.3, 10.0.0.0/8 or 2001:db8::/32',
  );
  refuses(['show', '--port', '70000'], 2, '--port: "70000" is not a port', 'give a whole number from 0 to 65535');
  refuses(['show', '--cause', 'fats'], 2, '--cause: "fats" is not a cause', 'did you mean fast?');
  refuses(
    ['top'],
    2,
    '--by is missing',
    'give --by DIM: one of peer, process, container, netns, reason, cause, location',
  );
  refuses(
    ['record', '--for', 'soon'],
    2,
    '--for: "soon" is not a duration',
    'give it like 10s, 5m, 1h30m, 2d or 500ms',
  );
  refuses(['record', '--max-size=big'], 2, '--max-size: "big" is not a size', 'give it like 512M, 1G or 1GiB');
  refuses(['completion'], 2, 'completion needs SHELL', 'one of bash, zsh');
  refuses(['help', 'recrod'], 2, '"recrod" is not a command', 'did you mean record?');
});

test('a bad time tells how to write one', () => {
  refuses(
    ['show', '--since', 'teatime'],
    2,
    '--since: "teatime" is not a time',
    'give it like "2026-11-22 20:15", 20:15, -2h, now, today, yesterday, "yesterday 14:05" or "last thursday 14:05"',
  );
  refuses(
    ['show', '--since', '2026-11-22 20:15', '--until', '2026-11-22 20:15'],
    2,
    '--since 2026-11-22 20:15:00 is not before --until 2026-11-22 20:15:00',
    'a time of day is the latest one that has passed; give the date too',
  );
});

test('an argument cannot send control characters to the terminal', () => {
  const { stderr } = losslog(['\x1b[2J']);
  assert.match(stderr, /^losslog: there is no command "\\x1b\[2J"\n/);
});

test('help and version', () => {
  const overview = losslog(['--help']);
  assert.equal(overview.status, 0);
  assert.equal(overview.stderr, '');
  for (const name of ['record', 'show', 'top', 'doctor'])
    assert.match(overview.stdout, new RegExp(`^  ${name} +\\S`, 'm'));
  assert.equal(losslog(['help']).stdout, overview.stdout);
  assert.equal(losslog(['help', 'show']).stdout, losslog(['show', '--peer', 'nonsense', '--help']).stdout);
  assert.match(losslog(['--version']).stdout, /^losslog \d+\.\d+\.\d+\n$/);
});

test('help fits a terminal of 80 columns, but for example commands', () => {
  for (const name of ['record', 'show', 'top', 'doctor', 'help', 'completion']) {
    const { stdout } = losslog(['help', name]);
    const [text = ''] = stdout.split('\nExamples:\n');
    assert.deepEqual(
      text.split('\n').filter((line) => line.length > 80),
      [],
      name,
    );
  }
});

test('a store that is not there', () => {
  const store = join(dir, 'none');
  for (const args of [['show'], ['top', '--by', 'peer']]) {
    const { status, stdout, stderr } = losslog([...args, '--store', store]);
    assert.deepEqual([status, stdout], [1, '']);
    assert.match(stderr, /^losslog: .*\/none.*\n {2}hint: .*record.*\n$/);
  }
  assert.match(losslog(['show'], { LOSSLOG_STORE: store }).stderr, /^losslog: .*\/none/);
});

test('a namespace that is not there', () => {
  const { status, stderr } = losslog(['show', '--store', dir, '--netns', 'no-such-netns']);
  assert.equal(status, 1);
  assert.match(stderr, /^losslog: there is no network namespace "no-such-netns"\n {2}hint: /);
});
