/** How far apart in time a packet, its drop and its retransmission may be. Times are ns, as numbers. */

import type { Resent } from './facts.ts';

export const NS_PER_US = 1e3;
export const NS_PER_MS = 1e6;
export const NS_PER_S = 1e9;

/** TCP_RTO_MAX is 120 s: no drop waits longer for its retransmission while the connection lives. */
export const WINDOW_NS = 130 * NS_PER_S;

/**
 * What explains a packet that was sent again may be recorded so much later: counters are read every few seconds, and a packet
 * waits for its next hop for three (mcast_solicit times retrans_time_ms, Documentation/networking/ip-sysctl.rst).
 */
export const PATIENCE_NS = 12 * NS_PER_S;

/** A second copy arrives at most this much after a retransmission was sent. */
export const LOOKAHEAD_NS = NS_PER_S;

/**
 * The latest time at which what was sent before can have been dropped. The drop of the retransmission itself is stamped
 * before it: the tracepoint comes after the packet has gone down the stack (__tcp_retransmit_skb, net/ipv4/tcp_output.c).
 * Where the record does not tell when TCP began to send, that is reckoned.
 */
export function latestOf({ at, cause, rtoMs, failed, spentUs }: Resent): number {
  if (spentUs !== undefined) return at - spentUs * NS_PER_US;
  if (failed !== undefined) return at - NS_PER_MS;
  if (cause === 'fast' || cause === 'loss-recovery' || cause === 'unknown') return at - 20_000;
  if (cause === 'tail-loss-probe') return at - NS_PER_MS;
  return at - Math.max(NS_PER_MS, ((rtoMs ?? 0) * NS_PER_MS) / 8);
}
