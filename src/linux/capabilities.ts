/** Capabilities of this process (capabilities(7)). */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { LosslogError } from '../base/errors.ts';

/** By number, include/uapi/linux/capability.h. */
const NAMES = [
  'CHOWN',
  'DAC_OVERRIDE',
  'DAC_READ_SEARCH',
  'FOWNER',
  'FSETID',
  'KILL',
  'SETGID',
  'SETUID',
  'SETPCAP',
  'LINUX_IMMUTABLE',
  'NET_BIND_SERVICE',
  'NET_BROADCAST',
  'NET_ADMIN',
  'NET_RAW',
  'IPC_LOCK',
  'IPC_OWNER',
  'SYS_MODULE',
  'SYS_RAWIO',
  'SYS_CHROOT',
  'SYS_PTRACE',
  'SYS_PACCT',
  'SYS_ADMIN',
  'SYS_BOOT',
  'SYS_NICE',
  'SYS_RESOURCE',
  'SYS_TIME',
  'SYS_TTY_CONFIG',
  'MKNOD',
  'LEASE',
  'AUDIT_WRITE',
  'AUDIT_CONTROL',
  'SETFCAP',
  'MAC_OVERRIDE',
  'MAC_ADMIN',
  'SYSLOG',
  'WAKE_ALARM',
  'BLOCK_SUSPEND',
  'AUDIT_READ',
  'PERFMON',
  'BPF',
  'CHECKPOINT_RESTORE',
] as const;

export type Capability = (typeof NAMES)[number];

/** The effective set of this process. @throws DECODE when /proc/self/status does not name it. */
export function effectiveCapabilities(root = '/'): Set<Capability> {
  const status = readFileSync(join(root, 'proc/self/status'), 'utf8');
  const mask = /^CapEff:\s*([0-9a-f]+)$/m.exec(status)?.[1];
  if (mask === undefined) throw new LosslogError('DECODE', '/proc/self/status has no line CapEff');
  const bits = BigInt(`0x${mask}`);
  return new Set(NAMES.filter((_, number) => (bits >> BigInt(number)) & 1n));
}

/**
 * Which of these this process lacks, in the order given. SYS_ADMIN includes BPF and PERFMON, as the kernel has it
 * (bpf_capable() and perfmon_capable(), include/linux/capability.h).
 */
export function missingCapabilities(wanted: readonly Capability[], root = '/'): Capability[] {
  const held = effectiveCapabilities(root);
  const all = held.has('SYS_ADMIN') ? new Set<Capability>([...held, 'BPF', 'PERFMON']) : held;
  return wanted.filter((name) => !all.has(name));
}
