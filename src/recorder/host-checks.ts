/** What this process may do and see on this host. */

import { accessSync, constants, existsSync, readFileSync, statfsSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { errnoOf, LosslogError, messageOf } from '../base/errors.ts';
import { pollWorks } from '../bpf/poll-check.ts';
import type { Btf } from '../linux/btf.ts';
import { missingCapabilities } from '../linux/capabilities.ts';
import { isClockSynchronized } from '../linux/clock.ts';
import { Kallsyms } from '../linux/kallsyms.ts';
import { lockdownMode } from '../linux/lockdown.ts';
import { lockedMemoryLimit } from '../linux/locked-memory.ts';
import { isInInitialNamespace } from '../linux/namespaces.ts';
import { findTracefs } from '../linux/tracefs.ts';
import { attempt, type Check, finding } from './check.ts';

const MIB = 1024 * 1024;
/** The maps and programs take some 30 MiB. */
const LOCKED_BYTES = 64 * MIB;
/** A store with less room than this is soon full; its default bound is 1 GiB. */
const LITTLE_SPACE_BYTES = 1024 * MIB;

export function rightsCheck(): Check {
  return attempt('rights', 'missing', () => {
    if (!isInInitialNamespace('user')) {
      throw new LosslogError('NOT_PERMITTED', 'this is a user namespace: its capabilities are not those of the host', {
        hint: 'run it outside the user namespace; a rootless container cannot record',
      });
    }
    const lacking = missingCapabilities(['BPF', 'PERFMON']);
    if (lacking.length === 0) return 'CAP_BPF and CAP_PERFMON, or CAP_SYS_ADMIN';
    throw new LosslogError('NOT_PERMITTED', `without ${lacking.map((name) => `CAP_${name}`).join(' and ')}`, {
      hint: 'run as root, or give the process CAP_BPF and CAP_PERFMON',
    });
  });
}

/** Nothing is said where there is no lockdown: most hosts have none. */
export function lockdownChecks(root = '/'): Check[] {
  // LOCKDOWN_BPF_READ_KERNEL is a matter of this mode only (include/linux/security.h).
  if (lockdownMode(root) !== 'confidentiality') return [];
  const remedy = 'start the kernel with lockdown=integrity, which still guards it from being changed';
  return [finding('lockdown', 'missing', 'kernel lockdown keeps BPF from reading the kernel', undefined, remedy)];
}

/** Since 5.11 the memory of BPF is that of its control group, and the limit means nothing; libbpf asks for the same function. */
export function lockedMemoryChecks(btf: Btf, root = '/'): Check[] {
  if ([...btf.enumValues('bpf_func_id').values()].includes('BPF_FUNC_ktime_get_coarse_ns')) return [];
  const limit = lockedMemoryLimit(root);
  // With the capability libbpf raises the limit itself.
  const isEnough = limit >= LOCKED_BYTES || missingCapabilities(['SYS_RESOURCE'], root).length === 0;
  if (isEnough) return [{ name: 'locked memory', state: 'ok', detail: 'the limit is high enough, or can be raised' }];
  const remedy = 'ulimit -l unlimited, in a systemd unit LimitMEMLOCK=infinity';
  return [finding('locked memory', 'missing', `at most ${limit} bytes, which BPF maps count as`, undefined, remedy)];
}

export function symbolsCheck(): Check {
  return attempt(
    'symbols',
    'limited',
    () => `${Kallsyms.read().size} code symbols`,
    'the place of a drop is not named, drops without a reason cannot be judged, and forwarded packets pass for received ones',
  );
}

/** Nothing is said where the JIT cannot be asked for, as without root. */
export function jitChecks(root = '/'): Check[] {
  try {
    const enabled = readFileSync(resolve(root, 'proc/sys/net/core/bpf_jit_enable'), 'utf8').trim();
    if (enabled !== '0') return [];
  } catch (error) {
    if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'EACCES') return [];
    throw error;
  }
  const consequence = 'each event costs the host several times more';
  return [
    finding('BPF JIT', 'limited', 'programs are interpreted', consequence, 'sysctl -w net.core.bpf_jit_enable=1'),
  ];
}

export async function pollCheck(): Promise<Check> {
  if (await pollWorks()) return { name: 'poll', state: 'ok', detail: 'a ring wakes the recorder' };
  const consequence = 'the rings are looked at fifty times a second, which costs some 0.5 % of a core';
  return finding('poll', 'limited', "koffi's poll does not work with this Node.js", consequence);
}

/** The iterator over open sockets sees the tasks of the PID namespace that reads it (kernel/bpf/task_iter.c). */
export function pidNamespaceCheck(): Check {
  if (isInInitialNamespace('pid')) return { name: 'PID namespace', state: 'ok', detail: "the host's own" };
  return finding(
    'PID namespace',
    'limited',
    'this is a PID namespace of its own',
    "connections that processes outside of it accept, or opened before recording began, have no owner; process ids are the host's",
    "record in the host's: docker run --pid=host, or hostPID: true in Kubernetes",
  );
}

export function tracefsCheck(root = '/'): Check {
  const name = 'tracefs';
  try {
    return { name, state: 'ok', detail: findTracefs(root) };
  } catch (error) {
    return { name, state: 'ok', detail: `${messageOf(error)}; recording does not need it` };
  }
}

export function clockCheck(): Check {
  if (isClockSynchronized()) return { name: 'clock', state: 'ok', detail: 'synchronized' };
  return finding(
    'clock',
    'limited',
    'the kernel is not told that anything keeps the wall clock right',
    'times may not compare with those of other hosts',
    'run chrony, ntpd or systemd-timesyncd',
  );
}

/** Makes nothing: where there is no store yet, the directory that it would be made in is asked. */
export function storeCheck(dir: string): Check {
  let place = resolve(dir);
  while (!existsSync(place)) place = dirname(place);
  const refusal = whyNotWritable(place);
  if (refusal !== undefined) {
    const remedy = 'run as root, or give a directory of yours with --store DIR';
    return finding('store', 'missing', `cannot write to ${place}: ${refusal}`, undefined, remedy);
  }
  const { bavail, bsize } = statfsSync(place);
  const free = bavail * bsize;
  const detail = `${dir}, ${Math.floor(free / MIB)} MiB free`;
  if (free >= LITTLE_SPACE_BYTES) return { name: 'store', state: 'ok', detail };
  const consequence = 'once it is full nothing more is stored, which is counted';
  return finding('store', 'limited', detail, consequence, 'make room, or give another directory with --store DIR');
}

function whyNotWritable(place: string): string | undefined {
  if (!statSync(place).isDirectory()) return 'it is not a directory';
  try {
    accessSync(place, constants.W_OK | constants.X_OK);
    return undefined;
  } catch (error) {
    return errnoOf(error) ?? messageOf(error);
  }
}
