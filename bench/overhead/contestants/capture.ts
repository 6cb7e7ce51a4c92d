/** A packet capture, of which tshark then finds the retransmissions; drops are not to be seen in it. */

import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { LabProcess } from '../../../lab/process.ts';
import { versionOf } from '../../packaged.ts';
import { bytesBelow, type Contestant, type Running, sumOf, type Tally, type Watch } from './contestant.ts';

/** Enough for the headers. */
const SNAP_BYTES = 96;
const FILES = 2;
const FILE_KB = 16_384;
const LIMITS = ['-s', SNAP_BYTES, '-b', `filesize:${FILE_KB}`, '-b', `files:${FILES}`].map(String);
const ANALYSIS_TIMEOUT_MS = 120_000;
const RESENT =
  'tcp.analysis.retransmission or tcp.analysis.fast_retransmission or tcp.analysis.spurious_retransmission';

async function start({ captureAt, events, cgroup, directory }: Watch): Promise<Running> {
  const captures = captureAt.map((host) => {
    const file = join(directory, `${host.name}.pcapng`);
    return host.spawn(['dumpcap', '-q', '-i', host.device, ...LIMITS, '-w', file], { cgroup });
  });
  await Promise.all(captures.map((capture) => capture.stderrLine('File: ')));
  const stop = async (): Promise<Tally> => {
    for (const capture of captures) capture.signal('SIGINT');
    await Promise.all(captures.map((capture) => capture.wait()));
    const told = captures.map(({ stderr }) => stderr).join('\n');
    return {
      retransmissions: events.includes('drop') ? 0 : await resentIn(directory, cgroup.launcher()),
      toldLost: sumOf(told, /received\/dropped on interface '.*': \d+\/(\d+)/g),
      bytes: bytesBelow(directory),
    };
  };
  return { pid: captures[0]?.pid ?? 0, stop, close: () => captures.forEach((capture) => void capture.kill()) };
}

/** The rest of the files of one capture are one after the other by their names. */
async function resentIn(directory: string, launcher: readonly string[]): Promise<number> {
  const files = readdirSync(directory).sort();
  const script = `cd "$0" && mergecap -a -w - "$@" | tshark -r - -Y '${RESENT}' -T fields -e frame.number | wc -l`;
  const analysis = new LabProcess([...launcher, 'sh', '-c', script, directory, ...files]);
  const count = Number(await analysis.line(ANALYSIS_TIMEOUT_MS));
  await analysis.wait();
  return count;
}

export const capture: Contestant = {
  name: 'dumpcap + tshark',
  version: `tshark ${versionOf('tshark')}`,
  how: `dumpcap ${LIMITS.join(' ')}, then tshark -Y '${RESENT}'`,
  start,
};
