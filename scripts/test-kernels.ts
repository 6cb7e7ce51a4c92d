/**
 * npm run test:kernels: boots other kernels in virtual machines (lab/vm) and runs system tests inside. LOSSLOG_KERNELS
 * says which: `all` (the default), `oldest`, or series like `5.10,6.12`. Unpacked kernels are kept in build/kernels, or in
 * LOSSLOG_KERNEL_CACHE. LOSSLOG_MACHINES says how many machines run at once (2). Words behind `--` choose files of tests: `npm run test:kernels -- kprobe`. With all kernels
 * docs/compatibility.md is written from the last results of each, once there is one of every file on every kernel. The last line is `N passed, N failed, N skipped`.
 */

import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { succeeds } from '../lab/command.ts';
import { compiled, compiledBpf } from '../lab/compile.ts';
import { type Fetched, fetchKernels } from '../lab/vm/fetch.ts';
import { type Kernel, SERIES, type Series } from '../lab/vm/kernels.ts';
import { QEMU, runInMachine } from '../lab/vm/machine.ts';
import { VIRTIOFSD } from '../lab/vm/share.ts';
import { compatibilityPage, type KernelResult, resultOf } from './compatibility.ts';

const CHECKOUT = fileURLToPath(new URL('..', import.meta.url)).replace(/\/$/, '');
const PAGE = join(CHECKOUT, 'docs/compatibility.md');
const CACHE = process.env.LOSSLOG_KERNEL_CACHE ?? join(CHECKOUT, 'build/kernels');
/** As many machines as there are CPUs on the smallest host that this runs on; each has one. */
const AT_ONCE = Number(process.env.LOSSLOG_MACHINES ?? 2);
const TIMEOUT_MS = 20 * 60_000;

/** What runs inside, each in a machine of its own: tests that tell by themselves what a kernel lacks. */
const FILES = [
  'test/kernels/sources.test.ts',
  'test/kernels/drops.test.ts',
  'test/kernels/fentry.test.ts',
  'test/kernels/clock.test.ts',
  'test/summaries.test.ts',
  'test/retransmit.test.ts',
  'test/ftrace.test.ts',
  'test/kprobe.test.ts',
  'test/connection.test.ts',
] as const;
const RESULTS = join(CHECKOUT, 'build/kernel-results');

const commandOf = (file: string): string => `
cd '${CHECKOUT}' || exit
export PATH=$PWD/node_modules/.bin:$PATH NODE_COMPILE_CACHE=$PWD/build/compile-cache LOSSLOG_TEST_EMULATED=1
bin/losslog doctor --json >/vm/results/doctor.jsonl
node --disable-warning=ExperimentalWarning --test --test-concurrency=1 --test-timeout=600000 --test-force-exit ${file}
`;

function wanted(text = process.env.LOSSLOG_KERNELS ?? 'all'): readonly Series[] {
  if (text === 'all') return SERIES;
  if (text === 'oldest') return SERIES.slice(0, 1);
  const names = text.split(',');
  const unknown = names.filter((name) => !SERIES.some((series) => series.name === name));
  if (unknown.length === 0) return SERIES.filter(({ name }) => names.includes(name));
  console.error(
    `test:kernels: there is no kernel ${unknown.join(', ')}; there are ${SERIES.map(({ name }) => name).join(', ')}`,
  );
  process.exit(2);
}

/** Why no machine can run here; undefined when one can. */
function obstacle(): string | undefined {
  if (process.geteuid?.() !== 0) return 'needs root';
  for (const program of [QEMU, VIRTIOFSD, 'busybox', 'cpio', 'depmod', 'setpriv']) {
    const isThere = program.startsWith('/')
      ? succeeds('test', '-x', program)
      : succeeds('sh', '-c', `command -v ${program}`);
    if (!isThere) return `${program} is not installed`;
  }
  return undefined;
}

/** One file of tests on one kernel. */
interface Unit {
  readonly kernel: Kernel;
  readonly file: string;
}

const resultsOf = ({ series }: Kernel, file: string): string => join(RESULTS, series, basename(file, '.test.ts'));

async function runOne({ kernel, file }: Unit): Promise<void> {
  const results = resultsOf(kernel, file);
  const run = await runInMachine(kernel, {
    command: commandOf(file),
    checkout: CHECKOUT,
    results,
    timeoutMs: TIMEOUT_MS,
  });
  console.log(`\n${file} on ${kernel.release} (${Math.round(run.seconds)} s)\n${readOr(join(results, 'stdout'), '')}`);
  if (run.exitCode !== undefined) return;
  console.log(`the machine did not come to its end:\n${readOr(join(results, 'console.log'), '').slice(-2000)}`);
}

function readOr(path: string, missing: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return missing;
  }
}

/** What the last run of each file left, of this run or an earlier one. */
function storedResult(kernel: Kernel): KernelResult {
  const runs = FILES.map((file) => resultsOf(kernel, file))
    .filter((directory) => existsSync(directory))
    .map((directory) => ({
      hasEnded: existsSync(join(directory, 'exit-code')),
      stdout: readOr(join(directory, 'stdout'), ''),
      doctor: readOr(join(directory, 'doctor.jsonl'), ''),
    }));
  return resultOf(kernel, runs);
}

async function runAll(units: readonly Unit[]): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let at = next++; at < units.length; at = next++) await runOne(units[at] as Unit);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}

/** Files whose name has one of the words; all without words. */
function wantedFiles(words: readonly string[]): readonly string[] {
  return words.length === 0 ? FILES : FILES.filter((file) => words.some((word) => file.includes(word)));
}

/** Whether every file has left a result on every kernel, in this run or an earlier one: the page has no gaps then. */
const isWhole = (kernels: readonly Kernel[]): boolean =>
  kernels.length === SERIES.length &&
  kernels.every((kernel) => FILES.every((file) => existsSync(join(resultsOf(kernel, file), 'exit-code'))));

const series = wanted();
const why = obstacle();
const fetched: Fetched[] =
  why === undefined ? fetchKernels(series, CACHE) : series.map(({ name }) => ({ series: name, skipped: why }));
const kernels = fetched.filter((kernel): kernel is Kernel => !('skipped' in kernel));
const files = wantedFiles(process.argv.slice(2));
// Compiled here: a machine in software takes several times as long.
for (const program of ['blast', 'inject', 'split', 'tcp-info', 'no-offload']) compiled(program);
compiledBpf('test/kernels/fentry.bpf.c');
await runAll(kernels.flatMap((kernel) => files.map((file) => ({ kernel, file }))));

const results = kernels.map(storedResult);
const sum = (of: (result: KernelResult) => number): number => results.reduce((total, result) => total + of(result), 0);
let skipped = sum(({ tests }) => tests.skipped.length);
for (const kernel of fetched) {
  if (!('skipped' in kernel)) continue;
  skipped++;
  console.log(`SKIPPED ${kernel.series}: ${kernel.skipped}`);
}
if (isWhole(kernels)) writeFileSync(PAGE, compatibilityPage(results));
const failed = sum(({ tests, crashed }) => tests.failed.length + crashed);
console.log(`${sum(({ tests }) => tests.passed.length)} passed, ${failed} failed, ${skipped} skipped`);
process.exitCode = failed === 0 ? 0 : 1;
