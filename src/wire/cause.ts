/**
 * Which mechanism resent a segment, from two facts of the socket at the hook. Evidence and limits:
 * docs/events/retransmit.md.
 */

import type { RetransmitEvent } from '../event/kinds.ts';

/** enum tcp_ca_state, include/uapi/linux/tcp.h */
const CA_RECOVERY = 3;
const CA_LOSS = 4;
/** ICSK_TIME_LOSS_PROBE, include/net/inet_connection_sock.h */
const PENDING_LOSS_PROBE = 5;
const TCP_SYN_SENT = 2;

/**
 * @param state TCP state of the socket
 * @param caState icsk_ca_state
 * @param pending icsk_pending: the timer that is armed. The retransmission timer clears it before it resends
 *   (tcp_write_timer_handler), an incoming ACK leaves it.
 */
export function causeOf(state: number, caState: number, pending: number): RetransmitEvent['cause'] {
  if (state === TCP_SYN_SENT) return 'syn';
  if (caState === CA_LOSS) return pending === 0 ? 'rto' : 'loss-recovery';
  if (caState === CA_RECOVERY) return 'fast';
  if (caState < CA_RECOVERY && pending === PENDING_LOSS_PROBE) return 'tail-loss-probe';
  return 'unknown';
}
