/** `port=37897 dst=831376843 state=1`: values straight from the socket, in messages of BPF programs and in kprobe events. */

import type { IpBytes } from '../../base/ip.ts';
import type { DropEvent, RetransmitEvent } from '../../event/kinds.ts';
import { integerOf, required, type TextFields } from './fields.ts';
import { begun, causeOf, type Decode, type Endian, setDropFacts } from './log-event.ts';
import { type Flow, setState, stateOf } from './values.ts';

export const rawRetransmit: Decode = (fields, endian) => {
  const event = begun<RetransmitEvent>('retransmit');
  setRawFlow(event, fields, endian);
  const state = stateOf(fields);
  event.cause = causeOf(state);
  setState(event, state);
  return event;
};

export const rawDrop: Decode = (fields, endian) => {
  const event = begun<DropEvent>('drop');
  setRawFlow(event, fields, endian);
  setDropFacts(event, fields, 'tcp', true);
  return event;
};

const MIN_S32 = -0x8000_0000;
const MAX_U32 = 0xffff_ffff;

/** skc_dport and skc_daddr as they lie in the socket, in network byte order; skc_num, the local port, is of the host's. */
function setRawFlow(event: Flow, fields: TextFields, endian: Endian): void {
  const dport = rawPort(required(integerOf(fields, 'port=', 0, 0xffff), 'port='), endian);
  const dst = rawAddress(required(integerOf(fields, 'dst=', MIN_S32, MAX_U32), 'dst='), endian);
  const src = rawAddress(sourceOf(fields) ?? 0, endian);
  const sport = integerOf(fields, 'sport=', 0, 0xffff);
  if (dst) event.family = 'ipv4';
  if (src) event.src = src;
  if (sport) event.sport = sport;
  if (dst) event.dst = dst;
  event.dport = dport;
}

const sourceOf = (fields: TextFields): number | undefined =>
  integerOf(fields, 'src=', MIN_S32, MAX_U32) ?? integerOf(fields, 'saddr=', MIN_S32, MAX_U32);

const rawPort = (value: number, endian: Endian): number =>
  endian === 'big' ? value : ((value & 0xff) << 8) | (value >> 8);

/** 0 is the address of an IPv6 socket, or of none; `%d` prints addresses above 127 as negative numbers. */
function rawAddress(value: number, endian: Endian): IpBytes | undefined {
  if (value === 0) return undefined;
  const bytes = new Uint8Array(4);
  for (let i = 0; i < 4; i++) bytes[i] = value >>> (8 * i);
  return endian === 'big' ? bytes.reverse() : bytes;
}
