/** What `offset` and `probes` say, against pahole and perf. */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { LOSSLOG } from '../lab/recorder.ts';
import { requires } from './helpers/requires.ts';

function run(program: string, ...args: string[]): string {
  const { status, stdout, stderr } = spawnSync(program, args, {
    encoding: 'utf8',
    timeout: 60_000,
    maxBuffer: 1 << 28,
  });
  assert.equal(status, 0, stderr.slice(0, 500));
  return stdout;
}

interface Member {
  field: string;
  offset: number;
  size: number;
  bitOffset?: number;
  bitSize?: number;
}

const offsets = (...args: string[]): Member[] =>
  run(LOSSLOG, 'offset', '--json', ...args)
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Member);

/** `icsk_ca_state:5; / * 1248: 5  1 * /` of a member of the outermost level, which pahole indents once. */
const PAHOLE =
  /^\t(?:[^\t/].*?)\(?\*?(\w+)(?:\[[^\]]*\])*(?:\)\(.*\))?(?::(\d+))?;\s*\/\*\s*(\d+)(?::\s*(\d+))?\s+(\d+)\s*\*\//;

/** Members of the outermost level that have a name, as pahole prints them. */
function paholeMembers(struct: string): Member[] {
  const text = run('pahole', '-C', struct, '--suppress_aligned_attribute', '/sys/kernel/btf/vmlinux');
  return text.split('\n').flatMap((line) => {
    const [, field, bitSize, offset, bitOffset, size] = PAHOLE.exec(line) ?? [];
    if (field === undefined) return [];
    const bits = bitSize === undefined ? {} : { bitOffset: Number(bitOffset), bitSize: Number(bitSize) };
    return [{ field, offset: Number(offset), size: Number(size), ...bits }];
  });
}

for (const struct of [
  'sock',
  'inet_sock',
  'inet_connection_sock',
  'tcp_sock',
  'request_sock',
  'sk_buff',
  'net_device',
  'net',
  'task_struct',
]) {
  test(`members of struct ${struct} are where pahole finds them`, requires('btf', 'pahole'), () => {
    const expected = paholeMembers(struct);
    assert.ok(expected.length > 5, `pahole tells ${expected.length} members`);
    const ours = new Map(offsets(`struct ${struct}`).map((member) => [member.field, member]));
    for (const member of expected) {
      const { offset, size, bitOffset, bitSize } = ours.get(member.field) ?? assert.fail(`${member.field} is missing`);
      assert.deepEqual(
        { field: member.field, offset, size, ...(bitSize === undefined ? {} : { bitOffset, bitSize }) },
        member,
      );
    }
  });
}

test('nested members, elements of arrays, and types of modules or typedefs', requires('btf'), () => {
  const [dport, daddr] = offsets('struct sock', '__sk_common.skc_dport', '__sk_common.skc_daddr');
  assert.deepEqual([dport?.offset, dport?.size, daddr?.offset, daddr?.size], [12, 2, 0, 4]);
  const [whole, third] = offsets('sk_buff', 'cb', 'cb[3]');
  assert.deepEqual([whole?.size, third?.size, (third?.offset ?? 0) - (whole?.offset ?? 0)], [48, 1, 3]);
  assert.equal(offsets('atomic_t', 'counter')[0]?.size, 4);
});

test('wrong names are answered with the nearest', requires('btf'), () => {
  for (const [args, message] of [
    [['struct sok'], /^losslog: there is no struct sok\n {2}hint: did you mean sock\?\n$/],
    [['struct sock', 'sk_udi'], /^losslog: struct sock has no member "sk_udi"\n {2}hint: did you mean sk_uid\?\n$/],
    [
      ['struct sock', 'sk_socket.file'],
      /sk_socket is a pointer, which an offset cannot follow\n {2}hint: .*'struct socket' file\n$/,
    ],
    [['struct sock', 'sk_uid..x'], /is not a path of members/],
    [
      ['--probe', 'tcp_retransmit_skp'],
      /^losslog: there is no function "tcp_retransmit_skp"\n {2}hint: did you mean tcp_retransmit_skb\?\n$/,
    ],
    [['--btf', '/nonexistent', 'x'], /^losslog: cannot read \/nonexistent/],
    [[], /^losslog: offset needs a TYPE or --probe FUNCTION\n/],
  ] as const) {
    const { status, stdout, stderr } = spawnSync(LOSSLOG, ['offset', ...args], { encoding: 'utf8' });
    assert.notEqual(status, 0);
    assert.equal(stdout, '');
    assert.match(stderr, message);
  }
});

test('registers of arguments', requires('btf'), () => {
  const registers = (arch: string): string[] =>
    run(LOSSLOG, 'offset', '--probe', 'tcp_retransmit_skb', '--arch', arch, '--json')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { place: string; argument: string })
      .map(({ place, argument }) => `${argument}=${place}`);
  assert.deepEqual(registers('x86_64'), ['sk=%di', 'skb=%si', 'segs=%dx']);
  assert.deepEqual(registers('arm64'), ['sk=%x0', 'skb=%x1', 'segs=%x2']);
});

test('probes: those that perf lists, with the fields of their format', requires('root', 'perf', 'ftrace'), () => {
  const lines = run(LOSSLOG, 'probes', '--json').trimEnd().split('\n');
  const ours = lines.map(
    (line) => JSON.parse(line) as { group: string; event: string; fields: unknown[]; used?: string },
  );
  const names = new Set(ours.map(({ group, event }) => `${group}:${event}`));
  const listed = spawnSync(
    'unshare',
    ['-m', 'sh', '-c', 'mount -t tracefs tracefs /sys/kernel/tracing 2>/dev/null; perf list --raw-dump tracepoint'],
    {
      encoding: 'utf8',
    },
  ).stdout;
  const perf = listed.split(/\s+/).filter((name) => name.includes(':'));
  assert.ok(perf.length > 100, 'perf lists the tracepoints');
  assert.deepEqual(
    perf.filter((name) => !names.has(name)),
    [],
  );
  // perf leaves out the events of ftrace's own tracers.
  assert.deepEqual(
    [...names].filter((name) => !perf.includes(name) && !name.startsWith('ftrace:')),
    [],
  );
  const used = ours.filter((probe) => probe.used !== undefined).map(({ event }) => event);
  assert.ok(used.includes('tcp_retransmit_skb') && used.includes('kfree_skb') && used.includes('inet_sock_set_state'));
});

test('probes: a pattern, a word, and what matches nothing', requires('root', 'ftrace'), () => {
  const names = (pattern: string): string[] =>
    run(LOSSLOG, 'probes', pattern, '--json')
      .trimEnd()
      .split('\n')
      .map((line) => (JSON.parse(line) as { event: string }).event);
  assert.ok(names('tcp:*').includes('tcp_retransmit_skb'));
  assert.deepEqual(names('tcp:tcp_retransmit_s?b'), ['tcp_retransmit_skb']);
  assert.deepEqual(names('retransmit_sy'), ['tcp_retransmit_synack']);
  const { status, stderr } = spawnSync(LOSSLOG, ['probes', 'nothing:*'], { encoding: 'utf8' });
  assert.deepEqual([status, stderr.split('\n')[0]], [1, 'losslog: no tracepoint of this kernel matches "nothing:*"']);
  assert.match(
    run(LOSSLOG, 'probes', 'tcp_retransmit_skb'),
    /^tcp:tcp_retransmit_skb\n {2}used by losslog \(bpf, ftrace\): .*\n +\d+ +8 {2}const void \* skbaddr\n/,
  );
});

test('BTF of another kernel: a raw file and an object', requires('btf'), () => {
  const raw = offsets('--btf', '/sys/kernel/btf/vmlinux', 'struct sock', 'sk_uid');
  const own = offsets('struct sock', 'sk_uid');
  assert.deepEqual(
    raw.map(({ offset, size }) => [offset, size]),
    own.map(({ offset, size }) => [offset, size]),
  );
  const sample = new URL('../testdata/btf/sample.be.o', import.meta.url).pathname;
  assert.ok(readFileSync(sample).length > 0);
  assert.deepEqual(offsets('--btf', sample, 'struct sample_record', 'flow.dport')[0]?.offset, 42);
});

test('offsets of another kernel are printed as definitions, but not recorded with', requires('root', 'btf'), () => {
  const dir = mkdtempSync(join(tmpdir(), 'losslog-offsets-'));
  try {
    const file = join(dir, 'offsets.json');
    const lines = run(LOSSLOG, 'offset', '--kprobe', '--json');
    writeFileSync(file, lines.replace(/"kernel":"[^"]*"/g, '"kernel":"4.9.0-other"'));
    const printed = spawnSync(LOSSLOG, ['kprobe', '--print', '--offsets', file], { encoding: 'utf8' });
    assert.match(printed.stdout, / kfree_skb users=/, 'a function of old kernels');
    assert.match(printed.stderr, /^losslog: for Linux 4\.9\.0-other, /);
    const args = ['record', '--source', 'kprobe', '--offsets', file, '--store', join(dir, 'store'), '--for', '1s'];
    const { status, stderr } = spawnSync(LOSSLOG, args, { encoding: 'utf8' });
    assert.equal(status, 2);
    assert.match(stderr, /has the offsets of Linux 4\.9\.0-other; this is .*\n {2}hint: /);
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
});
