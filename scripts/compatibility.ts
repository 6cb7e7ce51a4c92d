/** The results of tests on many kernels as a page of docs/. Pure. */

import type { Kernel } from '../lab/vm/kernels.ts';

/** Names of tests by how they ended. */
export interface TestNames {
  readonly passed: readonly string[];
  readonly failed: readonly string[];
  readonly skipped: readonly string[];
}

/** One file of tests in a machine. */
export interface Run {
  /** The machine came to its end. */
  readonly hasEnded: boolean;
  /** Of Node's spec reporter. */
  readonly stdout: string;
  /** Of `losslog doctor --json`. */
  readonly doctor: string;
}

export interface KernelResult {
  readonly release: string;
  readonly tests: TestNames;
  /** Machines that crashed, hung or were cut off. */
  readonly crashed: number;
  /** State of each check of `losslog doctor`, by its name. */
  readonly checks: ReadonlyMap<string, string>;
}

const MARKS = { '✔': 'passed', '✖': 'failed', '﹣': 'skipped' } as const;

export function resultOf({ release }: Pick<Kernel, 'release'>, runs: readonly Run[]): KernelResult {
  const tests: Record<keyof TestNames, string[]> = { passed: [], failed: [], skipped: [] };
  for (const { stdout } of runs) {
    const results = stdout.split('\n✖ failing tests:')[0] as string;
    for (const [, mark, name] of results.matchAll(/^(✔|✖|﹣) (.*?) \(\d[\d.]*ms\)/gm)) {
      tests[MARKS[mark as keyof typeof MARKS]].push(name as string);
    }
  }
  const lines = runs.flatMap(({ doctor }) => doctor.split('\n').filter((line) => line.startsWith('{')));
  const checks = lines.map((line) => JSON.parse(line) as { name: string; state: string });
  return {
    release,
    tests,
    crashed: runs.filter(({ hasEnded }) => !hasEnded).length,
    checks: new Map(checks.map(({ name, state }) => [name, state])),
  };
}

/** What doctor is asked, and how the column is called. */
const FACTS: readonly (readonly [column: string, check: string])[] = [
  ['drop reason', 'reason of kfree_skb'],
  ['rx_sk', 'rx_sk of kfree_skb'],
  ['err', 'err of tcp_retransmit_skb'],
  ['SYN-ACK', 'tcp_retransmit_synack'],
  ['reset reason', 'reason of tcp_send_reset'],
  ['cookie', 'bpf_get_socket_cookie()'],
  ['ftrace', 'ftrace'],
  ['kprobe', 'kprobe'],
];

interface Group {
  readonly column: string;
  /** A check of doctor without which the tests that compare all sources say nothing of this one. */
  readonly needs?: string;
  /** By a word at the begin of a test's name. */
  readonly words: readonly string[];
}

/** What is exact: the tests of each source. Those named `sources` compare all that the kernel has. */
const EXACT: readonly Group[] = [
  { column: 'BPF = counters', words: ['sources', 'drops', 'retransmissions'] },
  { column: 'ftrace = BPF', needs: 'ftrace', words: ['sources', 'ftrace'] },
  { column: 'kprobe = BPF', needs: 'kprobe', words: ['sources', 'kprobe'] },
  { column: 'connection = TCP_INFO', words: ['connection'] },
];

/** Not used by losslog; found out by a test, since only a running program tells. */
const TRAMPOLINE = 'fentry';

const isOf = (name: string, word: string): boolean => name.startsWith(`${word}:`);

/** The page, with one row for each kernel. */
export function compatibilityPage(results: readonly KernelResult[]): string {
  const head = ['kernel', ...FACTS.map(([column]) => column), TRAMPOLINE, ...EXACT.map(({ column }) => column)];
  const rows = results.map((result) => [
    result.release,
    ...FACTS.map(([, check]) => yes(result.checks.get(check) === 'ok')),
    yes(result.tests.passed.some((name) => isOf(name, TRAMPOLINE))),
    ...EXACT.map((group) => share(result, group)),
  ]);
  const table = [head, head.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |`);
  return `# Compatibility

Made by \`LOSSLOG_KERNELS=all npm run test:kernels\`, which boots Debian's kernels under QEMU and runs system tests inside; do not edit it.

The first columns say what the kernel tells, by \`losslog doctor\`; fentry is not used by losslog. The last say how many of the tests passed that compare each source's events,
exactly: those of BPF with the kernel's own counters (TcpRetransSegs and the counters of each cause, those of firewall rules and queues), those of ftrace and kprobe with BPF's,
field by field; those of ended connections with what TCP_INFO says of them. Losses are made by netem and by iptables. A test that a kernel cannot run, or that did not run on it, is not
counted.

${table.join('\n')}
`;
}

const yes = (is: boolean): string => (is ? 'yes' : '–');

function share({ tests, checks }: KernelResult, { needs, words }: Group): string {
  if (needs !== undefined && checks.get(needs) !== 'ok') return '–';
  const countOf = (names: readonly string[]): number =>
    names.filter((name) => words.some((word) => isOf(name, word))).length;
  const passed = countOf(tests.passed);
  const all = passed + countOf(tests.failed);
  return all === 0 ? '–' : `${passed} of ${all}`;
}
