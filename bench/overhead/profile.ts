/** Where a recorder at work spends its CPU time, by samples of its stacks. */

import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { run } from '../../lab/command.ts';
import { LabProcess } from '../../lab/process.ts';
import { Recorder } from '../../lab/recorder.ts';
import { getOrMake } from '../../src/base/map.ts';
import type { Load } from './loads.ts';
import type { SteadyOptions } from './steady.ts';

/** What a stack belongs to: the first whose pattern is in it. */
const PARTS: readonly (readonly [string, RegExp])[] = [
  ['V8’s threads: compiling, collecting garbage', /^V8Worker/],
  ['store', /src\/store\//],
  ['owners, namespaces', /src\/enrich\//],
  ['drain and decode', /src\/(bpf|wire|capture)\//],
  ['handing over, comparison with the counters', /src\/(recorder|linux)\//],
];
const REST = 'Node.js: loop, timers, garbage of the main thread';

/** Names of JavaScript functions in perf's stacks (Node.js writes /tmp/perf-PID.map). */
const NODE_OPTIONS = '--perf-basic-prof --interpreted-frames-native-stack';
const SAMPLES_A_SECOND = 2500;

/** Shares of the samples in `perf script -F comm,ip,sym`: a line of the thread, then one for each frame, then an empty one. */
export function sharesOf(script: string): Record<string, number> {
  const samples = script.split(/\n\s*\n/).filter((sample) => sample.trim() !== '');
  const counts = new Map<string, number>();
  for (const sample of samples) {
    const part = PARTS.find(([, pattern]) => pattern.test(sample.trimStart()))?.[0] ?? REST;
    counts.set(part, (counts.get(part) ?? 0) + 1);
  }
  const sorted = [...counts].sort(([, a], [, b]) => b - a);
  return Object.fromEntries(sorted.map(([part, count]) => [part, count / samples.length]));
}

/** A source's name stands in the bundle above what came from it: `// src/store/writer.ts`. */
export function withSources(script: string, linesOf: (bundle: string) => readonly string[]): string {
  return script.replace(/(\S+\/build\/program\/[\w-]+\.cjs):(\d+):\d+/g, (place, bundle: string, line: string) => {
    const above = linesOf(bundle).slice(0, Number(line));
    return above.findLast((text) => text.startsWith('// src/'))?.slice(3) ?? place;
  });
}

/** @param load one that resends all the time, as for steady(): the samples are taken when the recorder is warm */
export async function profileOf(
  load: Load,
  { warmSeconds, windows, windowSeconds }: SteadyOptions,
): Promise<Record<string, number>> {
  const directory = mkdtempSync(join(tmpdir(), 'losslog-bench-'));
  const file = join(directory, 'perf.data');
  try {
    await using recorder = await Recorder.start({
      hosts: load.hosts,
      limited: true,
      args: ['--no-drops'],
      environment: { NODE_OPTIONS },
    });
    const { pid } = recorder.process;
    const traffic = load.run();
    await sleep(warmSeconds * 1000);
    const rate = ['-F', String(SAMPLES_A_SECOND), '-e', 'cpu-clock', '-g'];
    const perf = new LabProcess(['perf', 'record', ...rate, '-p', String(pid), '-o', file]);
    await sleep(windows * windowSeconds * 1000);
    perf.signal('SIGINT');
    await perf.wait();
    await traffic;
    // At its end Node.js has written all the names.
    await recorder.stop();
    const script = run('perf', 'script', '-i', file, '-F', 'comm,ip,sym');
    rmSync(`/tmp/perf-${pid}.map`, { force: true });
    const bundles = new Map<string, string[]>();
    const linesOf = (bundle: string): string[] =>
      getOrMake(bundles, bundle, () => readFileSync(bundle, 'utf8').split('\n'));
    return sharesOf(withSources(script, linesOf));
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
