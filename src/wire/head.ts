/** The head that every record has → the fields that every packet event has. */

import { type BootNs, type WallNs, wallNs } from '../base/time.ts';
import type { OwnedEvent, PacketEvent } from '../event/kinds.ts';
import { recordHead as at, flag } from './layout.ts';
import { ownerHowOf, readProcess } from './owner-records.ts';
import { type Bytes, readAddress, readBootNs, readText, readU16, readU32, readU64 } from './reader.ts';

const ADDRESS_SIZES: Readonly<Record<number, 4 | 16>> = { 2: 4, 10: 16 };
const IFNAMSIZ = 16;

/** What the records leave to the running kernel and its clock. */
export interface Decoding {
  toWall(time: BootNs): WallNs;
  /** Name of a drop reason by its number, and its subsystem where that is not the core. */
  dropReason(code: number): { reason: string; subsystem?: string };
  resetReason(code: number): string;
  /** Symbol+offset of a kernel address; undefined when kallsyms is hidden. */
  symbol(address: bigint): string | undefined;
  /** Length of a jiffy, 1/HZ: icsk_rto is in jiffies. */
  jiffyMs: number;
}

/** What enrichment needs beyond the event: keys into maps of the kernel side. */
export interface SocketKey {
  /** Address of the struct sock, 0 when there is none. */
  sk: bigint;
  cgroupId: bigint;
  cgroupHierarchy: number;
}

/** An event, and the keys to what is not yet known of its owner. */
export interface Decoded {
  event: OwnedEvent;
  socket: SocketKey;
}

type Common = Omit<PacketEvent, 'kind'>;

export interface Head {
  /** Becomes the event: see {@link eventOf}. */
  common: { time: bigint; bootNs: bigint } & Partial<Common>;
  socket: SocketKey;
  flags: number;
  state: number;
  direction: number;
}

export function decodeHead(bytes: Bytes, offset: number, decoding: Decoding): Head {
  const stamp = readBootNs(bytes, offset + at.bootNs);
  const flags = bytes[offset + at.flags] as number;
  const head: Head = {
    common: { time: wallNs(decoding.toWall(stamp)), bootNs: stamp },
    socket: {
      sk: readU64(bytes, offset + at.sk),
      cgroupId: readU64(bytes, offset + at.ownerCgroupId),
      cgroupHierarchy: bytes[offset + at.ownerCgroupHierarchy] as number,
    },
    flags,
    state: bytes[offset + at.state] as number,
    direction: bytes[offset + at.direction] as number,
  };
  readFlow(bytes, offset, flags, head.common);
  readPlace(bytes, offset, head.common);
  readSocket(bytes, offset, flags, head.common);
  return head;
}

/** The event that a head has begun. Its other fields are added in place: copying it would take as long as decoding half of them. */
export function eventOf<E extends OwnedEvent>({ common }: Head, kind: E['kind']): E {
  const event = common as unknown as E;
  event.kind = kind;
  return event;
}

/** Bytes of an address, by AF_INET and AF_INET6; undefined for anything else. */
export const addressSize = (family: number): 4 | 16 | undefined => ADDRESS_SIZES[family];

function readFlow(bytes: Bytes, offset: number, flags: number, common: Head['common']): void {
  const size = addressSize(bytes[offset + at.family] as number);
  if (size === undefined || !(flags & flag.hasFlow)) return;
  common.family = size === 4 ? 'ipv4' : 'ipv6';
  common.src = readAddress(bytes, offset + at.flowSrc, size);
  common.dst = readAddress(bytes, offset + at.flowDst, size);
  if (!(flags & flag.hasPorts)) return;
  common.sport = readU16(bytes, offset + at.flowSport);
  common.dport = readU16(bytes, offset + at.flowDport);
}

function readPlace(bytes: Bytes, offset: number, common: Head['common']): void {
  const netns = readU32(bytes, offset + at.netns);
  if (netns !== 0) common.netns = netns;
  const device = readText(bytes, offset + at.device, IFNAMSIZ);
  if (device !== undefined) common.device = device;
}

function readSocket(bytes: Bytes, offset: number, flags: number, common: Head['common']): void {
  if (flags & flag.hasUid) common.uid = readU32(bytes, offset + at.uid);
  const inode = readU64(bytes, offset + at.inode);
  if (inode !== 0n) common.socketInode = inode;
  const cookie = readU64(bytes, offset + at.cookie);
  if (cookie !== 0n) common.socketCookie = cookie;
  const how = ownerHowOf(bytes[offset + at.ownerHow] as number);
  if (!how) return;
  const { pid, process } = readProcess(bytes, offset + at.owner);
  common.pid = pid;
  common.ownerHow = how;
  if (process !== undefined) common.process = process;
}
