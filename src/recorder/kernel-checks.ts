/** What the running kernel offers, asked of its type information and of its verifier. */

import { LosslogError, messageOf } from '../base/errors.ts';
import { wallNs } from '../base/time.ts';
import { BpfCapture } from '../capture/bpf-capture.ts';
import { kernelFacts } from '../capture/kernel-facts.ts';
import { FtraceCapture } from '../capture/tracefs/ftrace-capture.ts';
import type { Btf } from '../linux/btf.ts';
import { WallClock } from '../linux/clock.ts';
import { readKernelBtf, readModuleBtfs } from '../linux/kernel-btf.ts';
import { requireKprobes } from '../linux/kprobe-events.ts';
import { openTracefs } from '../linux/tracefs-mount.ts';
import { attempt, type Check, finding } from './check.ts';

const NEWER = 'a newer kernel';

/** The programs' needs that came last: 5.8, or a backport. */
const NEEDED_TYPES = ['BPF_MAP_TYPE_RINGBUF'];
const NEEDED_FUNCTIONS = ['BPF_FUNC_ringbuf_reserve', 'BPF_FUNC_ktime_get_boot_ns', 'BPF_FUNC_seq_write'];

/** The kernel's type information, or the check that says why there is none. */
export function kernelBtf(): Btf | Check {
  try {
    return readKernelBtf();
  } catch (error) {
    return finding(
      'BTF',
      'missing',
      messageOf(error),
      undefined,
      error instanceof LosslogError ? error.hint : undefined,
    );
  }
}

export function kernelChecks(btf: Btf): Check[] {
  const facts = kernelFacts(btf, () => readModuleBtfs(btf));
  const retransmit = 'err of tcp_retransmit_skb';
  return [
    { name: 'BTF', state: 'ok', detail: '/sys/kernel/btf/vmlinux' },
    bpfFeatures(btf),
    ...facts.available.map(({ tracepoint }): Check => ({ name: tracepoint, state: 'ok', detail: 'tracepoint found' })),
    ...facts.missing.map(({ tracepoint, without }) =>
      finding(tracepoint, 'limited', 'this kernel has no such tracepoint', without, NEWER),
    ),
    told(facts.retransmitHasErr, retransmit, 'a resent packet that did not leave the host is not recorded'),
    told(facts.dropHasReason, 'reason of kfree_skb', 'drops are told apart by their place only'),
    told(
      facts.dropHasRxSk,
      'rx_sk of kfree_skb',
      'the owner of a packet dropped on its way in is found by its addresses only',
    ),
    told(facts.resetHasReason, 'reason of tcp_send_reset', 'it is not told why a reset was sent'),
    told(facts.hasSocketCookie, 'bpf_get_socket_cookie()', 'a socket has a cookie only when a program asked for it'),
    conntrack(facts.conntrack !== undefined),
  ];
}

/** Loads the programs into the kernel and removes them again: the verifier has the last word. */
export function programsCheck(): Check {
  return attempt('programs', 'missing', () => {
    const clock = new WallClock();
    const capture = BpfCapture.open({ netns: [], drops: true, toWall: (time) => clock.toWall(time) });
    capture.close();
    return 'the kernel accepts them';
  });
}

/** Makes a tracing instance and removes it again. */
export function ftraceCheck(): Check {
  return attempt('ftrace', 'limited', () => {
    const capture = new FtraceCapture({ netns: [], drops: true, toWall: (time) => wallNs(time) });
    capture.close();
    return `records without BPF, too (record --source ftrace): ${capture.probes.join(', ')}`;
  });
}

/** Whether `record --source kprobe` can be asked for. */
export function kprobeCheck(): Check {
  return attempt(
    'kprobe',
    'limited',
    () => {
      const tracefs = openTracefs();
      try {
        requireKprobes(tracefs.path);
        return 'records without BPF and without the tracepoints of TCP, too (record --source kprobe)';
      } finally {
        tracefs.close();
      }
    },
    'record --source kprobe is not possible; nothing else needs it',
  );
}

function bpfFeatures(btf: Btf): Check {
  const names = (type: string): Set<string> => new Set(btf.enumValues(type).values());
  const lacking = [
    ...NEEDED_TYPES.filter((name) => !names('bpf_map_type').has(name)),
    ...NEEDED_FUNCTIONS.filter((name) => !names('bpf_func_id').has(name)),
  ];
  if (lacking.length === 0) return { name: 'BPF', state: 'ok', detail: 'ring buffers, iterators and boot time' };
  return finding('BPF', 'missing', `this kernel lacks ${lacking.join(', ')}`, undefined, 'Linux 5.8 or newer');
}

function conntrack(isKnown: boolean): Check {
  const name = 'connection tracking';
  if (isKnown) return { name, state: 'ok', detail: 'drops tell the addresses before NAT' };
  const consequence = 'where NAT changes both ends of a connection, drops are found by sequence numbers only';
  return finding(
    name,
    'limited',
    'there is none, or its module is not loaded',
    consequence,
    'modprobe nf_conntrack, then a new start of the recorder',
  );
}

/** Something that newer kernels tell. */
function told(present: boolean, name: string, consequence: string): Check {
  if (present) return { name, state: 'ok', detail: 'this kernel tells it' };
  return finding(name, 'limited', 'this kernel does not tell it', consequence, NEWER);
}
