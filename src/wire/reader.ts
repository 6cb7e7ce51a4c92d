/** Reads of fixed places in a record's bytes, in the byte order of this host (all that losslog runs on is little-endian). */

import { bootNs } from '../base/time.ts';

export type Bytes = Buffer;

/** A C string in a field of `size` bytes; undefined when empty. Broken UTF-8 becomes U+FFFD. */
export function readText(bytes: Bytes, at: number, size: number): string | undefined {
  let end = at;
  while (end < at + size && bytes[end] !== 0) end++;
  return end === at ? undefined : bytes.toString('utf8', at, end);
}

export const readBootNs = (bytes: Bytes, at: number) => bootNs(bytes.readBigUInt64LE(at));

/** A copy: the ring's memory is reused. */
export const copyBytes = (bytes: Bytes, at: number, size: number): Uint8Array =>
  Uint8Array.prototype.slice.call(bytes, at, at + size);
