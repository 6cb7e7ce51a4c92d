/**
 * Packets for Wireshark and its kin: pcapng (draft-ietf-opsawg-pcapng). One interface for each network namespace,
 * device and first header; each packet has its captured bytes or rebuilt headers, and a comment with everything that was recorded.
 */

import type { Event } from '../event/kinds.ts';
import { formatEvent } from '../event/text.ts';
import type { EventFormat } from './format.ts';
import { type Packet, packetOf } from './packet.ts';

const SECTION_HEADER = 0x0a0d0d0a;
const INTERFACE_DESCRIPTION = 1;
const ENHANCED_PACKET = 6;
const BYTE_ORDER_MAGIC = 0x1a2b3c4d;
/** LINKTYPE_ETHERNET, and LINKTYPE_RAW: begins with an IPv4 or IPv6 header (https://www.tcpdump.org/linktypes.html). */
const LINKTYPES = { ethernet: 1, ip: 101 } as const;
const END_OF_OPTIONS = { code: 0, value: new Uint8Array() };
const COMMENT = 1;
const SHB_OS = 3;
const SHB_USERAPPL = 4;
const IF_NAME = 2;
const IF_TSRESOL = 9;
const EPB_FLAGS = 2;
/** Time stamps in 10^-9 s. */
const NANOSECONDS = 9;
const INBOUND = 1;
const OUTBOUND = 2;

/** @param application name and version of what writes the file */
export function pcapng(application: string): EventFormat {
  const interfaces = new Map<string, number>();
  return {
    begin: () => block(SECTION_HEADER, sectionBody(), [text(SHB_OS, 'Linux'), text(SHB_USERAPPL, application)]),
    add: (event) => {
      const packet = packetOf(event);
      if (!packet) return undefined;
      const name = interfaceName(event);
      const key = `${packet.begin} ${name}`;
      const known = interfaces.get(key);
      const id = known ?? interfaces.size;
      interfaces.set(key, id);
      const enhanced = packetBlock(id, event, packet);
      return known === undefined ? Buffer.concat([interfaceBlock(name, packet.begin), enhanced]) : enhanced;
    },
  };
}

/** `blue:eth0`; a question mark for what is not known. */
function interfaceName(event: Event): string {
  const { netnsName, netns, device } = event as { netnsName?: string; netns?: number; device?: string };
  return `${netnsName ?? netns ?? '?'}:${device ?? '?'}`;
}

function sectionBody(): Buffer {
  const body = Buffer.alloc(16);
  body.writeUInt32LE(BYTE_ORDER_MAGIC, 0);
  body.writeUInt16LE(1, 4);
  body.writeBigInt64LE(-1n, 8); // the length of the section is not told
  return body;
}

function interfaceBlock(name: string, begin: Packet['begin']): Buffer {
  const body = Buffer.alloc(8);
  body.writeUInt16LE(LINKTYPES[begin], 0);
  return block(INTERFACE_DESCRIPTION, body, [
    text(IF_NAME, name),
    { code: IF_TSRESOL, value: Uint8Array.of(NANOSECONDS) },
  ]);
}

function packetBlock(id: number, event: Event, { bytes, length, direction }: Packet): Buffer {
  const body = Buffer.alloc(20 + padded(bytes.length));
  body.writeUInt32LE(id, 0);
  body.writeUInt32LE(Number(event.time >> 32n), 4);
  body.writeUInt32LE(Number(event.time & 0xffff_ffffn), 8);
  body.writeUInt32LE(bytes.length, 12);
  body.writeUInt32LE(length, 16);
  body.set(bytes, 20);
  const flags = Buffer.alloc(4);
  flags.writeUInt32LE(direction === 'in' ? INBOUND : direction === 'out' ? OUTBOUND : 0);
  const comment = formatEvent(event, { width: Number.POSITIVE_INFINITY, color: false });
  return block(ENHANCED_PACKET, body, [text(COMMENT, comment), { code: EPB_FLAGS, value: flags }]);
}

interface Option {
  readonly code: number;
  readonly value: Uint8Array;
}

/** The length of an option is 16 bits; a character that is cut becomes U+FFFD in a reader. */
const MAX_OPTION = 0xffff;

const text = (code: number, value: string): Option => ({ code, value: Buffer.from(value).subarray(0, MAX_OPTION) });

function block(type: number, body: Uint8Array, options: readonly Option[]): Buffer {
  const all = [...options, END_OF_OPTIONS];
  const length = 12 + body.length + all.reduce((sum, { value }) => sum + 4 + padded(value.length), 0);
  const bytes = Buffer.alloc(length);
  bytes.writeUInt32LE(type, 0);
  bytes.writeUInt32LE(length, 4);
  bytes.set(body, 8);
  let at = 8 + body.length;
  for (const { code, value } of all) {
    bytes.writeUInt16LE(code, at);
    bytes.writeUInt16LE(value.length, at + 2);
    bytes.set(value, at + 4);
    at += 4 + padded(value.length);
  }
  bytes.writeUInt32LE(length, length - 4);
  return bytes;
}

const padded = (length: number): number => (length + 3) & ~3;
