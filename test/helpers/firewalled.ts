/** Packets that a firewall drops, and what a recorder knows of them. */

import { setTimeout as sleep } from 'node:timers/promises';
import type { DropRule } from '../../lab/drop-rule.ts';
import type { Host } from '../../lab/host.ts';
import { Lab } from '../../lab/lab.ts';
import type { Recorder } from '../../lab/recorder.ts';
import { blastUdp } from '../../lab/traffic.ts';

/** What {@link blast} sends to. */
export const PORT = 9999;
/** Longer than the kernel waits before it frees what lies in a closed socket. */
export const QUIET_MS = 200;

export interface Hosts {
  client: Host;
  server: Host;
  /** Drops what {@link blast} sends, on the server. */
  rule: DropRule;
}

/** Two hosts, one of which drops. */
export async function withHosts<T>(use: (hosts: Hosts) => Promise<T>): Promise<T> {
  await using lab = Lab.create();
  const { client, server } = lab.twoHosts({ ipv6: false });
  const rule = server.dropMatching({ protocol: 'udp', dport: PORT });
  await sleep(QUIET_MS);
  return await use({ client, server, rule });
}

/** @param rate packets a second; as fast as possible, when absent */
export const blast = ({ client, server }: Hosts, count: number, rate?: number) =>
  blastUdp(client, { host: server.ip4, port: PORT, count, ...(rate === undefined ? {} : { rate }) });

export const firewalled = (recorder: Recorder) =>
  recorder.eventsOf('drop', '--reason', 'NETFILTER_DROP', '--port', String(PORT));

/** How many of the firewall's drops are only counted. */
export const summarized = (recorder: Recorder): number =>
  recorder.eventsOf('summary', '--reason', 'NETFILTER_DROP').reduce((sum, { events }) => sum + events, 0);

export const coverage = (recorder: Recorder) =>
  recorder.eventsOf('coverage').map(({ state, count, why }) => ({ state, count, why }));
