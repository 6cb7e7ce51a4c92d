/**
 * What the store costs and how fast it answers, on events with a fixed seed.
 *
 *     node --disable-warning=ExperimentalWarning bench/store-query.ts [EVENTS [DIR]]
 *
 * Three stores: a day (24 slices, all but the last sealed), a storm (everything within one hour, in parts), and a day of five times as many
 * events. With DIR they are kept there and used again. Latencies are medians of nine: within a process, as a server answers, and of the command as
 * a user runs it, start of Node included; beside each such run one of `node -e 0`, which no command can be quicker than.
 */

import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { formatWall, NS_PER_DAY, NS_PER_HOUR, NS_PER_MINUTE, NS_PER_S, type WallNs, wallNs } from '../src/base/time.ts';
import { choice } from '../src/base/values.ts';
import { filterFlags, toFilter } from '../src/cli/filters.ts';
import { type FlagTable, parseFlags } from '../src/cli/flag.ts';
import { TOP_DIMENSIONS, type TopDimension } from '../src/event/filter.ts';
import { explainPeriod } from '../src/explain/explain.ts';
import { StoreReader } from '../src/store/reader.ts';
import { fill } from './filled-store.ts';

/** 2026-11-21T00:00:00Z */
const BEGIN = wallNs(1_795_219_200n * NS_PER_S);
const RUNS = 9;
const LOSSLOG = fileURLToPath(new URL('../bin/losslog', import.meta.url));
const queryFlags = {
  ...filterFlags,
  by: { type: 'value', placeholder: 'DIM', doc: 'of top', parse: choice('dimension', TOP_DIMENSIONS) },
} as const satisfies FlagTable;

interface Query {
  /**
   * Words of the command line after `losslog`; a number of hours, as in `--since 21h`, counts from the begin of the store. `series`, which is no command,
   * is what the page asks for: counts of each minute.
   */
  readonly words: string;
  /** What it shall stay below, in ms: the command as a whole, `series` within the server. */
  readonly targetMs?: number;
}

const TOPS = TOP_DIMENSIONS.map((by): Query => ({ words: `top --by ${by}`, targetMs: 100 }));

const DAY: readonly Query[] = [
  { words: 'show --since 21h --peer 192.168.11.100', targetMs: 100 },
  { words: 'show --since 12h --peer 192.168.11.100', targetMs: 100 },
  { words: 'show --since 0h --peer 192.168.11.100', targetMs: 100 },
  { words: 'show --since 12h --peer 192.168.0.1', targetMs: 100 },
  { words: 'show --since 0h --peer 10.0.0.2', targetMs: 100 },
  { words: 'show --since 0h --peer 203.0.113.1', targetMs: 100 },
  ...TOPS,
  { words: 'series', targetMs: 100 },
  { words: 'show' },
  { words: 'show --peer 203.0.0.0/16' },
  { words: 'show --pid 1017' },
  { words: 'show --reason qdisc_drop --port 22' },
  { words: 'top --by process --since 12h' },
  { words: 'why' },
  { words: 'why --since 12h --peer 192.168.11.100' },
];

/** All of it lies within one hour. */
const STORM: readonly Query[] = [
  { words: 'show --since 0h --peer 192.168.11.100' },
  { words: 'show --since 0h --peer 192.168.0.1' },
  ...TOPS.map(({ words }) => ({ words })),
  { words: 'why' },
];

const LARGE: readonly Query[] = [{ words: 'show --since 12h --until 12h10m --peer 192.168.11.100', targetMs: 50 }];

function wordsOf({ words }: Query): string[] {
  return words.split(' ').map((word) => {
    const [, hours, minutes = 0] = /^(\d+)h(?:(\d+)m)?$/.exec(word) ?? [];
    if (hours === undefined) return word;
    return formatWall(wallNs(BEGIN + BigInt(hours) * NS_PER_HOUR + BigInt(minutes) * NS_PER_MINUTE));
  });
}

/** What a command asks of the store. */
function ask(dir: string, [command, ...words]: string[]): number {
  const reader = StoreReader.open(dir);
  try {
    const { values } = parseFlags(queryFlags, words, { now: BEGIN });
    const filter = toFilter(values);
    if (command === 'why') return explainPeriod(reader, filter, { now: (BEGIN + NS_PER_DAY) as WallNs }).length;
    if (command === 'top') return reader.top(filter, values.by as TopDimension, 20).length;
    if (command === 'series') return reader.series({}, { from: BEGIN, stepNs: NS_PER_MINUTE, points: 24 * 60 }).length;
    const found = [...reader.events(filter, { order: 'newest', limit: 101 })].length;
    reader.countBenign(filter, 1000);
    reader.begins();
    return found;
  } finally {
    reader.close();
  }
}

function timeMs(run: () => void): number {
  const begin = performance.now();
  run();
  return performance.now() - begin;
}

const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1] as number;
const runs = <T>(run: () => T): T[] => Array.from({ length: RUNS }, run);

/** The command as a user runs it. */
function runCommand(dir: string, [command = '', ...words]: string[]): void {
  const { status, stderr } = spawnSync(LOSSLOG, [command, '--store', dir, ...words], {
    encoding: 'utf8',
    timeout: 60_000,
  });
  if (status !== 0) throw new Error(stderr);
}

const runNode = (): void => void spawnSync(process.execPath, ['-e', '0']);

const kept = process.argv[3];
const stores = kept ?? mkdtempSync(join(tmpdir(), 'losslog-bench-'));

async function filledStore(name: string, count: number, spanNs: bigint): Promise<string> {
  const dir = join(stores, `${name}-${count}`);
  if (existsSync(dir)) return dir;
  const unfinished = `${dir}.unfinished`;
  rmSync(unfinished, { recursive: true, force: true });
  mkdirSync(unfinished, { recursive: true });
  const { cpuUs, bytes, slices } = await fill(unfinished, count, spanNs, BEGIN);
  renameSync(unfinished, dir);
  console.log(`${name}: ${count} events in ${slices} slices`);
  console.log(`  write ${cpuUs.toFixed(2)} µs CPU an event (its thread), ${bytes.toFixed(0)} bytes an event`);
  return dir;
}

async function report(name: string, count: number, spanNs: bigint, queries: readonly Query[]): Promise<void> {
  const dir = await filledStore(name, count, spanNs);
  const row = (query: string, ...cells: string[]): void =>
    console.log(`  ${query.padEnd(56)}${cells.map((cell) => cell.padStart(12)).join('')}`);
  console.log(`${name}: ${count} events`);
  row('query', 'found', 'inside ms', 'process ms', 'node ms', 'target ms');
  for (const query of queries) {
    const words = wordsOf(query);
    const found = ask(dir, words);
    const inside = median(runs(() => timeMs(() => ask(dir, words))));
    const isCommand = words[0] !== 'series';
    const pairs = isCommand ? runs(() => [timeMs(() => runCommand(dir, words)), timeMs(runNode)] as const) : [];
    const whole = isCommand ? [0, 1].map((at) => median(pairs.map((pair) => pair[at as 0 | 1])).toFixed(0)) : ['', ''];
    row(
      query.words,
      String(found),
      inside.toFixed(1),
      ...whole,
      query.targetMs === undefined ? '' : `< ${query.targetMs}`,
    );
  }
}

const count = Number(process.argv[2] ?? 1_000_000);
try {
  await report('day', count, 24n * NS_PER_HOUR, DAY);
  await report('storm', count, NS_PER_HOUR - NS_PER_S, STORM);
  await report('large', 5 * count, 24n * NS_PER_HOUR, LARGE);
} finally {
  if (kept === undefined) rmSync(stores, { recursive: true, force: true });
}
