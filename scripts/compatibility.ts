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
];

/** Groups of tests by a word in their names, in the order of the columns; a test counts for the first that fits. */
const EXACT: readonly (readonly [column: string, is: (name: string) => boolean])[] = [
  ['kprobe = BPF', (name) => name.startsWith('kprobe')],
  ['ftrace = BPF', (name) => name.startsWith('ftrace')],
  ['drops = counters', (name) => name.startsWith('drops')],
  ['retransmissions = counters', () => true],
];

/** The page, with one row for each kernel. */
export function compatibilityPage(results: readonly KernelResult[]): string {
  const head = ['kernel', ...FACTS.map(([column]) => column), ...EXACT.map(([column]) => column)];
  const rows = results.map((result) => [
    result.release,
    ...FACTS.map(([, check]) => (result.checks.get(check) === 'ok' ? 'yes' : '–')),
    ...EXACT.map((_, column) => share(result.tests, column)),
  ]);
  const table = [head, head.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |`);
  return `# Compatibility

Made by \`LOSSLOG_KERNELS=all npm run test:kernels\`, which boots Debian's kernels under QEMU and runs system tests inside; do not edit it.

The first columns say what the kernel tells, by \`losslog doctor\`. The last say how many of the tests passed that compare what was recorded
with the kernel's own counters (TcpRetransSegs and the counters of each cause, firewall rules) or with another source, exactly. A test that a kernel cannot run is not counted.

${table.join('\n')}
`;
}

function share(tests: TestNames, column: number): string {
  const isOf = (name: string): boolean => EXACT.findIndex(([, is]) => is(name)) === column;
  const passed = tests.passed.filter(isOf).length;
  const all = passed + tests.failed.filter(isOf).length;
  return all === 0 ? '–' : `${passed} of ${all}`;
}
