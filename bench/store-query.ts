/**
 * What the store costs and how fast it answers, on a million events with a fixed seed.
 *
 *     node --disable-warning=ExperimentalWarning bench/store-query.ts [EVENTS]
 *
 * Two stores: a day (24 slices, all but the last sealed) and a storm (everything within one hour, in parts). Latencies
 * are medians of five, once within a process and once of the command as a user runs it, start of Node included.
 */

import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { formatWall, NS_PER_DAY, NS_PER_HOUR, NS_PER_S, type WallNs, wallNs } from '../src/base/time.ts';
import { choice } from '../src/base/values.ts';
import { filterFlags, toFilter } from '../src/cli/filters.ts';
import { type FlagTable, parseFlags } from '../src/cli/flag.ts';
import { TOP_DIMENSIONS, type TopDimension } from '../src/event/filter.ts';
import { explainPeriod } from '../src/explain/explain.ts';
import { StoreReader } from '../src/store/reader.ts';
import { fill } from './filled-store.ts';

/** 2026-11-21T00:00:00Z */
const BEGIN = wallNs(1_795_219_200n * NS_PER_S);
const RUNS = 5;
const LOSSLOG = fileURLToPath(new URL('../bin/losslog', import.meta.url));
const queryFlags = {
  ...filterFlags,
  by: { type: 'value', placeholder: 'DIM', doc: 'of top', parse: choice('dimension', TOP_DIMENSIONS) },
} as const satisfies FlagTable;

/** Words of the command line after `losslog`; `--since half` stands for the middle of the store. */
const QUERIES = [
  'show',
  'show --since half --peer 192.168.11.100',
  'show --since begin --peer 192.168.11.100',
  'show --since half --peer 192.168.0.1',
  'show --since begin --peer 10.0.0.2',
  'show --peer 203.0.113.1',
  'show --peer 203.0.0.0/16',
  'show --pid 1017',
  'show --reason qdisc_drop --port 22',
  'top --by peer',
  'top --by process --since half',
  'top --by location',
  'why',
  'why --since half --peer 192.168.11.100',
];

function wordsOf(query: string, spanNs: bigint): string[] {
  const times: Record<string, WallNs> = { begin: BEGIN, half: wallNs(BEGIN + spanNs / 2n) };
  return query.split(' ').map((word) => (times[word] === undefined ? word : formatWall(times[word])));
}

/** What `show` and `top` ask of the store. */
function ask(dir: string, [command, ...words]: string[]): number {
  const reader = StoreReader.open(dir);
  try {
    const { values } = parseFlags(queryFlags, words, { now: BEGIN });
    const filter = toFilter(values);
    if (command === 'why') return explainPeriod(reader, filter, { now: (BEGIN + NS_PER_DAY) as WallNs }).length;
    if (command === 'top') return reader.top(filter, values.by as TopDimension, 20).length;
    const found = [...reader.events(filter, { order: 'newest', limit: 101 })].length;
    reader.countBenign(filter, 1000);
    reader.begins();
    return found;
  } finally {
    reader.close();
  }
}

function medianMs(run: () => void): number {
  const times = Array.from({ length: RUNS }, () => {
    const begin = performance.now();
    run();
    return performance.now() - begin;
  });
  return times.toSorted((a, b) => a - b)[RUNS >> 1] as number;
}

/** The command as a user runs it. */
function runCommand(dir: string, [command = '', ...words]: string[]): void {
  const { status, stderr } = spawnSync(LOSSLOG, [command, '--store', dir, ...words], {
    encoding: 'utf8',
    timeout: 60_000,
  });
  if (status !== 0) throw new Error(stderr);
}

async function report(name: string, count: number, spanNs: bigint): Promise<void> {
  const dir = mkdtempSync(join(tmpdir(), 'losslog-bench-'));
  try {
    const { cpuUs, bytes, slices } = await fill(dir, count, spanNs, BEGIN);
    console.log(`${name}: ${count} events in ${slices} slices`);
    console.log(`  write ${cpuUs.toFixed(2)} µs CPU an event (its thread), ${bytes.toFixed(0)} bytes an event`);
    const row = (query: string, ...cells: string[]) =>
      console.log(`  ${query.padEnd(40)}${cells.map((cell) => cell.padStart(12)).join('')}`);
    row('query', 'found', 'inside ms', 'process ms');
    for (const query of QUERIES) {
      const words = wordsOf(query, spanNs);
      const found = ask(dir, words);
      const inside = medianMs(() => ask(dir, words));
      const whole = medianMs(() => runCommand(dir, words));
      row(query, String(found), inside.toFixed(1), whole.toFixed(0));
    }
    row('(node alone)', '', '', medianMs(() => spawnSync(process.execPath, ['-e', '0'])).toFixed(0));
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

const count = Number(process.argv[2] ?? 1_000_000);
await report('day', count, 24n * NS_PER_HOUR);
await report('storm', count, NS_PER_HOUR - NS_PER_S);
