/**
 * `npm run demo`: losslog on live loss, in about ten seconds, in network namespaces of its own. Needs root.
 */

import { setTimeout } from 'node:timers/promises';
import { exitCodeOf, LosslogError, messageOf } from '../src/base/errors.ts';
import type { Counters } from './counters.ts';
import type { Host } from './host.ts';
import { Lab } from './lab.ts';
import { Recorder } from './recorder.ts';
import { blastUdp, sendTcp, startSink } from './traffic.ts';

const SECONDS = 8;
const REFUSED_PORT = 81;
const FILTERED_PORT = 4789;
const FILTERED_PACKETS = 5;
const BLACKHOLE = '10.98.0.0/16';
const BLACKHOLED_IP = '10.98.0.1';

const say = (text: string): void => {
  process.stderr.write(`\n${text}\n`);
};

async function main(): Promise<void> {
  await using lab = Lab.create();
  // Offloads off, so that single packets are lost and not whole GSO trains.
  const { client, server } = lab.twoHosts({ tso: false });
  const sink = await startSink(server, { title: 'nginx' });
  loseThings(client, server);
  const before = client.counters();

  await using recorder = await Recorder.start({
    hosts: [client, server],
    args: ['--print=text'],
    environment: colour(),
  });
  say(`Recording two hosts: ${client.ip4} (client) and ${server.ip4} (server), with 2 % loss, for ${SECONDS} s.`);
  const printed = print(recorder);
  await Promise.all([...steadyTraffic(client, server, sink.port), mishaps(client, server), setTimeout(SECONDS * 1000)]);
  await setTimeout(300);
  await recorder.stop();
  await printed;
  report(recorder, client, client.counters().since(before));
}

/** 2 % of the TCP packets in both directions, one filtered UDP port, one address block that leads nowhere. */
function loseThings(client: Host, server: Host): void {
  for (const host of [client, server]) host.dropRandomly(0.02, { protocol: 'tcp' });
  server.dropMatching({ protocol: 'udp', dport: FILTERED_PORT });
  client.exec('ip', 'route', 'add', BLACKHOLE, 'via', server.ip4);
  server.sysctl('net.ipv4.ip_forward', 1);
  server.blackhole(BLACKHOLE);
}

function steadyTraffic(client: Host, server: Host, port: number): Promise<unknown>[] {
  const CHUNK_BYTES = 30_000;
  const PAUSE_MS = 100;
  const bytes = ((SECONDS * 1000) / PAUSE_MS) * CHUNK_BYTES * 0.8;
  const options = { port, bytes, chunkBytes: CHUNK_BYTES, pauseMs: PAUSE_MS, title: 'curl' };
  return [server.ip4, server.ip6].map((host) => sendTcp(client, { host, ...options }));
}

async function mishaps(client: Host, server: Host): Promise<void> {
  await setTimeout(1000);
  await sendTcp(client, { host: server.ip4, port: REFUSED_PORT, bytes: 0, title: 'wget' });
  await blastUdp(client, { host: server.ip4, port: FILTERED_PORT, count: FILTERED_PACKETS, rate: 10 });
  const lost = { host: BLACKHOLED_IP, port: 443, bytes: 0, title: 'psql' };
  // A connection to nowhere takes two minutes to fail: it is given up here, after the second or third SYN.
  await sendTcp(client, lost, { timeoutMs: 3500 }).catch(() => undefined);
}

async function print(recorder: Recorder): Promise<void> {
  for await (const line of recorder.process.lines()) process.stdout.write(`${line}\n`);
}

const colour = (): Record<string, string> =>
  process.stdout.isTTY && process.env.NO_COLOR === undefined ? { FORCE_COLOR: '1' } : {};

function report(recorder: Recorder, client: Host, grown: Counters): void {
  say('losslog top --by cause');
  process.stdout.write(recorder.losslog('top', '--by', 'cause'));
  say('losslog top --by reason');
  process.stdout.write(recorder.losslog('top', '--by', 'reason'));

  const resent = recorder.eventsOf('retransmit', '--netns', String(client.netns));
  const segments = resent.reduce((sum, event) => sum + (event.segments ?? 0), 0);
  const syns = resent.filter((event) => event.dst === BLACKHOLED_IP).length;
  const filtered = recorder.eventsOf('drop', '--reason', 'NETFILTER_DROP', '--port', String(FILTERED_PORT)).length;
  const refused = recorder.eventsOf('reset', '--port', String(REFUSED_PORT)).length;
  say(
    [
      `client: ${segments} retransmitted segments recorded, ${grown.get('Tcp.RetransSegs')} counted by the kernel`,
      `connection to ${BLACKHOLED_IP}, which a blackhole route swallows: SYN sent again ${syns} times`,
      `connection to the closed port ${REFUSED_PORT}: ${refused} resets recorded`,
      `UDP port ${FILTERED_PORT}, closed by a firewall rule: ${filtered} drops of ${FILTERED_PACKETS} packets`,
    ].join('\n'),
  );
}

try {
  await main();
} catch (error) {
  process.stderr.write(`demo: ${messageOf(error)}\n`);
  if (error instanceof LosslogError && error.hint) process.stderr.write(`  hint: ${error.hint}\n`);
  process.exitCode = exitCodeOf(error);
}
