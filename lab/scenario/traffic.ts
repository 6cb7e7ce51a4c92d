/** The kinds of traffic that faults are shown on. */

import { setTimeout as sleep } from 'node:timers/promises';
import type { DropRule, Family } from '../drop-rule.ts';
import type { Host } from '../host.ts';
import type { Lab, TopologyOptions } from '../lab.ts';
import { holdConnection, type Sink, sendTcp, startSink } from '../traffic.ts';

export interface Target {
  host: string;
  port: number;
}

/** Two hosts of which one serves. Every packet is one segment, so that a rule for every nth of them hits single ones. */
export async function served(lab: Lab, family: Family, options: TopologyOptions = {}) {
  const { client, server } = lab.twoHosts({ tso: false, ...options });
  return { client, server, ...(await serve(server, family)) };
}

/** As {@link served}, with a router between them. */
export async function servedBehindRouter(lab: Lab, family: Family, options: TopologyOptions = {}) {
  const { client, router, server } = lab.routed({ tso: false, ...options });
  return { client, router, server, ...(await serve(server, family)) };
}

/** A server process, as `nginx` in what is printed. */
export async function serve(server: Host, family: Family): Promise<{ sink: Sink; target: Target }> {
  const sink = await startSink(server, { title: 'nginx' });
  return { sink, target: { host: server.ip(family), port: sink.port } };
}

/** One connection of some 300 full packets in small bursts, to its end. */
export async function talk(from: Host, to: Target): Promise<void> {
  await sendTcp(from, { ...to, bytes: 400_000, chunkBytes: 20_000, pauseMs: 20, title: 'curl' }, { timeoutMs: 30_000 });
}

/** Tries to connect until that is refused, or the SYN was sent again so often. */
export async function knock(from: Host, to: Target, resends = 2): Promise<void> {
  const before = from.counters();
  let isOver = false;
  const over = (): void => {
    isOver = true;
  };
  sendTcp(from, { ...to, bytes: 0, title: 'curl' }).then(over, over);
  while (!isOver && from.counters().since(before).get('TcpExt.TCPSynRetrans') < resends) await sleep(50);
}

/** A connection that works until `fault` is called; then three times sends what does not arrive. RTOs follow after 0.2, 0.6 and 1.4 s. */
export async function interrupt(from: Host, to: Target, fault: () => void): Promise<void> {
  const held = await holdConnection(from, { ...to, title: 'curl' });
  await held.tell('send 1009');
  await sleep(100);
  fault();
  for (let i = 0; i < 3; i++) await held.tell('send 1009');
  await sleep(1700);
}

/** A connection that works; then a rule drops, for 0.7 s, the acknowledgements of what arrives. @returns how many it dropped */
export async function loseAcknowledgements(from: Host, to: Target, drop: () => DropRule): Promise<number> {
  const held = await holdConnection(from, { ...to, title: 'curl' });
  await held.tell('send 1009');
  await sleep(100);
  const rule = drop();
  await held.tell('send 1009');
  await sleep(700);
  const dropped = rule.packets();
  rule.remove();
  await sleep(1500);
  return dropped;
}

/** How much counters of a host have grown since this was called, by name. */
export function growth(host: Host, ...names: string[]): () => Promise<Record<string, number>> {
  const before = host.counters();
  return async () => {
    const grown = host.counters().since(before);
    return Object.fromEntries(names.map((name) => [name, grown.get(name)]));
  };
}
