/** The kernel's own trace buffers, copied into files as they are: an instance of tracefs for each tracepoint. */

import { release } from 'node:os';
import { LabProcess } from '../../../lab/process.ts';
import { withTracefs } from '../../tracefs.ts';
import { bytesBelow, type Contestant, type Running, sumOf, type Tally, TRACEPOINTS, type Watch } from './contestant.ts';

/** Arguments: where to write; the name of the instances; the tracepoints. Ends with its stdin. */
const SCRIPT = `
cd "$1"; name=$2; shift 2
pids=
for event in "$@"; do
  instance=/sys/kernel/tracing/instances/$name-\${event#*:}
  mkdir "$instance"
  trap 'rmdir /sys/kernel/tracing/instances/'"$name"'-*' EXIT
  for cpu in "$instance"/per_cpu/cpu*; do
    cat "$cpu/trace_pipe_raw" >"\${event#*:}-\${cpu##*/}" & pids="$pids $!"
  done
  echo 1 >"$instance/events/\${event%:*}/\${event#*:}/enable"
done
echo ready
read -r _ || :
for event in "$@"; do echo 0 >/sys/kernel/tracing/instances/$name-\${event#*:}/tracing_on; done
kill $pids; wait
for event in "$@"; do
  for cpu in /sys/kernel/tracing/instances/$name-\${event#*:}/per_cpu/cpu*; do
    dd if="$cpu/trace_pipe_raw" iflag=nonblock bs=4096 2>/dev/null >>"\${event#*:}-\${cpu##*/}" || :
    sed "s/^/$event /" "$cpu/stats"
  done
done
`;

async function start({ events, cgroup, directory }: Watch): Promise<Running> {
  const tracepoints = events.map((event) => TRACEPOINTS[event]);
  const name = `losslog-bench-${process.pid}`;
  const child = new LabProcess([
    ...cgroup.launcher(),
    ...withTracefs('sh', '-c', SCRIPT, 'sh', directory, name, ...tracepoints),
  ]);
  await child.line();
  const stop = async (): Promise<Tally> => {
    child.end();
    let stats = '';
    for await (const line of child.lines()) stats += `${line}\n`;
    const of = (tracepoint: string, what: string): number =>
      sumOf(stats, new RegExp(`^${tracepoint} ${what}: (\\d+)`, 'gm'));
    return {
      retransmissions: of(TRACEPOINTS.retransmission, 'read events'),
      drops: of(TRACEPOINTS.drop, 'read events'),
      toldLost: sumOf(stats, /(?:overrun|dropped events): (\d+)/g),
      bytes: bytesBelow(directory),
    };
  };
  return { pid: child.pid, stop, close: () => child.end() };
}

export const ftrace: Contestant = {
  name: 'raw ftrace',
  version: `Linux ${release()}`,
  how: 'cat /sys/kernel/tracing/instances/NAME/per_cpu/cpuN/trace_pipe_raw >FILE, an instance for each tracepoint',
  start,
};
