/** The bytes of a dropped packet behind its record (bpf/snap.h). */

import type { CapturedPacket } from '../event/kinds.ts';
import { packetRecord as at, packetBegin } from './layout.ts';
import { type Bytes, copyBytes, readU16, readU32 } from './reader.ts';

const BEGINS: Readonly<Record<number, CapturedPacket['begin']>> = {
  [packetBegin.ethernet]: 'ethernet',
  [packetBegin.ip]: 'ip',
};
/** The two addresses of an Ethernet frame, behind which a VLAN tag stands (IEEE 802.1Q 9.3). */
const ADDRESSES = 12;
const TAG = 4;

/**
 * @param length bytes of the record that are left at `offset`
 * @returns undefined where nothing was captured
 */
export function decodePacket(bytes: Bytes, offset: number, length: number): CapturedPacket | undefined {
  if (length < at.size) return undefined;
  const begin = BEGINS[bytes[offset + at.begin] as number];
  const captured = Math.min(readU16(bytes, offset + at.captured), length - at.size);
  if (begin === undefined || captured === 0) return undefined;
  const packet = copyBytes(bytes, offset + at.size, captured);
  const whole = readU32(bytes, offset + at.length);
  if (bytes[offset + at.hasVlan] !== 1 || captured < ADDRESSES) return { begin, length: whole, bytes: packet };
  return { begin, length: whole + TAG, bytes: withTag(packet, readTag(bytes, offset)) };
}

function readTag(bytes: Bytes, offset: number): Uint8Array {
  const tag = Buffer.alloc(TAG);
  // in network byte order, as it is in the packet
  tag.writeUInt16LE(readU16(bytes, offset + at.vlanEthertype));
  tag.writeUInt16BE(readU16(bytes, offset + at.vlanTci), 2);
  return tag;
}

const withTag = (packet: Uint8Array, tag: Uint8Array): Uint8Array =>
  Buffer.concat([packet.subarray(0, ADDRESSES), tag, packet.subarray(ADDRESSES)]);
