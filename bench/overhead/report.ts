/** docs/overhead.md, from what a run has measured. */

import {
  addedNsAPacket,
  bytesAnEvent,
  type Completeness,
  cores,
  cpuUsAnEvent,
  dropsOf,
  medianOf,
  ratesOf,
  ratioToAlone,
  resentOf,
} from './figures.ts';
import { ALONE, ALONE_AGAIN, type ProgramTimes, type Results } from './results.ts';
import { median } from './statistics.ts';
import { percent, range, residentOf, targetsOf } from './targets.ts';

type Row = readonly string[];

/** A table of Markdown whose columns also line up on a terminal. */
export function table(header: Row, rows: readonly Row[]): string {
  const cell = (text: string): string => text.replaceAll('|', '\\|');
  const all = [header, ...rows].map((row) => row.map(cell));
  const widths = header.map((_, column) => Math.max(3, ...all.map((row) => (row[column] ?? '').length)));
  const line = (row: Row): string => `| ${row.map((text, column) => text.padEnd(widths[column] ?? 0)).join(' | ')} |`;
  const rule = `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`;
  return [line(all[0] ?? []), rule, ...all.slice(1).map(line)].join('\n');
}

const us = (value: number): string => (Number.isFinite(value) ? value.toFixed(value < 10 ? 2 : 1) : '');
const mb = (value: number): string => value.toFixed(0);
const gigabits = (bits: number): string => (bits / 1e9).toFixed(2);
const thousands = (value: number): string => Math.round(value).toLocaleString('en');
const share = (part: number, whole: number): string => percent(part / whole, part === whole ? 0 : 2);

/** Others' events are in it when it has recorded more than the kernel counted here. */
const silently = ({ silent, happened }: Completeness): string =>
  silent < 0 ? `none (${-silent} of others besides)` : share(silent, happened);

function targets(results: Results): string {
  const rows = targetsOf(results).map(({ what, limit, measured, isMet }) => [
    what,
    limit,
    measured,
    isMet ? 'met' : '**not met**',
  ]);
  return table(['target', 'limit', 'measured', ''], rows);
}

/** Of the targets that were not met. */
const notes = (results: Results): string =>
  targetsOf(results)
    .filter(({ isMet, note }) => !isMet && note)
    .map(({ what, note }) => `- ${what}: ${note}.`)
    .join('\n');

function floodTable({ flood, about }: Results): string {
  const bare = [ALONE, ALONE_AGAIN].map((name) => [
    name,
    range(ratioToAlone(flood, name, 'cpu')),
    range(ratioToAlone(flood, name, 'wall')),
    thousands(median(ratesOf(flood, name, 'wall'))),
    ...Array.from({ length: 9 }, () => ''),
  ]);
  const rows = about.contestants.map(({ name }) => {
    const drops = dropsOf(flood, name);
    const tellsDrops = drops.single > 0;
    const resent = resentOf(flood, name, 'events');
    return [
      name,
      range(ratioToAlone(flood, name, 'cpu')),
      range(ratioToAlone(flood, name, 'wall')),
      thousands(median(ratesOf(flood, name, 'wall'))),
      thousands(addedNsAPacket(flood, name)),
      percent(medianOf(flood, name, cores)),
      us(cpuUsAnEvent(flood, name, 'load', ['segments', 'drops'])),
      mb(medianOf(flood, name, ({ memory }) => memory.peak)),
      ...(tellsDrops
        ? [
            share(drops.single, drops.happened),
            share(drops.counted, drops.happened),
            share(drops.toldLost, drops.happened),
            silently(drops),
            `${resent.single} of ${resent.happened}`,
          ]
        : ['none', 'none', `${drops.toldLost} packets`, 'all', 'not looked for']),
    ];
  });
  const header = [
    'flood',
    'sender’s rate by its CPU, %',
    'by the clock, %',
    'packets/s',
    'ns added a packet',
    'CPU of one core',
    'CPU an event, µs',
    'peak RSS, MB',
    'recorded',
    'in sums',
    'told lost',
    'not told',
    'retransmissions',
  ];
  return table(header, [...bare, ...rows]);
}

function bulkTable({ bulk, about }: Results): string {
  const rates = (name: string): string[] =>
    ['clean', 'lossy'].flatMap((rate) => [
      gigabits(median(ratesOf(bulk, name, rate))),
      range(ratioToAlone(bulk, name, rate)),
    ]);
  const bare = [ALONE, ALONE_AGAIN].map((name) => [name, ...rates(name), '', '', '', '', '', '']);
  const rows = about.contestants.map(({ name }) => {
    const tellsSegments = bulk[name]?.some(({ seen }) => seen?.tally.segments !== undefined);
    const events = resentOf(bulk, name, name.startsWith('dumpcap') ? 'segments' : 'events');
    const segments = resentOf(bulk, name, 'segments');
    return [
      name,
      ...rates(name),
      us(cpuUsAnEvent(bulk, name, 'load', ['segments'])),
      us(cpuUsAnEvent(bulk, name, 'end', ['segments'])),
      mb(medianOf(bulk, name, ({ memory }) => memory.peak)),
      thousands(medianOf(bulk, name, bytesAnEvent)),
      `${share(events.single, events.happened)}${tellsSegments ? `, segments ${share(segments.single, segments.happened)}` : ''}`,
      share(events.toldLost, events.happened),
    ];
  });
  const header = [
    'bulk',
    'no loss, Gbit/s',
    'by alone, %',
    '1 % loss, Gbit/s',
    'by alone, %',
    'CPU an event, µs',
    'CPU of its end, µs an event',
    'peak RSS, MB',
    'bytes an event',
    'recorded',
    'told lost',
  ];
  return table(header, [...bare, ...rows]);
}

function steadyTable({ steady }: Results): string {
  const rows = Object.entries(steady).map(([name, { cpuUs, segmentsASecond }]) => [
    name,
    thousands(median(segmentsASecond)),
    `${us(median(cpuUs))} (${us(Math.min(...cpuUs))} to ${us(Math.max(...cpuUs))})`,
  ]);
  return table(['warm', 'retransmissions/s', 'CPU of each, µs'], rows);
}

function profileTable({ profile }: Results): string {
  return table(
    ['losslog, warm', 'of its CPU time'],
    Object.entries(profile).map(([part, share]) => [part, percent(share)]),
  );
}

function restTable({ idle, startUp, about }: Results): string {
  const rows = about.contestants.map(({ name }) => {
    const rest = idle[name];
    const starts = startUp[name];
    return [
      name,
      rest ? percent(median(rest.cores), 3) : '',
      ...(rest
        ? [residentOf(rest.memory), rest.memory.peak, rest.memory.anonymous, rest.memory.file, rest.memory.shared].map(
            mb,
          )
        : ['', '', '', '', '']),
      starts
        ? `${median(starts).toFixed(2)} (${Math.min(...starts).toFixed(2)} to ${Math.max(...starts).toFixed(2)})`
        : '',
    ];
  });
  const header = [
    'idle, and start',
    'CPU of one core',
    'RSS, MB',
    'peak',
    'anonymous',
    'of files',
    'shared',
    'to the first event, s',
  ];
  return table(header, rows);
}

function programTable({ programs }: Results): string {
  const cell = (time: ProgramTimes['floodDrop']): string => {
    if (!time) return '';
    const parts = time.nsARun.map((run) => run.toFixed(0)).join(' + ');
    return `${time.nsAnEvent.toFixed(0)}${time.nsARun.length > 1 ? ` (${parts})` : ''}`;
  };
  const rows = programs.map(({ contestant, retransmission, recordedDrop, floodDrop }) => [
    contestant,
    ...[retransmission, recordedDrop, floodDrop].map(cell),
  ]);
  return table(['ns in BPF', 'a retransmission', 'a drop, recorded', 'a drop of the flood'], rows);
}

function drainTable({ drain }: Results): string {
  const rows = Object.entries(drain).map(([kind, { cpuUs, eventsASecond, records }]) => [
    kind,
    us(cpuUs),
    thousands(eventsASecond),
    thousands(records),
  ]);
  return table(['drain and decode', 'CPU of each, µs', 'events/s', 'records in the ring'], rows);
}

export function page(results: Results): string {
  const { about, bulk, flood } = results;
  const versions = about.contestants.map(({ name, version, how }) => [name, version, `\`${how}\``]);
  const resent = [ALONE, ALONE_AGAIN].flatMap((name) => bulk[name] ?? []).map(({ truth }) => truth.segments);
  return `# What recording costs

Written by \`${about.command}\` (with \`--write\`) on ${about.date}: Linux ${about.kernel}, ${about.machine}, a load of ${about.load.toFixed(1)} when it began. ${about.rounds} rounds; in each every load runs
alone, beside each of the contestants, and alone again, begun at another place each time. Figures are medians of the rounds; a ratio is that of two runs of the same round, in brackets the smallest and the largest.
"${ALONE_AGAIN}" is what two runs of the same differ by.

${targets(results)}

${notes(results)}

${about.rounds < 5 ? 'A short run, for work on the benchmark: its figures say little.\n\n' : ''}## A flood of drops

UDP from random addresses as fast as one sender can, dropped by the other host's firewall in \`raw PREROUTING\`: ${thousands(median(ratesOf(flood, ALONE, 'wall')))} packets a second alone. Beside it a
trickle of TCP loses every fifth packet. The drops are the firewall's counters, the retransmissions \`TcpRetransSegs\`. The sender's CPU time holds what tracing adds to each of its packets.

${floodTable(results)}

## Retransmissions and throughput

iperf3, four streams: without loss, then with one packet in a hundred lost at random, some ${thousands(median(resent))} retransmissions each time. Contestants look at retransmissions only. CPU is user and system time of the
contestant's processes, from the begin of the loss until it has come to rest. *Of its end*: until it has ended, which is where perf reads build ids, and the time of tshark.
Recorded: events by the count of \`perf stat\`, segments by \`TcpRetransSegs\`; one event may be several segments, which only losslog and a capture can tell.

${bulkTable(results)}

The same loss for longer, one contestant after the other, when each has been at work for a while: windows of some seconds, one after the other.

${steadyTable(results)}

Where that time goes, by samples of its stacks (perf, cpu-clock; a sample is the store's if any function of src/store is on its stack, and so on):

${profileTable(results)}

Of that, draining a ring and decoding its records alone, into events that nobody stores: all that the kernel wrote there, read again and again, on one thread; CPU is that of all threads.

${drainTable(results)}

## In the kernel

\`run_time_ns\` of all BPF programs of a process by the number of events (\`kernel.bpf_stats_enabled\`, a run of its own, since the measuring itself takes some 45 ns a program); in brackets the programs that run for
each event. Each tracepoint has two of losslog's ([why](design/kernel-side.md)); the second mostly finds the event handled, so that nearly all of its time is the measuring. *A drop, recorded* is of 4,500 a second.
perf and ftrace have no program: what they cost is in the sender's rate above.

${programTable(results)}

## Idle and start

Idle: all at once, nothing happens, ${about.restSeconds} seconds after their start; what is resident then and at most, and of what kind it is. Start: from the start of the process to the first of 2,000 drops a second that it records.

${restTable(results)}

## What was compared

${table(['contestant', 'version', 'how'], versions)}

${table(
  ['not measured', 'package', 'why'],
  about.absent.map(({ name, from, error = '' }) => [name, from, `\`${error}\``]),
)}
`;
}
