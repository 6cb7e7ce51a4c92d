/**
 * What recording lost packets costs: losslog, the other tools, and none, on the same loads in one run.
 *
 *     npm run bench:overhead -- [--quick] [--rounds N] [--write] [--json FILE | --from FILE]
 *
 * Prints tables; with --write they become docs/overhead.md. --json keeps what was measured, --from makes the page of it again. In each round every load runs alone, beside each contestant, and alone
 * again. Takes some twelve minutes of a machine that does nothing else; --quick two, for work on the benchmark itself. Needs root and
 * cgroup version 2, bpftrace, perf, tshark and iperf3 (`scripts/setup.sh bench`).
 */

import { readFileSync, writeFileSync } from 'node:fs';
import { cpus, release, totalmem } from 'node:os';
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

const PAGE = fileURLToPath(new URL('../../docs/overhead.md', import.meta.url));
const CONTESTANTS: readonly Contestant[] = [losslog, bpftrace, perf, ftrace, capture];
/** Those that tell of drops. */
const TRACERS = CONTESTANTS.filter((contestant) => contestant !== capture);

/** After the warm seconds hardly anything is compiled any more. */
const STEADY: SteadyOptions = { warmSeconds: 15, windows: 5, windowSeconds: 3 };
const QUICK_STEADY: SteadyOptions = { warmSeconds: 2, windows: 2, windowSeconds: 1 };

const FULL = {
  steady: STEADY,

  rounds: 5,
  cleanSeconds: 2,
  lossySeconds: 3,
  floodPackets: 1_000_000,
  idleIntervals: 5,
  startSeconds: 4,
};
const QUICK = {
  ...FULL,
  steady: QUICK_STEADY,
  rounds: 1,
  cleanSeconds: 1,
  lossySeconds: 2,
  floodPackets: 400_000,
  idleIntervals: 2,
};
/** Drops a second while a contestant starts. */
const START_RATE = 2000;
const IDLE_SECONDS = 4;

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

function about(command: string, rounds: number): Results['about'] {
  const [first] = cpus();
  return {
    date: new Date().toISOString().slice(0, 10),
    command,
    kernel: release(),
    machine: `${cpus().length} × ${first?.model.trim()}, ${Math.round(totalmem() / 2 ** 30)} GiB`,
    contestants: CONTESTANTS,
    absent: packagedTools().filter(({ error }) => error !== undefined),
    rounds,
  };
}

async function measureAll(size: typeof FULL, command: string): Promise<Results> {
  needInstalled();
  await using lab = Lab.create();
  const bulkLoad = bulk(lab, size);
  const floodLoad = flood(lab, size.floodPackets);
  return {
    about: about(command, size.rounds),
    flood: await rounds(lab, 'flood', floodLoad, size.rounds, { countEvents: false }),
    bulk: await rounds(lab, 'bulk', bulkLoad, size.rounds, { countEvents: true }),
    ...(await steadies(lab, size.steady)),
    programs: await programTimes(lab, bulkLoad, floodLoad),
    startUp: await startUps(lab, size.rounds, size.startSeconds),
    idle: await idle(lab, bulkLoad, CONTESTANTS, { intervals: size.idleIntervals, seconds: IDLE_SECONDS }),
  };
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      quick: { type: 'boolean', default: false },
      rounds: { type: 'string' },
      write: { type: 'boolean', default: false },
      json: { type: 'string' },
      from: { type: 'string' },
    },
  });
  const size = values.quick ? QUICK : FULL;
  const command = `npm run bench:overhead${values.quick ? ' -- --quick' : ''}`;
  const results = values.from
    ? (JSON.parse(readFileSync(values.from, 'utf8')) as Results)
    : await measureAll({ ...size, rounds: Number(values.rounds ?? size.rounds) }, command);
  if (values.json) writeFileSync(values.json, JSON.stringify(results));
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
