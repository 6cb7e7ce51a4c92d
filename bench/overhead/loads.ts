/** What the contestants are measured on: traffic between network namespaces that loses packets, or none. */

import { setTimeout as sleep } from 'node:timers/promises';
import type { DropRule } from '../../lab/drop-rule.ts';
import type { Host } from '../../lab/host.ts';
import type { Lab } from '../../lab/lab.ts';
import type { LabProcess } from '../../lab/process.ts';
import { blastUdp, floodUdp } from '../../lab/traffic.ts';
import type { Event } from './contestants/contestant.ts';

/** What has happened, by the kernel's own counters. */
export interface Truth {
  /** Tcp.RetransSegs of all hosts. */
  segments: number;
  /** Packets, by the counters of the firewall's rules. */
  drops: number;
}

/** A number to hold against the same of a run without a contestant: packets or bits a second. */
export type Rates = Readonly<Record<string, number>>;

export interface Load {
  hosts: readonly Host[];
  captureAt: readonly Host[];
  events: readonly Event[];
  /** Traffic before the part of which the cost counts. */
  before?(): Promise<Rates>;
  run(): Promise<Rates>;
  /** Since the lab began. */
  truth(): Truth;
}

const UDP_PORT = 9999;
const LOSS = 0.01;
const STREAMS = 4;

/** @returns bits a second that have arrived */
async function iperf(client: Host, server: Host, seconds: number): Promise<number> {
  const listener = await listen(server);
  const sender = client.spawn(['iperf3', '-c', server.ip4, '-t', String(seconds), '-P', String(STREAMS), '-J']);
  let json = '';
  for await (const line of sender.lines()) json += line;
  await listener.wait();
  await untilGone(client);
  await untilGone(server);
  const { end, error } = JSON.parse(json) as { end: { sum_received: { bits_per_second: number } }; error?: string };
  if (error) throw new Error(`iperf3: ${error}`);
  return end.sum_received.bits_per_second;
}

/** A FIN may be lost several times over, and each is waited for twice as long as the one before. */
const GONE_TIMEOUT_MS = 60_000;

/** Until no connection of the host can resend any more. */
async function untilGone(host: Host): Promise<void> {
  const deadline = Date.now() + GONE_TIMEOUT_MS;
  while (host.exec('ss', '-tanH', 'exclude', 'time-wait', 'exclude', 'listening') !== '') {
    if (Date.now() > deadline) throw new Error(`connections of ${host.name} do not end`);
    await sleep(100);
  }
}

async function listen(server: Host): Promise<LabProcess> {
  const listener = server.spawn(['iperf3', '-s', '-1', '--forceflush']);
  await listener.line();
  return listener;
}

const resent = (...hosts: Host[]): number =>
  hosts.reduce((sum, host) => sum + host.counters().get('Tcp.RetransSegs'), 0);
const packets = (...rules: DropRule[]): number => rules.reduce((sum, rule) => sum + rule.packets(), 0);

/** Bulk traffic as fast as TCP can: without loss, then where one packet in a hundred is lost on its way. */
export function bulk(lab: Lab, { cleanSeconds, lossySeconds }: { cleanSeconds: number; lossySeconds: number }): Load {
  const clean = lab.twoHosts({ ipv6: false });
  // The device gets single segments, so that the firewall's coin is tossed for each.
  const lossy = lab.twoHosts({ ipv6: false, tso: false, subnet: 2 });
  const loss = lossy.server.dropRandomly(LOSS, { family: 4, protocol: 'tcp' });
  return {
    hosts: [clean.client, clean.server, lossy.client, lossy.server],
    captureAt: [clean.client, lossy.client],
    events: ['retransmission'],
    async before() {
      return { clean: await iperf(clean.client, clean.server, cleanSeconds) };
    },
    run: async () => ({ lossy: await iperf(lossy.client, lossy.server, lossySeconds) }),
    truth: () => ({ segments: resent(clean.client, clean.server, lossy.client, lossy.server), drops: packets(loss) }),
  };
}

/** A trickle of TCP beside the flood that loses every fifth packet: what the flood must not hide. */
const TRICKLE = ['-t', '600', '-b', '5M', '-l', '1400'];
const TRICKLE_LOSS = 0.2;

/** A flood of UDP from random addresses, all of it dropped by the firewall, and few retransmissions beside it. */
export function flood(lab: Lab, count: number): Load {
  const { client, server } = lab.twoHosts({ ipv6: false, gso: false, subnet: 3 });
  const firewall = server.dropMatching({ protocol: 'udp', dport: UDP_PORT, family: 4, chain: 'PREROUTING' });
  const loss = server.dropRandomly(TRICKLE_LOSS, { family: 4, protocol: 'tcp' });
  return {
    hosts: [client, server],
    captureAt: [server],
    events: ['retransmission', 'drop'],
    async run() {
      const listener = await listen(server);
      const trickle = client.spawn(['iperf3', '-c', server.ip4, ...TRICKLE]);
      await sleep(500);
      const begin = performance.now();
      const { sent, cpuMs } = await floodUdp(client, { host: server.ip4, port: UDP_PORT, count });
      const seconds = (performance.now() - begin) / 1000;
      for (const process of [trickle, listener]) process.kill();
      await Promise.all([trickle.exited, listener.exited]);
      await untilGone(client);
      await untilGone(server);
      return { wall: sent / seconds, cpu: (sent / cpuMs) * 1000 };
    },
    truth: () => ({ segments: resent(client, server), drops: packets(firewall, loss) }),
  };
}

/** Drops at an even rate, which every contestant can record one by one. */
export function drizzle(lab: Lab, { count, rate, subnet }: { count: number; rate: number; subnet: number }): Load {
  const { client, server } = lab.twoHosts({ ipv6: false, subnet });
  const firewall = server.dropMatching({ protocol: 'udp', dport: UDP_PORT, family: 4 });
  return {
    hosts: [client, server],
    captureAt: [server],
    events: ['drop'],
    async run() {
      await blastUdp(client, { host: server.ip4, port: UDP_PORT, count, rate });
      return {};
    },
    truth: () => ({ segments: 0, drops: packets(firewall) }),
  };
}
