/** How much of a dropped packet is captured. */

import { LosslogError } from '../base/errors.ts';
import { packetRecord } from '../wire/layout.ts';

/** The headers up to that of the transport protocol, and nothing that they carry. */
export const HEADERS = 'headers';
/** Bytes from the begin of the packet, or {@link HEADERS}. */
export type Snaplen = number | typeof HEADERS;

export const MAX_SNAPLEN = 256;
/** Ethernet, IPv6 and the longest TCP header are 114 bytes (RFC 9293 3.1), which leaves 14 for extension headers. */
const HEADERS_ROOM = 128;

/** @throws USAGE */
export function parseSnaplen(text: string): Snaplen {
  if (text.toLowerCase() === HEADERS) return HEADERS;
  const bytes = /^\d{1,4}$/.test(text) ? Number(text) : Number.NaN;
  if (bytes <= MAX_SNAPLEN) return bytes;
  throw new LosslogError('USAGE', `"${text}" is not a number of bytes to keep of a packet`, {
    hint: `give a whole number up to ${MAX_SNAPLEN} (0: none), or ${HEADERS}`,
  });
}

/** Bytes of a packet for which a record has room. */
export const packetRoom = (snaplen: Snaplen): number => (snaplen === HEADERS ? HEADERS_ROOM : snaplen);

/** Bytes that the packet adds to a record in the ring. */
export const packetBytes = (snaplen: Snaplen): number =>
  packetRoom(snaplen) === 0 ? 0 : packetRecord.size + packetRoom(snaplen);
