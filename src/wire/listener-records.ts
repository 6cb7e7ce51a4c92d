/** The listening sockets that the kernel side listed → what each has refused, and whose it is. */

import type { IpBytes } from '../base/ip.ts';
import { listenerRecord as at } from './layout.ts';
import { type ProcessRef, readProcess } from './owner-records.ts';
import { type Bytes, copyBytes, readU16, readU32, readU64 } from './reader.ts';

const AF_INET = 2;

/** A TCP socket that listens. */
export interface Listener {
  readonly netns: number;
  readonly inode: bigint;
  /** Absent while nobody asked for it. */
  readonly cookie?: bigint;
  readonly uid: number;
  /** `0.0.0.0` or `::` where it listens on every address. */
  readonly src: IpBytes;
  readonly sport: number;
  /** SYNs and connections that it refused since it was made, modulo 2^32 (sk_drops). */
  readonly drops: number;
  readonly queue: number;
  readonly backlog: number;
  readonly synQueue: number;
  /** A process that holds it. */
  readonly owner: ProcessRef;
}

/** By inode; of several processes that share a socket, the first in the kernel's order. */
export function decodeListeners(bytes: Bytes): Map<bigint, Listener> {
  const listeners = new Map<bigint, Listener>();
  for (let offset = 0; offset + at.size <= bytes.length; offset += at.size) {
    const inode = readU64(bytes, offset + at.inode);
    if (!listeners.has(inode)) listeners.set(inode, decodeListener(bytes, offset, inode));
  }
  return listeners;
}

function decodeListener(bytes: Bytes, offset: number, inode: bigint): Listener {
  const u32 = (field: number): number => readU32(bytes, offset + field);
  const cookie = readU64(bytes, offset + at.cookie);
  return {
    netns: u32(at.netns),
    inode,
    ...(cookie === 0n ? {} : { cookie }),
    uid: u32(at.uid),
    src: copyBytes(bytes, offset + at.flowSrc, bytes[offset + at.family] === AF_INET ? 4 : 16),
    sport: readU16(bytes, offset + at.flowSport),
    drops: u32(at.drops),
    queue: u32(at.queue),
    backlog: u32(at.backlog),
    synQueue: u32(at.synQueue),
    owner: readProcess(bytes, offset + at.owner),
  };
}
