/** perf record, which copies the tracepoints' records into a file. */

import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { run } from '../../../lab/command.ts';
import { LabProcess } from '../../../lab/process.ts';
import { versionOf } from '../../packaged.ts';
import { withTracefs } from '../../tracefs.ts';
import {
  ATTACH_MS,
  bytesBelow,
  type Contestant,
  type Running,
  type Tally,
  TRACEPOINTS,
  type Watch,
} from './contestant.ts';

/** Numbers of `perf report --stats` of one tracepoint: "skb:kfree_skb stats:", then lines "SAMPLE events: 5". */
function statsOf(report: string, tracepoint: string): { samples: number; lost: number } {
  const [, lines = ''] = new RegExp(`^${tracepoint} stats:\\n((?: .*\\n)*)`, 'm').exec(report) ?? [];
  const number = (name: string): number => Number(new RegExp(`\\b${name} events:\\s*(\\d+)`).exec(lines)?.[1] ?? 0);
  return { samples: number('SAMPLE'), lost: number('LOST_SAMPLES') };
}

async function start({ events, cgroup, directory }: Watch): Promise<Running> {
  const file = join(directory, 'perf.data');
  const tracepoints = events.flatMap((event) => ['-e', TRACEPOINTS[event]]);
  const process = new LabProcess([
    ...cgroup.launcher(),
    ...withTracefs('perf', 'record', '-a', ...tracepoints, '-o', file),
  ]);
  await sleep(ATTACH_MS);
  const stop = async (): Promise<Tally> => {
    process.signal('SIGINT');
    await process.wait(60_000);
    const bytes = bytesBelow(directory);
    const report = run('perf', 'report', '--stats', '-i', file);
    const resent = statsOf(report, TRACEPOINTS.retransmission);
    const dropped = statsOf(report, TRACEPOINTS.drop);
    return { retransmissions: resent.samples, drops: dropped.samples, toldLost: resent.lost + dropped.lost, bytes };
  };
  return { pid: process.pid, stop, close: () => process.kill() };
}

export const perf: Contestant = {
  name: 'perf record',
  version: `perf ${versionOf('linux-perf')}`,
  how: `perf record -a ${Object.values(TRACEPOINTS)
    .map((tracepoint) => `-e ${tracepoint}`)
    .join(' ')}`,
  start,
};

/** Counts retransmissions of the whole machine without recording them: what the others are held against. */
export async function countRetransmissions(): Promise<{ end(): Promise<number> }> {
  const command = withTracefs('perf', 'stat', '-a', '-x', ',', '-e', TRACEPOINTS.retransmission);
  const process = new LabProcess(command);
  await sleep(500);
  const end = async (): Promise<number> => {
    process.signal('SIGINT');
    await process.wait();
    const count = Number(/^(\d+),,tcp:tcp_retransmit_skb/m.exec(process.stderr)?.[1] ?? Number.NaN);
    if (Number.isNaN(count)) throw new Error(`perf stat: ${process.stderr}`);
    return count;
  };
  return { end };
}
