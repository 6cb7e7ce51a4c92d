/**
 * npm run test:kernels: boots other kernels in virtual machines (lab/vm) and runs system tests inside. LOSSLOG_KERNELS
 * says which: `all` (the default), `oldest`, or series like `5.10,6.12`. Unpacked kernels are kept in build/kernels, or in
 * LOSSLOG_KERNEL_CACHE. With all of them docs/compatibility.md is written anew. The last line is `N passed, N failed, N skipped`.
 */

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { succeeds } from '../lab/command.ts';
import { type Fetched, fetchKernels } from '../lab/vm/fetch.ts';
import { type Kernel, SERIES, type Series } from '../lab/vm/kernels.ts';
import { QEMU, runInMachine } from '../lab/vm/machine.ts';
import { VIRTIOFSD } from '../lab/vm/share.ts';
import { compatibilityPage, type KernelResult, resultOf } from './compatibility.ts';

const CHECKOUT = fileURLToPath(new URL('..', import.meta.url)).replace(/\/$/, '');
const PAGE = join(CHECKOUT, 'docs/compatibility.md');
const CACHE = process.env.LOSSLOG_KERNEL_CACHE ?? join(CHECKOUT, 'build/kernels');
/** As many machines as there are CPUs on the smallest host that this runs on; each has one. */
const AT_ONCE = 2;
const TIMEOUT_MS = 20 * 60_000;

/** What runs inside, on every kernel: the tests that tell by themselves what a kernel lacks. */
const FILES = ['test/retransmit.test.ts', 'test/kprobe.test.ts', 'test/kernels/drops.test.ts'];

const COMMAND = `
cd '${CHECKOUT}' || exit
export PATH=$PWD/node_modules/.bin:$PATH NODE_COMPILE_CACHE=/run/compile-cache
bin/losslog doctor --json >/vm/results/doctor.jsonl
node --disable-warning=ExperimentalWarning --test --test-concurrency=1 --test-timeout=300000 --test-force-exit ${FILES.join(' ')}
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

async function runOne(fetched: Fetched): Promise<KernelResult> {
  if ('skipped' in fetched) return { series: fetched.series, skipped: fetched.skipped };
  const results = join(CHECKOUT, 'build/kernel-results', fetched.series);
  const run = await runInMachine(fetched as Kernel, {
    command: COMMAND,
    checkout: CHECKOUT,
    results,
    timeoutMs: TIMEOUT_MS,
  });
  const read = (file: string): string => {
    try {
      return readFileSync(join(results, file), 'utf8');
    } catch {
      return '';
    }
  };
  const result = resultOf(fetched, run.exitCode, read('stdout'), read('doctor.jsonl'));
  console.log(`\n${fetched.release} (${Math.round(run.seconds)} s)\n${read('stdout')}`);
  if (run.exitCode === undefined)
    console.log(`the machine did not come to its end:\n${read('console.log').slice(-2000)}`);
  return result;
}

/** Two machines at a time; the results in the order of the kernels. */
async function runAll(kernels: readonly Fetched[]): Promise<KernelResult[]> {
  const results: KernelResult[] = [];
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let at = next++; at < kernels.length; at = next++) results[at] = await runOne(kernels[at] as Fetched);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  return results;
}

const series = wanted();
const why = obstacle();
const results =
  why === undefined
    ? await runAll(fetchKernels(series, CACHE))
    : series.map(({ name }) => ({ series: name, skipped: why }));
for (const { series: name, skipped } of results) if (skipped !== undefined) console.log(`SKIPPED ${name}: ${skipped}`);
if (series === SERIES && results.every(({ skipped }) => skipped === undefined))
  writeFileSync(PAGE, compatibilityPage(results));
const sum = (of: (result: KernelResult) => number): number => results.reduce((total, result) => total + of(result), 0);
const failed = sum(({ tests, skipped }) => (tests?.failed.length ?? 0) + (skipped === undefined && !tests ? 1 : 0));
const skipped = sum(({ tests, skipped: reason }) => (tests?.skipped.length ?? 0) + (reason === undefined ? 0 : 1));
console.log(`${sum(({ tests }) => tests?.passed.length ?? 0)} passed, ${failed} failed, ${skipped} skipped`);
process.exitCode = failed === 0 ? 0 : 1;
