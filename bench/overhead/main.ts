/**
 * What recording lost packets costs: losslog, the other tools, and none, on the same loads in one run.
 *
 *     npm run bench:overhead -- [--quick] [--write] [--results FILE] [--only PART]...
 *
 * Prints tables; with --write they become docs/overhead.md. With --results what is measured is kept in FILE part by part, and not measured
 * again by the next run, which thus goes on where one ended; --only names parts to measure now. In each round every load runs alone, beside each contestant, and alone
 * again. Takes some twenty minutes of a machine that does nothing else; --quick four, for work on the benchmark itself. Needs root and
 * cgroup version 2, bpftrace, perf, tshark and iperf3 (`scripts/setup.sh bench`).
 */

import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, release, totalmem } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { succeeds } from '../../lab/command.ts';
import { Lab } from '../../lab/lab.ts';
import { exitCodeOf, LosslogError, messageOf } from '../../src/base/errors.ts';
import { packagedTools } from '../packaged.ts';
import { bpftrace } from './contestants/bpftrace.ts';
import { capture } from './contestants/capture.ts';
import type { Contestant } from './contestants/contestant.ts';
import { ftrace } from './contestants/ftrace.ts';
import { losslog } from './contestants/losslog.ts';
import { perf } from './contestants/perf.ts';
import { drains } from './drain.ts';
import { idle } from './idle.ts';
import { bulk, drizzle, flood, type Load } from './loads.ts';
import { alone, beside, type PlayOptions, type Sample } from './measure.ts';
import { profileOf } from './profile.ts';
import { programTime } from './program-time.ts';
import { page } from './report.ts';
import { ALONE, ALONE_AGAIN, type ProgramTimes, type Results, type Samples } from './results.ts';
import { startUp } from './start-up.ts';
import { rotated } from './statistics.ts';
import { type SteadyOptions, steady, steadySeconds } from './steady.ts';

const PARTS = ['about', 'flood', 'bulk', 'steady', 'profile', 'drain', 'programs', 'startUp', 'idle'] as const;
const PAGE = fileURLToPath(new URL('../../docs/overhead.md', import.meta.url));
const CONTESTANTS: readonly Contestant[] = [losslog, bpftrace, perf, ftrace, capture];
/** Those that tell of drops. */
const TRACERS = CONTESTANTS.filter((contestant) => contestant !== capture);

/** After the warm seconds hardly anything is compiled any more. */
const STEADY: SteadyOptions = { warmSeconds: 10, windows: 5, windowSeconds: 2 };
const QUICK_STEADY: SteadyOptions = { warmSeconds: 2, windows: 2, windowSeconds: 1 };

const FULL = {
  steady: STEADY,

  rounds: 5,
  cleanSeconds: 3,
  lossySeconds: 2,
  floodPackets: 600_000,
  restSeconds: 150,
  idleIntervals: 5,
  startSeconds: 3,
};
const QUICK = {
  ...FULL,
  steady: QUICK_STEADY,
  rounds: 1,
  cleanSeconds: 1,
  lossySeconds: 2,
  floodPackets: 400_000,
  restSeconds: 20,
  idleIntervals: 2,
};
/** Drops a second while a contestant starts. */
const START_RATE = 2000;
/** Whatever is done every five or ten seconds is done equally often in each interval. */
const IDLE_SECONDS = 20;

const say = (text: string): void => void process.stderr.write(`overhead: ${text}\n`);

function needInstalled(): void {
  const missing = ['bpftrace', 'perf', 'tshark', 'dumpcap', 'mergecap', 'iperf3'].filter(
    (name) => !succeeds('which', name),
  );
  if (missing.length === 0) return;
  throw new LosslogError('NOT_SUPPORTED', `not installed: ${missing.join(', ')}`, {
    hint: 'sudo scripts/setup.sh bench',
  });
}

async function rounds(lab: Lab, name: string, load: Load, count: number, options: PlayOptions): Promise<Samples> {
  const samples: Record<string, Sample[]> = {};
  for (let round = 0; round < count; round++) {
    const runs = [
      ...[ALONE, ALONE_AGAIN].map((label) => [label, () => alone(load, options)] as const),
      ...CONTESTANTS.map((contestant) => [contestant.name, () => beside(lab, load, contestant, options)] as const),
    ];
    for (const [label, run] of rotated(runs, round)) {
      say(`${name}, round ${round + 1} of ${count}: ${label}`);
      samples[label] = [...(samples[label] ?? []), await run()];
    }
  }
  return samples;
}

/** Runs of their own, since the kernel's measuring slows down what it measures. */
async function programTimes(lab: Lab, bulkLoad: Load, floodLoad: Load): Promise<ProgramTimes[]> {
  const drops = drizzle(lab, { count: 9000, rate: 4500, subnet: 4 });
  const { before: _, ...resent } = bulkLoad;
  const times: ProgramTimes[] = [];
  for (const [contestant, sameFields] of [[losslog], [bpftrace], [bpftrace, true]] as const) {
    const label = sameFields ? `${contestant.name}, the fields of losslog` : contestant.name;
    say(`time in BPF: ${label}`);
    const options = { sameFields: sameFields === true };
    times.push({
      contestant: label,
      retransmission: await programTime(lab, resent, contestant, 'segments', options),
      recordedDrop: await programTime(lab, drops, contestant, 'drops', { ...options, unlimited: true }),
      ...(!sameFields && { floodDrop: await programTime(lab, floodLoad, contestant, 'drops', options) }),
    });
  }
  return times;
}

/** The same for each contestant, once it is warm; and where losslog's time goes then. */
async function steadies(lab: Lab, options: SteadyOptions): Promise<Pick<Results, 'steady' | 'profile'>> {
  const { before: _, ...load } = bulk(lab, { cleanSeconds: 0, lossySeconds: steadySeconds(options) });
  const results: Record<string, Results['steady'][string]> = {};
  for (const contestant of TRACERS) {
    say(`steady: ${contestant.name}`);
    results[contestant.name] = await steady(lab, load, contestant, options);
  }
  say('steady: profile');
  return { steady: results, profile: await profileOf(load, options) };
}

async function startUps(lab: Lab, count: number, seconds: number): Promise<Record<string, number[]>> {
  const load = drizzle(lab, { count: START_RATE * seconds, rate: START_RATE, subnet: 5 });
  const results: Record<string, number[]> = {};
  for (let round = 0; round < count; round++) {
    say(`start, round ${round + 1} of ${count}`);
    for (const contestant of TRACERS) {
      const took = await startUp(lab, load, contestant, START_RATE);
      if (took !== undefined) results[contestant.name] = [...(results[contestant.name] ?? []), took];
    }
  }
  return results;
}

function about(command: string, { rounds, restSeconds }: typeof FULL): Results['about'] {
  const [first] = cpus();
  return {
    date: new Date().toISOString().slice(0, 10),
    command,
    kernel: release(),
    machine: `${cpus().length} × ${first?.model.trim()}, ${Math.round(totalmem() / 2 ** 30)} GiB`,
    load: loadavg()[0] ?? 0,
    contestants: CONTESTANTS,
    absent: packagedTools().filter(({ error }) => error !== undefined),
    rounds,
    restSeconds,
  };
}

/** Each part in the order of measuring; a part may hold several results. */
function partsOf(lab: Lab, size: typeof FULL, command: string): Record<string, () => Promise<Partial<Results>>> {
  const bulkLoad = bulk(lab, size);
  const floodLoad = flood(lab, size.floodPackets);
  const intervals = { restSeconds: size.restSeconds, intervals: size.idleIntervals, seconds: IDLE_SECONDS };
  return {
    about: async () => ({ about: about(command, size) }),
    flood: async () => ({ flood: await rounds(lab, 'flood', floodLoad, size.rounds, { countEvents: false }) }),
    bulk: async () => ({ bulk: await rounds(lab, 'bulk', bulkLoad, size.rounds, { countEvents: true }) }),
    steady: () => steadies(lab, size.steady),
    drain: async () => ({ drain: await drains(lab) }),
    programs: async () => ({ programs: await programTimes(lab, bulkLoad, floodLoad) }),
    startUp: async () => ({ startUp: await startUps(lab, size.rounds, size.startSeconds) }),
    idle: async () => ({ idle: await idle(lab, bulkLoad, CONTESTANTS, intervals) }),
  };
}

/** @param keep where results are kept as they come; what is there already is not measured again */
async function measure(
  size: typeof FULL,
  command: string,
  only: readonly string[],
  keep?: string,
): Promise<Partial<Results>> {
  needInstalled();
  await using lab = Lab.create();
  let results: Partial<Results> =
    keep && existsSync(keep) ? (JSON.parse(readFileSync(keep, 'utf8')) as Partial<Results>) : {};
  for (const [part, run] of Object.entries(partsOf(lab, size, command))) {
    if (part in results || (only.length > 0 && !only.includes(part))) continue;
    results = { ...results, ...(await run()) };
    if (keep) writeFileSync(keep, JSON.stringify(results));
  }
  return results;
}

const isWhole = (results: Partial<Results>): results is Results => PARTS.every((part) => results[part] !== undefined);

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      quick: { type: 'boolean', default: false },
      write: { type: 'boolean', default: false },
      results: { type: 'string' },
      only: { type: 'string', multiple: true, default: [] },
    },
  });
  const command = `npm run bench:overhead${values.quick ? ' -- --quick' : ''}`;
  const results = await measure(values.quick ? QUICK : FULL, command, values.only, values.results);
  if (!isWhole(results)) return say('not all parts have been measured: no page yet');
  const text = page(results);
  process.stdout.write(text);
  if (values.write) writeFileSync(PAGE, text);
}

try {
  await main();
} catch (error) {
  say(messageOf(error));
  if (error instanceof LosslogError && error.hint) say(`hint: ${error.hint}`);
  process.exitCode = exitCodeOf(error);
}
