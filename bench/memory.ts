/**
 * Resident memory of `losslog record`: idle, in a flood, and while it stores single records over the ends of slices.
 *
 *     node --disable-warning=ExperimentalWarning bench/memory.ts [SECONDS] [RATE]
 *
 * SECONDS (60) of each, RATE (10,000) records a second. `anonymous` and `file` are the parts of the resident memory (proc_pid_status(5)), read
 * at the end; `most` is the largest sum of 20 looks a second after the start, `start` the peak before them. `CPU` is user and system time
 * of all threads by what the firewall dropped. It records a namespace of its own, so that others on the host do not count. Needs root.
 */

import { setTimeout as sleep } from 'node:timers/promises';
import { Lab } from '../lab/lab.ts';
import { Recorder } from '../lab/recorder.ts';
import { blastUdp, floodUdp } from '../lab/traffic.ts';
import { cpuMs, memoryMib } from '../lab/usage.ts';

const SECONDS = Number(process.argv[2] ?? 60);
const RATE = Number(process.argv[3] ?? 10_000);
const PORT = 9999;
const FLOOD_PACKETS = 1_000_000;
const LOOK_MS = 50;

await using lab = Lab.create();
const { client, server } = lab.twoHosts({ ipv6: false });
const rule = server.dropMatching({ protocol: 'udp', dport: PORT, family: 4, chain: 'PREROUTING' });

/** Records while `load` runs, and prints a line. */
async function measure(name: string, args: readonly string[], limited: boolean, load: () => Promise<unknown>) {
  await using recorder = await Recorder.start({ hosts: [server], limited, args });
  const { pid } = recorder.process;
  const start = memoryMib(pid, 'VmHWM');
  let most = 0;
  const look = setInterval(() => {
    most = Math.max(most, memoryMib(pid, 'VmRSS'));
  }, LOOK_MS);
  const [dropped, cpu] = [rule.packets(), cpuMs(pid)];
  await load();
  await sleep(1000);
  clearInterval(look);
  const packets = rule.packets() - dropped;
  const cost = packets === 0 ? '' : `${((1000 * (cpuMs(pid) - cpu)) / packets).toFixed(2)} µs`;
  const cells = [start, most, memoryMib(pid, 'VmRSS'), memoryMib(pid, 'RssAnon'), memoryMib(pid, 'RssFile')];
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
