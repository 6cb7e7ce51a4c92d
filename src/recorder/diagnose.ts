/** What this host can and cannot record, asked of the host itself. */

import { LosslogError, messageOf } from '../base/errors.ts';
import { libbpf } from '../bpf/libbpf.ts';
import { objectPath } from '../bpf/object-path.ts';
import { type KernelFacts, kernelFacts } from '../capture/kernel-facts.ts';
import { readBootIdentity } from '../linux/boot.ts';
import { missingCapabilities } from '../linux/capabilities.ts';
import { Kallsyms } from '../linux/kallsyms.ts';
import { readKernelBtf } from '../linux/kernel-btf.ts';

export interface Check {
  name: string;
  /** `missing`: nothing can be recorded without it. `limited`: recording works, and `consequence` says what is not seen. */
  state: 'ok' | 'limited' | 'missing';
  detail: string;
  consequence?: string;
  remedy?: string;
}

/** Every check, in the order in which recording needs them. */
export async function diagnose(): Promise<Check[]> {
  const { kernelRelease } = readBootIdentity();
  return [
    { name: 'kernel', state: 'ok', detail: `Linux ${kernelRelease}` },
    attempt('rights', 'missing', checkRights),
    attempt('libbpf', 'missing', () => {
      libbpf();
      return 'libbpf.so.1 is loaded';
    }),
    attempt('BPF object', 'missing', () => objectPath().pathname),
    ...kernelChecks(),
    attempt('symbols', 'limited', () => `${Kallsyms.read().size} code symbols`, 'the place of a drop is not named'),
    LISTEN_QUEUES,
  ];
}

const LISTEN_QUEUES: Check = {
  name: 'listen queues',
  state: 'limited',
  detail: 'a SYN or connection refused by a full queue is freed without any drop event, on every kernel',
  consequence: 'only the resent SYNs of the client are seen',
  remedy: 'watch ListenOverflows and ListenDrops: nstat -az TcpExtListenOverflows TcpExtListenDrops',
};

/** Runs one check; what it throws is its finding. */
function attempt(name: string, failed: 'limited' | 'missing', check: () => string, consequence?: string): Check {
  try {
    return { name, state: 'ok', detail: check() };
  } catch (error) {
    const hint = error instanceof LosslogError ? error.hint : undefined;
    return {
      name,
      state: failed,
      detail: messageOf(error),
      ...(consequence === undefined ? {} : { consequence }),
      ...(hint === undefined ? {} : { remedy: hint }),
    };
  }
}

function checkRights(): string {
  const lacking = missingCapabilities(['BPF', 'PERFMON']);
  if (lacking.length === 0) return 'CAP_BPF and CAP_PERFMON, or CAP_SYS_ADMIN';
  throw new LosslogError('NOT_PERMITTED', `without ${lacking.map((name) => `CAP_${name}`).join(' and ')}`, {
    hint: 'run as root, or give the process CAP_BPF and CAP_PERFMON',
  });
}

function kernelChecks(): Check[] {
  let facts: KernelFacts;
  try {
    facts = kernelFacts(readKernelBtf());
  } catch (error) {
    return [
      attempt('BTF', 'missing', () => {
        throw error;
      }),
    ];
  }
  return [
    { name: 'BTF', state: 'ok', detail: '/sys/kernel/btf/vmlinux' },
    ...facts.available.map(({ tracepoint }): Check => ({ name: tracepoint, state: 'ok', detail: 'tracepoint found' })),
    ...facts.missing.map(
      ({ tracepoint, without }): Check => ({
        name: tracepoint,
        state: 'limited',
        detail: 'this kernel has no such tracepoint',
        consequence: without,
        remedy: 'a newer kernel',
      }),
    ),
    field(
      facts.retransmitHasErr,
      'err of tcp_retransmit_skb',
      'a resent packet that did not leave the host is not recorded',
    ),
    field(facts.dropHasReason, 'reason of kfree_skb', 'drops are told apart by their place only'),
    field(
      facts.dropHasRxSk,
      'rx_sk of kfree_skb',
      'the owner of a packet dropped on its way in is found by its addresses only',
    ),
    field(facts.resetHasReason, 'reason of tcp_send_reset', 'it is not told why a reset was sent'),
    field(facts.hasSocketCookie, 'bpf_get_socket_cookie()', 'a socket has a cookie only when a program asked for it'),
  ];
}

/** Something that newer kernels tell. */
function field(present: boolean, name: string, consequence: string): Check {
  if (present) return { name, state: 'ok', detail: 'this kernel tells it' };
  return { name, state: 'limited', detail: 'this kernel does not tell it', consequence, remedy: 'a newer kernel' };
}
