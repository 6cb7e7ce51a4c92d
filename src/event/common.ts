/** Fields that every kind of event may have. */

import type { FieldTable } from './field.ts';

/** When, and on which host's network. `time` and `kind` come first in every output. */
export const timeFields = {
  time: { type: 'wall', required: true, doc: 'Wall-clock time of the event, UTC, with nanoseconds.' },
  bootNs: {
    type: 'u64',
    unit: 'ns',
    doc: 'Time since boot, suspend included, as the kernel stamped it (bpf_ktime_get_boot_ns).',
  },
} as const satisfies FieldTable;

export const flowFields = {
  family: { type: { values: ['ipv4', 'ipv6'] }, doc: 'Address family. IPv4-mapped IPv6 addresses are shown as ipv4.' },
  src: {
    type: 'ip',
    doc: 'Source address. Of a drop: the source of the dropped packet. Of a retransmission or reset: the local end of the connection.',
  },
  sport: { type: 'int', doc: 'Source port, host byte order.' },
  dst: { type: 'ip', doc: 'Destination address. Of a retransmission or reset: the peer.' },
  dport: { type: 'int', doc: 'Destination port, host byte order.' },
} as const satisfies FieldTable;

export const placeFields = {
  netns: {
    type: 'int',
    doc: 'Inode number of the network namespace in which it happened (`ls -L -i /proc/PID/ns/net`).',
  },
  netnsName: { type: 'text', doc: 'Name of that namespace under /run/netns, when it has one.' },
  device: { type: 'text', doc: 'Network device of the skb (skb->dev) at that moment.' },
} as const satisfies FieldTable;

/** How the owner was found; see docs/design/owner.md. */
export const OWNER_HOW = [
  /** The task that was inside a system call on this very socket. */
  'syscall',
  /** The task that called connect(), noted when it did. */
  'connect',
  /** The task that called listen(). */
  'listen',
  /** The task that closed the socket, noted when it did: the owner of an orphan. */
  'close',
  /** A process that held the socket open when the kernel's file tables were read. */
  'fd',
] as const;

export const ownerFields = {
  cgroup: {
    type: 'text',
    doc: "Path of the owner's cgroup, relative to the root of its hierarchy (v2, or v1 when v2 has only the root).",
  },
  container: {
    type: 'text',
    doc: 'Container id (64 hex digits, or what the runtime puts there) taken from the cgroup path.',
  },
  uid: { type: 'int', doc: 'User id of the socket (sk_uid).' },
  socketInode: { type: 'u64', doc: 'Inode number of the socket: the N of `socket:[N]` in /proc/PID/fd.' },
  socketCookie: { type: 'u64', doc: 'Cookie of the socket, unique until reboot (`ss -e`: `sk:`, SO_COOKIE).' },
  pid: {
    type: 'int',
    doc: 'Process id of the owner of the socket, in the initial pid namespace. Never the interrupted task.',
  },
  process: { type: 'text', doc: "Name of the owner's process (comm of its group leader)." },
  ownerHow: {
    type: { values: OWNER_HOW },
    doc: 'How the owner was found; absent together with pid and process when it is unknown.',
  },
} as const satisfies FieldTable;

/** What an event of one packet or one connection carries before the fields of its kind. */
export const commonFields = {
  ...timeFields,
  ...flowFields,
  ...placeFields,
  ...ownerFields,
} as const satisfies FieldTable;
