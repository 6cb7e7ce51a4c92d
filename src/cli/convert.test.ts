import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { MAIN, NODE_FLAGS, losslog as run } from './run.test-util.ts';

const dir = mkdtempSync(join(tmpdir(), 'losslog-convert-'));
after(() => rmSync(dir, { recursive: true, force: true }));

const LOG = `          <idle>-0       [000] ..s. 2621728.977959: 0: tcp_retransmit port=37897 dst=831376843 state=1
           <...>-3202753 [000] ..s. 2622104.077378: 0: tcp_retransmit port=37897 dst=831376843 state=1
`;
/** So that the first line is of 2021-03-05 19:48:18.959403 +0800. */
const BOOT = ['--boot-time', '2021-02-03T03:32:49.981444Z'];
const JSON_LINES = `{"time":"2021-03-05T11:48:18.959403000Z","bootNs":2621728977959000,"kind":"retransmit","family":"ipv4","dst":"203.205.141.49","dport":2452,"cause":"unknown","state":"TCP_ESTABLISHED"}
{"time":"2021-03-05T11:54:34.058822000Z","bootNs":2622104077378000,"kind":"retransmit","family":"ipv4","dst":"203.205.141.49","dport":2452,"cause":"unknown","state":"TCP_ESTABLISHED"}
`;

function logFile(name: string, content: string | Buffer = LOG): string {
  const path = join(dir, name);
  writeFileSync(path, content);
  return path;
}

const convert = (...args: string[]) => run(['convert', ...args], { TZ: 'Asia/Shanghai' });

test('the example of two lines, as text and as JSON', () => {
  const file = logFile('two.txt');
  assert.deepEqual(convert(file, ...BOOT), {
    status: 0,
    stdout: `2021-03-05 19:48:18.959403 RETRANS unknown          ? > 203.205.141.49:2452  TCP_ESTABLISHED
2021-03-05 19:54:34.058822 RETRANS unknown          ? > 203.205.141.49:2452  TCP_ESTABLISHED
`,
    stderr: 'losslog: 2 events in 2 lines\n',
  });
  assert.equal(convert(file, '--json', ...BOOT).stdout, JSON_LINES);
  const local = convert(file, '--json', '--boot-time', '2021-02-03 11:32:49.981444');
  assert.equal(local.stdout, JSON_LINES);
});

test('packed logs', () => {
  for (const [name, bytes] of [
    ['two.gz', gzipSync(LOG)],
    ['two.zst', zstdCompressSync(LOG)],
  ] as const) {
    assert.equal(convert(logFile(name, bytes), '--json', ...BOOT).stdout, JSON_LINES);
  }
});

test('a log that cannot be of this boot has no wall-clock times unless they are given', () => {
  const file = logFile('old.txt');
  utimesSync(file, 1_600_000_000, 1_600_000_000);
  const { stdout, stderr } = convert(file, '--json');
  assert.equal(stdout, JSON_LINES.replaceAll(/"time":"[^"]*",/g, ''));
  assert.match(stderr, /^losslog: the log is not of this boot .*--boot-time/);
  assert.match(convert(file).stdout, /^boot\+2621728\.977959 RETRANS/);
  const { status, stderr: refused } = convert(file, '--store', join(dir, 'none'));
  assert.equal(status, 2);
  assert.match(refused, /losslog: a store needs wall-clock times, which this log has not\n {2}hint: give --boot-time/);
});

test('a log of this boot has the times of this host', () => {
  const file = logFile('now.txt', LOG.replaceAll(/\d{7}(?=\.)/g, '1'));
  const { stdout, stderr } = convert(file, '--json');
  assert.match(stderr, /^losslog: times are by this host's clock, as of a log of this boot \(since /);
  const time = Date.parse((JSON.parse(stdout.split('\n')[0] ?? '') as { time: string }).time);
  const bootedAt = Date.now() - Number(process.hrtime.bigint() / 1_000_000n);
  assert.ok(Math.abs(time - bootedAt - 1977) < 1000, stdout);
});

test('into a store that show and top answer from', () => {
  const store = join(dir, 'store');
  const lost = `${LOG.split('\n')[0]}\nCPU:0 [LOST 7 EVENTS]\n${LOG.split('\n')[1]}\nnoise\n`;
  const { status, stderr } = convert(logFile('lost.txt', lost), '--store', store, ...BOOT);
  assert.deepEqual(
    [status, stderr],
    [0, 'losslog: 2 events in 4 lines; 1 other line skipped; the trace buffer lost events in 1 place (7)\n'],
  );
  const shown = run(['show', '--store', store, '--json', '--kind', 'retransmit']);
  assert.equal(shown.stdout, JSON_LINES);
  const coverage = run(['show', '--store', store, '--json', '--kind', 'coverage']).stdout;
  const { from, until, state, count } = JSON.parse(coverage) as Record<string, unknown>;
  assert.deepEqual(
    [from, until, state, count],
    ['2021-03-05T11:48:18.959403000Z', '2021-03-05T11:54:34.058822000Z', 'lost', 7],
  );
  const top = run(['top', '--store', store, '--by', 'peer', '--json']).stdout;
  assert.deepEqual(JSON.parse(top), {
    by: 'peer',
    peer: '203.205.141.49',
    events: 2,
    retransmissions: 2,
    drops: 0,
    resets: 0,
  });
  // A log does not tell of how many segments a retransmission was.
  assert.match(run(['top', '--store', store, '--by', 'cause']).stdout, /\nunknown +2\+ +0 +0 +#{20}\n$/);
});

test('wrong use', () => {
  assert.deepEqual(convert(), {
    status: 2,
    stdout: '',
    stderr: 'losslog: convert needs FILE\n  hint: the log (also .gz, .zst), or - for standard input\n',
  });
  assert.match(convert(join(dir, 'missing')).stderr, /^losslog: there is no file .*missing\n {2}hint: /);
  assert.equal(convert(join(dir, 'missing')).status, 1);
  assert.match(convert(dir).stderr, /^losslog: cannot read .*EISDIR/);
  assert.match(
    convert(logFile('perf.data', 'PERFILE2\0\0\0'), ...BOOT).stderr,
    /^losslog: .*perf\.data is a binary recording of perf record\n {2}hint: make text of it: perf script -i .*perf\.data \| losslog convert -\n$/,
  );
  assert.match(convert(logFile('trace.dat', '\x17\x08Dtracing6\0'), ...BOOT).stderr, /hint: .*trace-cmd report -i /);
  assert.match(convert(logFile('torn.gz', 'no gzip at all'), ...BOOT).stderr, /^losslog: cannot read .*torn\.gz: /);
  assert.deepEqual(convert(logFile('empty.txt', '')).stderr, 'losslog: 0 events in 0 lines\n');
});

test('broken lines are told, ten of them one by one', () => {
  const file = logFile('broken.txt', LOG.replaceAll('37897', 'x').repeat(6) + LOG);
  const { status, stdout, stderr } = convert(file, '--json', ...BOOT);
  assert.deepEqual([status, stdout], [0, JSON_LINES]);
  const told = stderr.split('\n');
  assert.deepEqual(
    [told.length, told[0], told[10]],
    [12, 'losslog: line 1: port is "x"', 'losslog: 2 events in 14 lines; 12 broken'],
  );
});

test('stamps that are no times since boot', () => {
  const file = logFile('counter.txt', LOG.replaceAll(/\d{7}\.\d{6}/g, '4711'));
  const { stdout, stderr } = convert(file, '--json', ...BOOT);
  assert.equal(stdout, JSON_LINES.replaceAll(/"time":"[^"]*","bootNs":\d+,/g, ''));
  assert.match(stderr, /^losslog: its stamps are no times since boot .*\nlosslog: 2 events in 2 lines\n$/);
  assert.match(convert(file, ...BOOT).stdout, /^- RETRANS/);
  const { status, stderr: refused } = convert(file, '--store', join(dir, 'none'), ...BOOT);
  assert.equal(status, 2);
  assert.match(refused, /which this log has not\n {2}hint: its stamps are no times since boot/);
});

test('a log that ends after it was written is of another boot', () => {
  const [first = '', second = ''] = LOG.split('\n');
  const begun = first.replace('2621728', '1');
  const { stdout, stderr } = convert(logFile('ended.txt', `${begun}\n${second}\nnoise\n`), '--json');
  assert.match(stderr, /^losslog: the log is not of this boot/);
  assert.doesNotMatch(stdout, /"time"/);
  // Where the end tells nothing, it turns out while the log is read.
  const mixed = convert(logFile('mixed.txt', `${begun}\n${second}\n${begun}\n`), '--json');
  assert.match(
    mixed.stderr,
    /\nlosslog: 1 stamp lies after the log was written: it is of another boot, and its times are wrong;/,
  );
});

test('times beyond the calendar are left out', () => {
  const file = logFile('far.txt', LOG.replaceAll(/\d{7}(?=\.)/g, '9999999999'));
  const { status, stdout } = convert(file, '--json', '--boot-time', '9999-01-01T00:00:00Z');
  assert.equal(status, 0);
  assert.doesNotMatch(stdout, /"time"/);
  assert.match(stdout, /"bootNs":9999999999977959000,/);
});

test('standard input, and what CPUs wrote out of order, over many hours', () => {
  const store = join(dir, 'hours');
  const line = (seconds: number): string => (LOG.split('\n')[0] as string).replace('2621728', String(seconds));
  const hours = Array.from({ length: 30 }, (_, hour) => hour * 3600);
  const stamps = [...hours, ...hours.map((second) => second + 1).reverse()];
  const log = `${stamps.map((second) => line(1_000_000 + second)).join('\n')}\n`;
  const stdin = spawnSync(process.execPath, [...NODE_FLAGS, MAIN, 'convert', '-', '--store', store, ...BOOT], {
    input: log,
  });
  assert.equal(stdin.status, 0, stdin.stderr.toString());
  const shown = run(['show', '--store', store, '--json', '--kind', 'retransmit', '--limit', '0'])
    .stdout.trimEnd()
    .split('\n');
  const found = shown.map((text) => (JSON.parse(text) as { bootNs: number }).bootNs / 1e9 - 0.977959 - 1_000_000);
  assert.deepEqual(
    found.map(Math.round),
    [...stamps].sort((a, b) => a - b),
  );
  const again = convert(logFile('again.txt', log), '--store', store, ...BOOT);
  assert.equal(again.status, 1);
  assert.match(again.stderr, /holds this log already: .*converted from standard input\)\n {2}hint: give another store/);
  // Nothing is left to be done by a later writer.
  assert.deepEqual(
    readdirSync(store).filter((name) => name.endsWith('-wal')),
    [],
  );
});

test('a silent pipe: events come at once, and Ctrl-C ends in order', async () => {
  const child = spawn(process.execPath, [...NODE_FLAGS, MAIN, 'convert', '-', '--json', ...BOOT]);
  const told: string[] = [];
  child.stderr.on('data', (data) => told.push(String(data)));
  child.stdin.write(LOG);
  const [printed] = (await once(child.stdout, 'data')) as [Buffer];
  assert.equal(String(printed), JSON_LINES);
  child.kill('SIGINT');
  const [code] = (await once(child, 'close')) as [number];
  assert.deepEqual([code, told.join('')], [130, 'losslog: 2 events in 2 lines\n']);
});
