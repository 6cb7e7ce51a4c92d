/** Events in, verdicts out: a store of its own for each question. */

import type { TestContext } from 'node:test';
import { parseIp } from '../base/ip.ts';
import { NS_PER_S, type WallNs, wallNs } from '../base/time.ts';
import type { Filter } from '../event/filter.ts';
import type { DropEvent, Event, ResetEvent, RetransmitEvent } from '../event/kinds.ts';
import { EPOCH } from '../store/arbitrary-event.test-util.ts';
import { StoreReader, StoreWriter } from '../store/store.ts';
import { SESSION, temporaryDirectory } from '../store/temporary-store.test-util.ts';
import { explainPeriod } from './incidents.ts';
import type { Incident } from './types.ts';

const CLIENT = parseIp('10.0.0.1') as Uint8Array;
const SERVER = parseIp('10.0.0.9') as Uint8Array;

/** A recorder runs from a minute before the epoch to this long after it. */
const MINUTES = 60n;

/** A time in milliseconds since the epoch of the tests. */
export const at = (ms: number): WallNs => wallNs(EPOCH + BigInt(Math.round(ms * 1e6)));

const toServer = { family: 'ipv4', src: CLIENT, sport: 40000, dst: SERVER, dport: 443 } as const;
const toClient = { family: 'ipv4', src: SERVER, sport: 443, dst: CLIENT, dport: 40000 } as const;

/** A retransmission of the client: by default 1000 bytes from sequence number 1000. */
export function resent(ms: number, rest: Partial<RetransmitEvent> = {}): RetransmitEvent {
  return {
    kind: 'retransmit',
    time: at(ms),
    ...toServer,
    netns: 1,
    cause: 'rto',
    seq: 1000,
    endSeq: 2000,
    segments: 1,
    rtoMs: 200,
    process: 'curl',
    ...rest,
  };
}

/** A drop of the client's packet with these bytes, at the server. */
export function drop(ms: number, rest: Partial<DropEvent> = {}): DropEvent {
  return {
    kind: 'drop',
    time: at(ms),
    ...toServer,
    netns: 2,
    device: 'eth0',
    reason: 'NETFILTER_DROP',
    location: 'nft_do_chain+0x3e8',
    class: 'loss',
    direction: 'rx',
    protocol: 'tcp',
    tcpFlags: 'PSH|ACK',
    seq: 1000,
    endSeq: 2000,
    ack: 1,
    ...rest,
  };
}

/** A drop of the server's acknowledgement, at the client. */
export const droppedAck = (ms: number, ack: number): DropEvent =>
  drop(ms, { ...toClient, netns: 1, tcpFlags: 'ACK', seq: 1, endSeq: 1, ack });

export const reset = (ms: number, rest: Partial<ResetEvent>): ResetEvent => ({
  kind: 'reset',
  time: at(ms),
  ...toServer,
  direction: 'received',
  netns: 1,
  ...rest,
});

export interface Asked {
  /** What the recorder was told to leave out. */
  recorded?: string;
  filter?: Filter;
}

/** The store of the events. */
export function storeOf(t: TestContext, events: readonly Event[], recorded?: string): StoreReader {
  const dir = temporaryDirectory(t);
  let now = wallNs(EPOCH - 60n * NS_PER_S);
  const session = recorded === undefined ? SESSION : { ...SESSION, filter: recorded };
  const writer = StoreWriter.open(dir, session, { now: () => now });
  writer.write(events);
  now = wallNs(EPOCH + MINUTES * 60n * NS_PER_S);
  writer.close();
  const reader = StoreReader.open(dir);
  t.after(() => reader.close());
  return reader;
}

export function incidentsOf(
  t: TestContext,
  events: readonly Event[],
  { recorded, filter = {} }: Asked = {},
): Incident[] {
  return explainPeriod(storeOf(t, events, recorded), filter, { now: at(3_600_000) });
}

/** `firewall certain 1R 1D`: the rule of each incident, how sure it is, and how many events it explains. */
export function why(t: TestContext, events: readonly Event[], asked: Asked = {}): string[] {
  return incidentsOf(t, events, asked).map(({ rule, sureness, amount }) => {
    const parts = [
      [amount.retransmissions, 'R'],
      [amount.drops, 'D'],
      [amount.resets, 'X'],
      [amount.counted, 'C'],
    ].filter(([count]) => count !== 0);
    return [rule, sureness, ...parts.map((part) => part.join(''))].join(' ');
  });
}
