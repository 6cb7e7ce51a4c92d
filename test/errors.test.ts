/** Bad input, and hosts that lack something: one line, a hint, nothing on stdout, the right exit code. */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync, truncateSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { type TestContext, test } from 'node:test';
import { run } from '../lab/command.ts';
import { LOSSLOG, Recorder } from '../lab/recorder.ts';
import { requires } from './helpers/requires.ts';

const here = requires('root', 'btf');
const CHECKOUT = dirname(dirname(LOSSLOG));

interface Result {
  status: number | null;
  stdout: string;
  stderr: string;
}

function losslog(prefix: readonly string[], ...args: string[]): Result {
  const [program, ...rest] = [...prefix, LOSSLOG, ...args] as [string, ...string[]];
  return spawnSync(program, rest, { encoding: 'utf8', timeout: 30_000 });
}

/** Not a line more than the message and the hint. */
function assertError({ status, stdout, stderr }: Result, code: number, message: RegExp, hint: RegExp): void {
  assert.equal(status, code, stderr);
  assert.equal(stdout, '');
  const lines = stderr.split('\n');
  assert.equal(lines.length, 3, stderr);
  assert.match(lines[0] as string, message);
  assert.match(lines[0] as string, /^losslog: /);
  assert.match(lines[1] as string, hint);
  assert.match(lines[1] as string, /^ {2}hint: /);
  assert.equal(lines[2], '');
}

/** In front of a command: a mount namespace of its own, changed by a script. */
const mounted = (script: string): string[] => ['unshare', '-m', 'bash', '-ec', `${script}; exec "$@"`, 'bash'];
const withoutBtf = mounted('mount -t tmpfs none /sys/kernel/btf');
const withoutCapabilities = ['setpriv', '--inh-caps=-all', '--bounding-set=-all'];
const inUserNamespace = ['unshare', '-Ur'];
const inNewNetns = ['unshare', '--net'];

/** A recording of nothing, when it is in a network namespace of its own; the store follows. */
const BRIEFLY = ['record', '--for', '100ms', '--netns', '/proc/self/ns/net', '--store'];

function temporaryDirectory(t: TestContext): string {
  const dir = mkdtempSync(join(tmpdir(), 'losslog-errors-'));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

/** A store that holds one session, and its slice. */
function storeOfOneSlice(t: TestContext): { dir: string; slice: string } {
  const dir = temporaryDirectory(t);
  assert.equal(losslog(inNewNetns, ...BRIEFLY, dir).status, 0);
  const slice = readdirSync(dir).find((name) => name.endsWith('.db')) ?? assert.fail('no slice');
  return { dir, slice: join(dir, slice) };
}

const wrongUses: [args: string[], message: RegExp, hint: RegExp][] = [
  [[], /no command given/, /losslog --help/],
  [['recrod'], /there is no command "recrod"/, /did you mean record\?/],
  [['show', '--sinse', '-2h'], /--sinse/, /did you mean --since\?/],
  [['show', '--since', 'tomorrowish'], /--since: "tomorrowish" is not a time/, /"2026-11-22 20:15"/],
  [['show', '--since', '25:00'], /--since: "25:00" is not a time/, /20:15/],
  [['show', '--until', '2026-02-30'], /--until: "2026-02-30" is not a time/, /give it like/],
  [['show', '--peer', '10.0.0.300'], /--peer: "10\.0\.0\.300" is not an IP address/, /10\.1\.2\.3/],
  [['show', '--peer', '10.0.0.0/33'], /--peer: "10\.0\.0\.0\/33" is not an IP address/, /10\.0\.0\.0\/8/],
  [['show', '--peer', 'fe80::1::2'], /--peer: "fe80::1::2" is not an IP address/, /2001:db8::\/32/],
  [['show', '--port', '65536'], /--port: "65536"/, /./],
  [['show', '--kind', 'loss'], /--kind: "loss" is not a kind/, /retransmit, drop, reset/],
  [['top', '--by', 'moon'], /--by: "moon" is not a dimension/, /peer, process/],
  [['record', '--for', 'banana'], /--for: "banana" is not a duration/, /10s, 5m/],
  [['record', '--max-size', '1X'], /--max-size: "1X" is not a size/, /512M/],
  [['record', '--print=xml'], /--print: "xml" is not a form/, /text, json/],
];

for (const [args, message, hint] of wrongUses) {
  test(`wrong use: losslog ${args.join(' ')}`, () => assertError(losslog([], ...args), 2, message, hint));
}

const RECORD = ['record', '--for', '1s', '--store', '/nonexistent-losslog-test/store'];

test('record without capabilities', here, () => {
  assertError(
    losslog(withoutCapabilities, ...RECORD),
    3,
    /the kernel refused the BPF programs: EPERM/,
    /run it as root, or/,
  );
  const { status, stdout } = losslog(withoutCapabilities, 'doctor');
  assert.equal(status, 3);
  assert.match(stdout, /^missing {2}rights: without CAP_BPF and CAP_PERFMON\n.*run as root, or give the process/m);
});

test('record in a user namespace, where root is not root', here, (t) => {
  if (spawnSync('unshare', ['-Ur', 'true']).status !== 0) return t.skip('no user namespaces here');
  assertError(losslog(inUserNamespace, ...RECORD), 3, /the kernel refused the BPF programs: EPERM/, /losslog doctor/);
  const { status, stdout } = losslog(inUserNamespace, 'doctor');
  assert.equal(status, 3);
  assert.match(stdout, /^missing {2}rights: this is a user namespace/m);
});

/** `record` where BPF is not possible, and what doctor says of it. */
function assertRecordsByFtrace(t: TestContext, prefix: string[], why: RegExp): void {
  const { status, stderr } = losslog(prefix, 'record', '--for', '100ms', '--store', temporaryDirectory(t));
  assert.equal(status, 0, stderr);
  assert.match(stderr, new RegExp(`^losslog: recording by ftrace, which tells less, .*${why.source}`, 'm'));
  assert.match(stderr, /^losslog: recording to .* probes of ftrace, Linux/m);
  const doctor = losslog(prefix, 'doctor');
  assert.equal(doctor.status, 0, doctor.stdout);
  assert.match(doctor.stdout, /^ok {7}ftrace: /m);
}

test('record without BTF', here, (t) => {
  assertError(
    losslog(withoutBtf, ...RECORD, '--source', 'bpf'),
    3,
    /this kernel has no type information \(\/sys\/kernel\/btf\/vmlinux\)/,
    /CONFIG_DEBUG_INFO_BTF=y/,
  );
  const { stdout } = losslog(withoutBtf, 'doctor');
  assert.match(stdout, /^limited {2}BTF: this kernel has no type information/m);
  assertRecordsByFtrace(t, withoutBtf, /this kernel has no type information/);
});

test('record without libbpf', here, (t) => {
  const path = /libbpf\.so\.1 .*=> (\S+)/.exec(run('ldconfig', '-p'))?.[1];
  if (path === undefined) return t.skip('libbpf.so.1 is not in the cache of the linker');
  const withoutLibbpf = mounted(`mount --bind /dev/null "$(readlink -f ${path})"`);
  const withBpf = [...RECORD, '--source', 'bpf'];
  assertError(losslog(withoutLibbpf, ...withBpf), 3, /cannot load libbpf\.so\.1/, /apt-get install libbpf1/);
  const { stdout } = losslog(withoutLibbpf, 'doctor');
  assert.match(stdout, /^limited {2}libbpf: cannot load libbpf\.so\.1\n(?:.*\n)?.*apt-get install libbpf1/m);
  assertRecordsByFtrace(t, withoutLibbpf, /cannot load libbpf/);
});

test('a checkout that is not set up', here, () => {
  const withoutBuild = mounted(`mount -t tmpfs none ${join(CHECKOUT, 'build')}`);
  assertError(losslog(withoutBuild, ...RECORD), 3, /this checkout is not set up/, /npm run setup/);
});

test('record needs no tracefs', here, (t) => {
  const hide = ['/sys/kernel/tracing', '/sys/kernel/debug'].filter((path) => existsSync(path));
  const withoutTracefs = mounted(hide.map((path) => `mount -t tmpfs none ${path}`).join('; ') || 'true');
  const dir = temporaryDirectory(t);
  const silent = [...withoutTracefs, ...inNewNetns];
  const { status, stdout, stderr } = losslog(silent, ...BRIEFLY, dir);
  assert.equal(status, 0);
  assert.equal(stdout, '');
  assert.match(stderr, /^losslog: recording to .*\n$/);
  const doctor = losslog(withoutTracefs, 'doctor');
  assert.equal(doctor.status, 0);
  assert.match(doctor.stdout, /^ok {7}tracefs: tracefs is not mounted; recording does not need it$/m);
});

test('a network namespace that does not exist, or is none', here, () => {
  const record = (netns: string): Result => losslog([], ...RECORD, '--netns', netns);
  assertError(record('no-such-netns'), 1, /there is no network namespace "no-such-netns"/, /./);
  assertError(record('1'), 1, /no process is in network namespace 1, and it is mounted nowhere/, /give a name, or/);
  assertError(record('/proc/0/ns/net'), 1, /there is no network namespace at \/proc\/0\/ns\/net/, /./);
  assertError(record('/etc/passwd'), 1, /"\/etc\/passwd" is not a network namespace/, /./);
});

test('a store that cannot be written', here, (t) => {
  const dir = temporaryDirectory(t);
  const readOnly = mounted(`mount -t tmpfs -o ro none ${dir}`);
  const store = join(dir, 'store');
  const record = (prefix: string[], path: string): Result => losslog(prefix, 'record', '--for', '1s', '--store', path);
  assertError(record(readOnly, store), 3, /cannot write to the store .*EROFS/, /--store DIR/);
  assertError(record([], LOSSLOG), 1, /cannot make the store .*: it is not a directory/, /--store DIR/);
  const { status, stdout } = losslog(readOnly, 'doctor', '--store', store);
  assert.equal(status, 3);
  assert.match(stdout, /^missing {2}store: cannot write to .*: EROFS\n.*--store DIR/m);
});

test('a store that another recorder writes', here, async () => {
  await using recorder = await Recorder.start({ prefix: inNewNetns, args: ['--netns', '/proc/self/ns/net'] });
  const { pid } = recorder.process;
  const second = losslog([], 'record', '--for', '1s', '--store', recorder.storeDir);
  assertError(
    second,
    1,
    new RegExp(`${recorder.storeDir} is being written by process ${pid}$`),
    /stop that recorder first/,
  );
  await recorder.stop();
});

test('a store of a later release is neither read nor written', here, (t) => {
  const { dir, slice } = storeOfOneSlice(t);
  const db = new DatabaseSync(slice);
  db.exec('PRAGMA user_version = 99');
  db.close();
  const message = /has store format 99; this losslog knows up to \d+$/;
  for (const command of [['show'], ['top', '--by', 'peer'], ['record', '--for', '1s']]) {
    assertError(losslog([], ...command, '--store', dir), 1, message, /update losslog/);
  }
});

test('a store that is not there', () => {
  const store = ['--store', '/nonexistent-losslog-test/store'];
  assertError(
    losslog([], 'show', ...store),
    1,
    /there is no store at \/nonexistent-losslog-test\/store/,
    /losslog record/,
  );
  assertError(losslog([], 'show', '--store', LOSSLOG), 1, /is not a directory/, /--store DIR/);
});

test('a truncated slice is left out with a word, set aside, and recorded as lost', here, (t) => {
  const { dir, slice } = storeOfOneSlice(t);
  truncateSync(slice, 5000);
  const before = losslog([], 'show', '--store', dir);
  assert.equal(before.status, 0);
  assert.equal(before.stdout, '');
  assert.match(
    before.stderr,
    /^losslog: \S+\.db could not be read and is left out: database disk image is malformed$/m,
  );
  assert.equal(losslog(inNewNetns, ...BRIEFLY, dir).status, 0);
  assert.equal(existsSync(`${slice}.damaged`), true);
  const after = losslog([], 'show', '--kind', 'coverage', '--json', '--store', dir);
  const [lost, ...rest] = after.stdout
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as { state: string; why: string });
  assert.deepEqual(rest, []);
  assert.equal(lost?.state, 'lost');
  assert.match(lost?.why ?? '', /\.db is damaged \(database disk image is malformed\); set aside as \S+\.db\.damaged$/);
});

test('other sources: a kernel without kprobes, and tracefs without root', requires('root'), () => {
  const store = join(tmpdir(), 'losslog-errors-none');
  if (requires('kprobe').skip !== false) {
    const kprobe = losslog([], 'record', '--source', 'kprobe', '--store', store);
    assertError(kprobe, 3, /no kprobe events/, /CONFIG_KPROBE_EVENTS/);
  }
  const asNobody = ['setpriv', '--reuid', '65534', '--clear-groups'];
  for (const words of [['probes'], ['record', '--source', 'ftrace', '--store', store]])
    assertError(losslog(asNobody, ...words), 3, /tracefs cannot be read|cannot read .*tracing/, /run as root/);
  assert.ok(!existsSync(store));
});
