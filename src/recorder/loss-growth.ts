/** The counters of a network namespace that tell of losses which no event shows, and by how much they grew. docs/events/counter.md lists them. */

import type { CounterEvent } from '../event/kinds.ts';
import type { DeviceCounters } from '../linux/device-counters.ts';
import type { CounterValues } from '../linux/snmp.ts';
import { nameOf } from './comparison.ts';

type Class = CounterEvent['class'];

/** By what a counter grew between two moments. */
export interface Growth {
  readonly counter: string;
  readonly count: number;
  readonly class: Class;
  readonly device?: string;
  readonly fromNs: bigint;
  readonly untilNs: bigint;
}

/** A SYN or connection that a listening socket refused; tcp_conn_request() and tcp_v4_syn_recv_sock(). */
export const LISTEN_OVERFLOWS = 'ListenOverflows';
export const LISTEN_DROPS = 'ListenDrops';
export const SYN_QUEUE_DROPS = 'TCPReqQFullDrop';
/** As they are named in events. Every `ListenOverflows` and `TCPReqQFullDrop` is in `ListenDrops`, too. */
export const LISTEN_COUNTERS: ReadonlySet<string> = new Set([
  LISTEN_OVERFLOWS,
  LISTEN_DROPS,
  SYN_QUEUE_DROPS,
  'TCPReqQFullDoCookies',
]);

const CLASSES = {
  'TcpExt.ListenOverflows': 'loss',
  'TcpExt.ListenDrops': 'loss',
  'TcpExt.TCPReqQFullDrop': 'loss',
  // The SYN is answered by a cookie; what is lost is the options of the connection.
  'TcpExt.TCPReqQFullDoCookies': 'unknown',
  'TcpExt.TCPBacklogDrop': 'loss',
  'TcpExt.RcvPruned': 'loss',
  'TcpExt.OfoPruned': 'loss',
  'TcpExt.TCPRcvQDrop': 'loss',
  'TcpExt.TCPZeroWindowDrop': 'loss',
  'TcpExt.TCPAbortOnMemory': 'loss',
  'Udp.RcvbufErrors': 'loss',
  'Udp.SndbufErrors': 'loss',
  'Udp.MemErrors': 'loss',
  'Udp6.RcvbufErrors': 'loss',
  'Udp6.SndbufErrors': 'loss',
  'Udp6.MemErrors': 'loss',
} as const satisfies Record<string, Class>;

/** Group and name of each, for {@link CounterTable}. */
export const LOSS_COUNTERS = Object.keys(CLASSES);

/** Most of the packets that a device counts as dropped are drop events, too, or of a protocol that nothing here speaks. */
const AMBIGUOUS: ReadonlySet<string> = new Set(['rx_dropped', 'tx_dropped']);
export const deviceClass = (counter: string): Class => (AMBIGUOUS.has(counter) ? 'unknown' : 'loss');

/** What a namespace counted at one moment. */
export interface Counted {
  readonly bootNs: bigint;
  /** In the order of {@link LOSS_COUNTERS}. */
  readonly losses: CounterValues;
  readonly devices: ReadonlyMap<string, DeviceCounters>;
}

/** By how much each counter grew, of those that did. A device that was not there before, or was made anew, began with zeros. */
export function growths(before: Counted, now: Counted): Growth[] {
  const stretch = { fromNs: before.bootNs, untilNs: now.bootNs };
  const grown: Growth[] = [];
  for (const [i, name] of LOSS_COUNTERS.entries()) {
    // NaN, where this kernel has no such counter, is not above 0.
    const count = (now.losses[i] as number) - (before.losses[i] as number);
    if (count > 0)
      grown.push({ counter: nameOf(name), count, class: CLASSES[name as keyof typeof CLASSES], ...stretch });
  }
  for (const [device, counters] of now.devices) {
    const known = before.devices.get(device);
    for (const [counter, value] of counters) {
      const last = known?.get(counter) ?? 0;
      const count = value < last ? value : value - last;
      if (count > 0) grown.push({ counter, count, class: deviceClass(counter), device, ...stretch });
    }
  }
  return grown;
}
