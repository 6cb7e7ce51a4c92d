/** Decoders of what the kernel side notes about owners: socket lists, noted owners, cgroup paths. */

import type { PacketEvent } from '../event/kinds.ts';
import { owner as at, cgroupKey, cgroupPath, notedOwner, ownerHow, socketRecord } from './layout.ts';
import { type Bytes, readText, readU32, readU64 } from './reader.ts';

const COMM_SIZE = 16;

export type OwnerHow = NonNullable<PacketEvent['ownerHow']>;

const OWNER_HOW = new Map<number, OwnerHow>([
  [ownerHow.syscall, 'syscall'],
  [ownerHow.connect, 'connect'],
  [ownerHow.listen, 'listen'],
  [ownerHow.close, 'close'],
]);

/** A process that owns a socket, and the cgroup it was in. */
export interface ProcessRef {
  pid: number;
  /** comm of the group leader; undefined when it is empty. */
  process: string | undefined;
  cgroupId: bigint;
  /** 0: v2; else 1 + the id of the v1 subsystem. */
  cgroupHierarchy: number;
}

/** The `enum losslog_owner_how` of a record; undefined: the kernel side did not find the owner. */
export const ownerHowOf = (code: number): OwnerHow | undefined => OWNER_HOW.get(code);

/** The sockets that the iterator listed, by inode; of several processes that share one, the first in the kernel's order. */
export function decodeSocketList(bytes: Bytes): Map<bigint, ProcessRef> {
  const { size, inode: inodeAt, owner } = socketRecord;
  const sockets = new Map<bigint, ProcessRef>();
  for (let offset = 0; offset + size <= bytes.length; offset += size) {
    const inode = readU64(bytes, offset + inodeAt);
    if (!sockets.has(inode)) sockets.set(inode, readProcess(bytes, offset + owner));
  }
  return sockets;
}

export interface NotedOwner extends ProcessRef {
  inode: bigint;
  how: OwnerHow | undefined;
}

/** Where owners are asked for; each source of events has one. */
export interface OwnerSource {
  /** Every open IP socket by its inode, with a process that holds it. */
  listSockets(): Map<bigint, ProcessRef>;
  /** What was noted for the socket at this address. */
  notedOwner(sk: bigint): NotedOwner | undefined;
  /** The path of a cgroup that a {@link ProcessRef} or a record names, also when it is gone by now. */
  cgroupPath(id: bigint, hierarchy: number): string | undefined;
}

export const NOTED_OWNER_SIZE = notedOwner.size;

/** A value of the map `owners`. */
export function decodeNotedOwner(bytes: Bytes): NotedOwner {
  return {
    ...readProcess(bytes, notedOwner.owner),
    inode: readU64(bytes, notedOwner.inode),
    how: ownerHowOf(bytes[notedOwner.ownerHow] as number),
  };
}

/** A struct owner at `offset`. */
export function readProcess(bytes: Bytes, offset: number): ProcessRef {
  return {
    pid: readU32(bytes, offset + at.pid),
    process: readText(bytes, offset + at.comm, COMM_SIZE),
    cgroupId: readU64(bytes, offset + at.cgroupId),
    cgroupHierarchy: bytes[offset + at.cgroupHierarchy] as number,
  };
}

/** A key of the map `cgroup_paths`. */
export function encodeCgroupKey(id: bigint, hierarchy: number): Buffer {
  const key = Buffer.alloc(cgroupKey.size);
  key.writeBigUInt64LE(id, cgroupKey.id);
  key.writeBigUInt64LE(BigInt(hierarchy), cgroupKey.hierarchy);
  return key;
}

export const CGROUP_PATH_SIZE = cgroupPath.size;

/** A value of the map `cgroup_paths` as a path: `/a/b`, `/` for the root; `…/a/b` where it was too deep. */
export function decodeCgroupPath(bytes: Bytes): string {
  const length = Math.min(readU32(bytes, cgroupPath.length), cgroupPath.size - cgroupPath.names);
  const names = bytes
    .toString('utf8', cgroupPath.names, cgroupPath.names + length)
    .split('\0')
    .slice(0, -1);
  const path = `/${names.reverse().join('/')}`;
  return readU32(bytes, cgroupPath.truncated) === 0 ? path : `…${path}`;
}
