/** Reads of fixed places in a record's bytes, in the byte order of this host (all that losslog runs on is little-endian). */

import { bootNs } from '../base/time.ts';

export type Bytes = Buffer;

/** Places of what was read lately, by a hash of it: devices, processes and addresses repeat, and making them anew takes ten times as long. */
const RECENT = 1024;
const recentTexts: ({ readonly bytes: Uint8Array; readonly text: string } | undefined)[] =
  Array(RECENT).fill(undefined);
const recentIp4: (Uint8Array | undefined)[] = Array(RECENT).fill(undefined);

/** A C string in a field of `size` bytes; undefined when empty. Broken UTF-8 becomes U+FFFD. */
export function readText(bytes: Bytes, at: number, size: number): string | undefined {
  let end = at;
  let hash = 0;
  for (; end < at + size && bytes[end] !== 0; end++) hash = (Math.imul(hash, 31) + (bytes[end] as number)) | 0;
  if (end === at) return undefined;
  const place = hash & (RECENT - 1);
  const known = recentTexts[place];
  if (known && isSame(known.bytes, bytes, at, end)) return known.text;
  const text = bytes.toString('utf8', at, end);
  recentTexts[place] = { bytes: copyBytes(bytes, at, end - at), text };
  return text;
}

function isSame(known: Uint8Array, bytes: Bytes, at: number, end: number): boolean {
  if (known.length !== end - at) return false;
  for (let i = 0; i < known.length; i++) if (known[i] !== bytes[at + i]) return false;
  return true;
}

/** An IPv4 or IPv6 address; shared by the events that have it, so that nobody may change it. */
export function readAddress(bytes: Bytes, at: number, size: 4 | 16): Uint8Array {
  if (size === 16) return copyBytes(bytes, at, size);
  const place = Math.imul(readU32(bytes, at), 0x9e3779b1) >>> 22;
  const known = recentIp4[place];
  if (known && isSame(known, bytes, at, at + size)) return known;
  const address = copyBytes(bytes, at, size);
  recentIp4[place] = address;
  return address;
}

export const readBootNs = (bytes: Bytes, at: number) => bootNs(readU64(bytes, at));

/** Of the bytes that were read last: records come by the thousand from the memory of one ring. */
let view = new DataView<ArrayBufferLike>(new ArrayBuffer(0));
let viewed: Bytes | undefined;

/** A DataView reads a number at once; Buffer puts it together from its bytes, one of 64 bits by way of three bigints. */
function viewOf(bytes: Bytes): DataView {
  if (bytes !== viewed) {
    view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    viewed = bytes;
  }
  return view;
}

export const readU16 = (bytes: Bytes, at: number): number => viewOf(bytes).getUint16(at, true);
export const readU32 = (bytes: Bytes, at: number): number => viewOf(bytes).getUint32(at, true);
export const readI32 = (bytes: Bytes, at: number): number => viewOf(bytes).getInt32(at, true);
export const readU64 = (bytes: Bytes, at: number): bigint => viewOf(bytes).getBigUint64(at, true);

/** A copy: the ring's memory is reused. So short that a loop takes half the time of slice(). */
export function copyBytes(bytes: Bytes, at: number, size: number): Uint8Array {
  const copy = new Uint8Array(size);
  for (let i = 0; i < size; i++) copy[i] = bytes[at + i] as number;
  return copy;
}
