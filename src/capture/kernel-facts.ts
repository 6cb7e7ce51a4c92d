/** What the running kernel offers to the BPF capture, asked of its type information and never of its version. */

import type { Btf } from '../linux/btf.ts';
import { BtfKind } from '../linux/btf.ts';
import { placesOfBtf } from '../linux/field-offsets.ts';
import { probe } from '../wire/layout.ts';
import { type ConntrackFacts, conntrackFacts } from './conntrack-facts.ts';

/** A tracepoint, the programs that hang on it, and what is lost without it. */
export interface Probe {
  readonly tracepoint: string;
  /** Its place in the counters of the kernel side (enum losslog_probe). */
  readonly index: number;
  /** Ends the sentence "without it …". */
  readonly without: string;
  /** Only recorded when drops are asked for. */
  readonly drops?: true;
}

export const PROBES: readonly Probe[] = [
  { tracepoint: 'tcp_retransmit_skb', index: probe.tcpRetransmitSkb, without: 'no retransmission is seen' },
  {
    tracepoint: 'tcp_retransmit_synack',
    index: probe.tcpRetransmitSynack,
    without: 'no SYN-ACK retransmission is seen',
  },
  { tracepoint: 'kfree_skb', index: probe.kfreeSkb, without: 'no drop is seen', drops: true },
  { tracepoint: 'tcp_send_reset', index: probe.tcpSendReset, without: 'no sent reset is seen' },
  { tracepoint: 'tcp_receive_reset', index: probe.tcpReceiveReset, without: 'no received reset is seen' },
  {
    tracepoint: 'inet_sock_set_state',
    index: probe.inetSockSetState,
    without:
      'the owner of a closed connection and of many received packets stays unknown, and no connection is summed up at its end',
  },
];

/** The program that handles the events of a probe, and the one that handles what it missed (bpf/probe.h). */
export function programsOf({ tracepoint }: Probe): { first: string; rescue: string } {
  return { first: `on_${tracepoint}`, rescue: `rescue_${tracepoint}` };
}

export interface KernelFacts {
  /** Probes whose tracepoint this kernel has. */
  readonly available: readonly Probe[];
  readonly missing: readonly Probe[];
  /** `err` of tcp_retransmit_skb: a resent packet that did not leave the host is told apart. */
  readonly retransmitHasErr: boolean;
  /** `reason` of kfree_skb. */
  readonly dropHasReason: boolean;
  /** `rx_sk` of kfree_skb: the socket of a packet dropped on its way in. */
  readonly dropHasRxSk: boolean;
  readonly resetHasReason: boolean;
  /** bpf_get_socket_cookie() for tracing programs. */
  readonly hasSocketCookie: boolean;
  /** Undefined where connection tracking is not there, or not loaded yet: then a drop does not tell the addresses before NAT. */
  readonly conntrack: ConntrackFacts | undefined;
}

/** @param modules asked for what may be of a module */
export function kernelFacts(btf: Btf, modules: () => readonly Btf[] = () => []): KernelFacts {
  const has = ({ tracepoint }: Probe): boolean =>
    btf.findByName(`btf_trace_${tracepoint}`, BtfKind.Typedef) !== undefined;
  // The first parameter of a tracepoint's function is `void *__data`.
  const argumentsOf = (tracepoint: string): number => (btf.functionParameterCount(`btf_trace_${tracepoint}`) ?? 1) - 1;
  return {
    available: PROBES.filter(has),
    missing: PROBES.filter((probe) => !has(probe)),
    retransmitHasErr: argumentsOf('tcp_retransmit_skb') >= 3,
    dropHasReason: argumentsOf('kfree_skb') >= 3,
    dropHasRxSk: argumentsOf('kfree_skb') >= 4,
    resetHasReason: argumentsOf('tcp_send_reset') >= 3,
    hasSocketCookie: btf.hasFunction('bpf_get_socket_ptr_cookie'),
    conntrack: conntrackFacts(placesOfBtf(btf), () => placesOfBtf(...modules())),
  };
}
