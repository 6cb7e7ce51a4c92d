/**
 * Resident memory of `losslog record`: idle, in a flood, and while it stores single records over the ends of slices.
 *
 *     node --disable-warning=ExperimentalWarning bench/memory.ts [SECONDS] [RATE]
 *
 * SECONDS (60) of each, RATE (10,000) records a second. `anonymous` and `file` are the parts of the resident memory (proc_pid_status(5)), read
 * at the end; `most` is the largest sum of 20 looks a second after the start, `start` the peak before them. `CPU` is user and system time
 * of all threads by what the firewall dropped. It records a namespace of its own, so that others on the host do not count. Needs root.
 */

import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { Lab } from '../lab/lab.ts';
import { Recorder } from '../lab/recorder.ts';
import { blastUdp, floodUdp } from '../lab/traffic.ts';

const SECONDS = Number(process.argv[2] ?? 60);
const RATE = Number(process.argv[3] ?? 10_000);
const PORT = 9999;
const FLOOD_PACKETS = 1_000_000;
const LOOK_MS = 50;
/** USER_HZ, the unit of /proc/PID/stat, is 100 on every architecture that losslog runs on. */
const US_A_TICK = 10_000;

const status = (pid: number, name: string): number =>
  Number(new RegExp(`^${name}:\\s*(\\d+) kB`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024;

function cpuUs(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) * US_A_TICK;
}

await using lab = Lab.create();
const { client, server } = lab.twoHosts({ ipv6: false });
const rule = server.dropMatching({ protocol: 'udp', dport: PORT, family: 4, chain: 'PREROUTING' });

/** Records while `load` runs, and prints a line. */
async function measure(name: string, args: readonly string[], limited: boolean, load: () => Promise<unknown>) {
  await using recorder = await Recorder.start({ hosts: [server], limited, args });
  const { pid } = recorder.process;
  const start = status(pid, 'VmHWM');
  let most = 0;
  const look = setInterval(() => {
    most = Math.max(most, status(pid, 'VmRSS'));
  }, LOOK_MS);
  const [dropped, cpu] = [rule.packets(), cpuUs(pid)];
  await load();
  await sleep(1000);
  clearInterval(look);
  const packets = rule.packets() - dropped;
  const cost = packets === 0 ? '' : `${((cpuUs(pid) - cpu) / packets).toFixed(2)} µs`;
  const cells = [start, most, status(pid, 'VmRSS'), status(pid, 'RssAnon'), status(pid, 'RssFile')];
  console.log(`${name.padEnd(28)}${cells.map((mib) => mib.toFixed(0).padStart(10)).join('')}${cost.padStart(10)}`);
  await recorder.stop();
}

const columns = ['start', 'most', 'at the end', 'anonymous', 'file', 'CPU'].map((name) => name.padStart(10)).join('');
console.log(`${'MiB'.padEnd(28)}${columns}`);
await measure('idle', [], true, () => sleep(SECONDS * 1000));
await measure('idle, --listen', ['--listen', '127.0.0.1:0'], true, () => sleep(SECONDS * 1000));
await measure(`flood, ${FLOOD_PACKETS} packets`, [], true, () =>
  floodUdp(client, { host: server.ip4, port: PORT, count: FLOOD_PACKETS }),
);
await measure(`${RATE} records a second`, [], false, async () => {
  // One call has to end in half a minute.
  for (let left = SECONDS; left > 0; left -= 10) {
    await blastUdp(client, { host: server.ip4, port: PORT, count: Math.min(left, 10) * RATE, rate: RATE });
  }
});
