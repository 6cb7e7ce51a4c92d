/**
 * Probes of a closed receive window. A sender that may send nothing asks again and again with an old sequence number
 * and no data (tcp_xmit_probe_skb, net/ipv4/tcp_output.c), each time after about twice the time; the receiver answers
 * and drops it as TCP_OLD_SEQUENCE. A keepalive looks the same, but comes at equal intervals.
 */

import type { Dropped } from './facts.ts';
import { NS_PER_S } from './timing.ts';

/** So much longer than the last one is an interval at least; 2 would be exact, but the first one may vary. */
const GROWTH = 1.5;
/** TCP_RTO_MAX: beyond it intervals stay equal. */
const MAX_INTERVAL_NS = 121 * NS_PER_S;

export class WindowProbes {
  #last: Dropped | undefined;
  #interval = Number.POSITIVE_INFINITY;
  #run: Dropped[] = [];
  #isSure = false;

  /** @returns the drops that are known to be probes from now on: the third of a run brings the first two with it. */
  add(drop: Dropped): readonly Dropped[] {
    const interval = this.#last ? drop.at - this.#last.at : Number.POSITIVE_INFINITY;
    const grows = interval >= this.#interval * GROWTH && interval <= MAX_INTERVAL_NS;
    const isSecond = this.#run.length === 1 && interval <= MAX_INTERVAL_NS;
    if (!grows && !isSecond) {
      this.#run = [];
      this.#isSure = false;
    }
    this.#last = drop;
    this.#interval = interval;
    this.#run.push(drop);
    if (this.#run.length < 3 && !this.#isSure) return [];
    this.#isSure = true;
    const told = this.#run.length === 3 ? this.#run : [drop];
    if (this.#run.length > 3) this.#run.length = 4;
    return [...told];
  }
}
