/**
 * What the recorded retransmissions of each network namespace add up to, in the terms of the kernel's counters. Which event is in which counter
 * is stated in docs/events/retransmit.md.
 */

import type { Event, RetransmitEvent, SummaryEvent } from '../event/kinds.ts';

/** Sums since the recorder began. */
export interface Totals {
  /** Segments that left the host. */
  sent: number;
  /** Segments that the kernel had counted before they failed. */
  failedLate: number;
  /** Segments that failed, in a way that does not tell whether they had been counted. */
  failedSomehow: number;
  /** Of `sent` and `failedLate`: SYNs and SYN-ACKs. */
  handshake: number;
  /** Of `sent`. */
  fast: number;
  /** Of `sent`. */
  lossRecovery: number;
  /** Events, failed ones too. */
  timeouts: number;
  /** Events. */
  probes: number;
  /** When the latest of them happened. */
  lastBootNs: bigint;
  /** How many records there were. */
  records: number;
}

export const NO_TOTALS: Readonly<Totals> = {
  sent: 0,
  failedLate: 0,
  failedSomehow: 0,
  handshake: 0,
  fast: 0,
  lossRecovery: 0,
  timeouts: 0,
  probes: 0,
  lastBootNs: 0n,
  records: 0,
};

/** A failure after the segment was counted: __tcp_retransmit_skb() had called tcp_transmit_skb(). */
const LATE: ReadonlySet<string> = new Set(['NET_XMIT_DROP', 'EPERM', 'ENOBUFS']);
/** Before it was counted. */
const EARLY: ReadonlySet<string> = new Set(['EBUSY', 'EAGAIN', 'ENOMEM']);

export class RecordedTotals {
  readonly #byNetns = new Map<number, Totals>();

  add(events: Iterable<Event>): void {
    for (const event of events) {
      if (event.kind === 'retransmit') addRetransmissions(this.#at(event.netns), event, 1);
      else if (event.kind === 'summary' && event.of === 'retransmit') {
        addRetransmissions(this.#at(event.netns), event, event.events);
      }
    }
  }

  of(netns: number): Readonly<Totals> {
    return this.#byNetns.get(netns) ?? NO_TOTALS;
  }

  /** Namespaces of which something was recorded. */
  get namespaces(): Iterable<number> {
    return this.#byNetns.keys();
  }

  forget(netns: number): void {
    this.#byNetns.delete(netns);
  }

  /** Sources that do not tell the namespace are not compared: theirs end in one that is never asked for. */
  #at(netns = 0): Totals {
    let totals = this.#byNetns.get(netns);
    if (!totals) {
      totals = { ...NO_TOTALS };
      this.#byNetns.set(netns, totals);
    }
    return totals;
  }
}

/** What a retransmission, or several that were only counted, say of themselves. */
type Told = Pick<RetransmitEvent | SummaryEvent, 'cause' | 'failed' | 'segments' | 'bootNs'>;

function addRetransmissions(totals: Totals, { cause, segments = 0, failed, bootNs = 0n }: Told, events: number): void {
  totals.records++;
  if (bootNs > totals.lastBootNs) totals.lastBootNs = bootNs;
  if (cause === 'rto' || cause === 'syn') totals.timeouts += events;
  if (failed === undefined) addSent(totals, cause, segments);
  else if (LATE.has(failed)) {
    totals.failedLate += segments;
    if (isHandshake(cause)) totals.handshake += segments;
  } else if (!EARLY.has(failed)) totals.failedSomehow += segments;
  if (failed === undefined && cause === 'tail-loss-probe') totals.probes += events;
}

function addSent(totals: Totals, cause: string | undefined, segments: number): void {
  totals.sent += segments;
  if (isHandshake(cause)) totals.handshake += segments;
  else if (cause === 'fast') totals.fast += segments;
  else if (cause === 'loss-recovery') totals.lossRecovery += segments;
}

const isHandshake = (cause: string | undefined): boolean => cause === 'syn' || cause === 'syn-ack';
