/** Counters of listening sockets that refused connections: the kernel tells of a refused SYN in no other way. */

import type { Grown, Resent } from './facts.ts';
import { type Flows, portOf } from './flows.ts';
import { NS_PER_S } from './timing.ts';

const COUNTERS: ReadonlySet<string> = new Set(['ListenOverflows', 'ListenDrops', 'TCPReqQFullDrop']);
/** A SYN is resent a second after it was refused, then after two, four, … (TCP_TIMEOUT_INIT). */
const BACKOFF_NS = 4 * NS_PER_S;
const MAX_KEPT = 1000;

export class ListenCounters {
  #grown: Grown[] = [];

  add(grown: Grown): void {
    if (grown.listener === undefined || !COUNTERS.has(grown.counter)) return;
    this.#grown.push(grown);
    if (this.#grown.length > MAX_KEPT) this.#grown = this.#grown.slice(MAX_KEPT / 2);
  }

  /** The growth of the listener that the connection is to, where what was resent was sent when it grew. */
  find(resent: Resent, flows: Flows): Grown | undefined {
    const { flow, cause, at } = resent;
    if (flow === undefined || (cause !== 'syn' && cause !== 'syn-ack') || this.#grown.length === 0) return undefined;
    const server = cause === 'syn' ? flows.destination(flow) : flows.source(flow);
    return this.#grown.findLast(({ from, until, listener = -1 }) => {
      const isThen = at >= from && at <= until + BACKOFF_NS;
      return isThen && portOf(listener) === portOf(server) && (listener === server || flows.isAny(listener));
    });
  }
}
