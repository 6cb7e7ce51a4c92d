/**
 * What a flood of drops costs, with and without recording, beside other tools that are installed.
 *
 *     node --disable-warning=ExperimentalWarning bench/storm.ts [ROUNDS] [PACKETS]
 *
 * A host sends UDP from random addresses as fast as it can; the firewall of the other one drops all of it. Each round makes a run
 * without any tool and one with each, one after the other, so that all meet the same noise; medians over the rounds (5) are printed.
 * `sender`: packets by CPU time of the sender, by that of the same round without a tool; `by clock`: the same by wall-clock time, which
 * tells of everything else that runs, too. `CPU`: user and system time of the tool during the flood, in
 * hundredths of a core. `told`: events recorded or counted, by what the firewall dropped; the other tools record the drops of all
 * namespaces, so that more than all means that others dropped, too. Needs root.
 */

import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { succeeds } from '../lab/command.ts';
import type { DropRule } from '../lab/drop-rule.ts';
import type { Host } from '../lab/host.ts';
import { Lab } from '../lab/lab.ts';
import { Recorder } from '../lab/recorder.ts';
import { floodUdp } from '../lab/traffic.ts';

const ROUNDS = Number(process.argv[2] ?? 5);
const PACKETS = Number(process.argv[3] ?? 2_000_000);
const PORT = 9999;
const BPF_STATS = '/proc/sys/kernel/bpf_stats_enabled';
/** USER_HZ, the unit of /proc/PID/stat, is 100 on every architecture that losslog runs on. */
const TICKS_A_SECOND = 100;

interface Tool {
  readonly name: string;
  readonly pid: number;
  /** Ends it. @returns how many events it recorded one by one, and how many it only told of. */
  stop(): Promise<{ single: number; counted: number }>;
}

interface Run {
  packetsASecond: number;
  packetsACpuSecond: number;
  cpu: number;
  rssMb: number;
  singleShare: number;
  toldShare: number;
}

async function startLosslog(server: Host): Promise<Tool> {
  const recorder = await Recorder.start({ limited: true });
  const filters = ['--reason', 'NETFILTER_DROP', '--netns', String(server.netns)];
  const stop = async () => {
    await recorder.stop();
    const single = recorder.eventsOf('drop', ...filters).length;
    const summaries = recorder.eventsOf('summary', ...filters);
    recorder.close();
    return { single, counted: summaries.reduce((sum, { events }) => sum + events, 0) };
  };
  return { name: 'losslog', pid: recorder.process.pid, stop };
}

/** Where tracefs is not mounted, it is for the program alone. */
const WITH_TRACEFS = '[ -e /sys/kernel/tracing/events ] || mount -t tracefs tracefs /sys/kernel/tracing';

/** A program that writes to a file, ended by SIGINT. */
async function startProgram(name: string, command: readonly string[], count: (dir: string, stderr: string) => number) {
  const dir = mkdtempSync(join(tmpdir(), 'losslog-bench-'));
  const child = spawn('unshare', ['--mount', 'sh', '-c', `${WITH_TRACEFS}; exec "$@"`, 'sh', ...command], {
    cwd: dir,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let stderr = '';
  child.stderr.on('data', (data) => {
    stderr += data;
  });
  const ended = new Promise((resolve) => child.once('close', resolve));
  await sleep(3000);
  const stop = async () => {
    child.kill('SIGINT');
    await ended;
    const single = count(dir, stderr);
    rmSync(dir, { recursive: true, force: true });
    return { single, counted: 0 };
  };
  return { name, pid: child.pid as number, stop };
}

const TRACEPOINT = 'skb:kfree_skb';

const startBpftrace = (): Promise<Tool> =>
  startProgram(
    'bpftrace',
    ['bpftrace', '-o', 'out', '-e', `tracepoint:${TRACEPOINT} { printf("%d %llx\\n", args->reason, args->location); }`],
    (dir) => Number(spawnSync('wc', ['-l', join(dir, 'out')], { encoding: 'utf8' }).stdout.split(' ')[0]),
  );

const startPerf = (): Promise<Tool> =>
  startProgram('perf record', ['perf', 'record', '-q', '-a', '-e', TRACEPOINT, '-o', 'out'], (dir) => {
    const { stdout } = spawnSync('perf', ['report', '--stats', '-i', join(dir, 'out')], { encoding: 'utf8' });
    return Number(/SAMPLE events:\s*(\d+)/.exec(stdout)?.[1] ?? 0);
  });

const isInstalled = (name: string): boolean => succeeds(name, '--version');
const STARTERS: readonly ((server: Host) => Promise<Tool>)[] = [
  startLosslog,
  ...(isInstalled('bpftrace') ? [startBpftrace] : []),
  ...(isInstalled('perf') ? [startPerf] : []),
];

function cpuSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  // utime and stime of all threads (proc_pid_stat(5)), counted from the state
  return (Number(fields[11]) + Number(fields[12])) / TICKS_A_SECOND;
}

function peakRssMb(pid: number): number {
  return Number(/^VmHWM:\s*(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024;
}

/** Sends the flood, seen by the tool, if one is given. */
async function run(client: Host, server: Host, rule: DropRule, tool: Tool | undefined): Promise<Run> {
  const dropped = rule.packets();
  const cpu = tool ? cpuSeconds(tool.pid) : 0;
  const begin = performance.now();
  const { sent, cpuMs } = await floodUdp(client, { host: server.ip4, port: PORT, count: PACKETS });
  const seconds = (performance.now() - begin) / 1000;
  const rates = { packetsASecond: sent / seconds, packetsACpuSecond: (sent / cpuMs) * 1000 };
  if (!tool) return { ...rates, cpu: 0, rssMb: 0, singleShare: 0, toldShare: 0 };
  const cost = { cpu: ((cpuSeconds(tool.pid) - cpu) / seconds) * 100, rssMb: peakRssMb(tool.pid) };
  await sleep(1500);
  const { single, counted } = await tool.stop();
  const packets = rule.packets() - dropped;
  return { ...rates, ...cost, singleShare: single / packets, toldShare: (single + counted) / packets };
}

/** BPF programs of a process: their time and runs so far. */
function programStats(pid: number): { ns: number; runs: number; programs: number } {
  const sum = { ns: 0, runs: 0, programs: 0 };
  for (const fd of readdirSync(`/proc/${pid}/fdinfo`)) {
    const text = readFileSync(`/proc/${pid}/fdinfo/${fd}`, 'utf8');
    const runs = Number(/^run_cnt:\s*(\d+)/m.exec(text)?.[1] ?? 0);
    // the programs of this tracepoint; others run a few times
    if (runs < PACKETS / 2) continue;
    sum.ns += Number(/^run_time_ns:\s*(\d+)/m.exec(text)?.[1]);
    sum.runs += runs;
    sum.programs++;
  }
  return sum;
}

/** One more run, with the kernel's own measurement of BPF programs, which costs time itself. */
async function measurePrograms(client: Host, server: Host, start: (server: Host) => Promise<Tool>): Promise<string> {
  const before = readFileSync(BPF_STATS, 'utf8');
  const tool = await start(server);
  try {
    writeFileSync(BPF_STATS, '1');
    await floodUdp(client, { host: server.ip4, port: PORT, count: PACKETS });
    const { ns, runs, programs } = programStats(tool.pid);
    return `${tool.name}: ${(ns / runs).toFixed(0)} ns a run, ${(ns / (runs / programs)).toFixed(0)} ns an event in ${programs} programs`;
  } finally {
    writeFileSync(BPF_STATS, before);
    await tool.stop();
  }
}

const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1] as number;

await using lab = Lab.create();
const { client, server } = lab.twoHosts({ ipv6: false });
const rule = server.dropMatching({ protocol: 'udp', dport: PORT, family: 4, chain: 'PREROUTING' });
const alone: number[] = [];
interface Compared extends Run {
  ratio: number;
  clockRatio: number;
}

const runs = new Map<string, Compared[]>();
for (let round = 0; round < ROUNDS; round++) {
  const bare = await run(client, server, rule, undefined);
  alone.push(bare.packetsASecond);
  for (const start of STARTERS) {
    const tool = await start(server);
    const result = await run(client, server, rule, tool);
    const list = runs.get(tool.name) ?? [];
    const ratio = result.packetsACpuSecond / bare.packetsACpuSecond;
    list.push({ ...result, ratio, clockRatio: result.packetsASecond / bare.packetsASecond });
    runs.set(tool.name, list);
  }
}
console.log(`${PACKETS} packets, ${ROUNDS} rounds; alone ${Math.round(median(alone))} packets/s`);
console.log(`${'tool'.padEnd(12)}  sender  by clock     CPU     RSS  one by one     told`);
for (const [name, list] of runs) {
  const of = (value: (run: Compared) => number): number => median(list.map(value));
  const percent = (share: number, digits = 1): string => `${(share * 100).toFixed(digits)} %`;
  const cells = [
    percent(of(({ ratio }) => ratio)).padStart(6),
    percent(of(({ clockRatio }) => clockRatio)).padStart(8),
    percent(of(({ cpu }) => cpu / 100)).padStart(6),
    `${of(({ rssMb }) => rssMb).toFixed(0)} MB`.padStart(6),
    percent(
      of(({ singleShare }) => singleShare),
      2,
    ).padStart(10),
    percent(
      of(({ toldShare }) => toldShare),
      4,
    ).padStart(10),
  ];
  console.log(`${name.padEnd(12)}  ${cells.join('  ')}`);
}
for (const start of STARTERS.slice(0, 2)) console.log(await measurePrograms(client, server, start));
