/**
 * Values that stand in the text of events. They are set in the event that is being made: to merge objects takes longer than all the
 * rest of a line.
 */

import { type IpBytes, isV4Mapped, parseIp } from '../../base/ip.ts';
import type { DropEvent, PacketEvent, ResetEvent, RetransmitEvent } from '../../event/kinds.ts';
import { tcpStateName } from '../../wire/names.ts';
import { badField, integerOf, type Key, required, type TextFields } from './fields.ts';
import { TextMemo } from './text-memo.ts';

export type Flow = Pick<PacketEvent, 'family' | 'src' | 'sport' | 'dst' | 'dport'>;

/** The two ends as the socket has them; the IPv6 form holds IPv4 addresses too (mapped), on every kernel. */
export function setSocketFlow(event: Flow, fields: TextFields): void {
  const src = addressOf(fields, 'saddrv6=', 'saddr=');
  const dst = addressOf(fields, 'daddrv6=', 'daddr=');
  event.family = dst.length === 4 ? 'ipv4' : 'ipv6';
  event.src = src;
  event.sport = required(integerOf(fields, 'sport=', 0, 0xffff), 'sport=');
  event.dst = dst;
  event.dport = required(integerOf(fields, 'dport=', 0, 0xffff), 'dport=');
}

const addresses = new TextMemo((text) => {
  const address = parseIp(text);
  return address && isV4Mapped(address) ? address.slice(12) : address;
});

function addressOf(fields: TextFields, v6: Key, v4: Key): IpBytes {
  const text = required(fields.get(v6) ?? fields.get(v4), v4);
  const address = addresses.of(text);
  if (!address) throw badField(v4, text);
  return address;
}

/** `src=10.9.0.1:48020 dest=[fd00::2]:5001` of kernels since 6.7 (`%pISpc`). */
export function setEndpointFlow(event: Flow, fields: TextFields): void {
  const src = endpointOf(fields, 'src=');
  const dest = endpointOf(fields, 'dest=');
  if (src === undefined || dest === undefined) return;
  event.family = dest.address.length === 4 ? 'ipv4' : 'ipv6';
  event.src = src.address;
  event.sport = src.port;
  event.dst = dest.address;
  event.dport = dest.port;
}

const ENDPOINT = /^(?:\[([0-9a-f:.]+)\]|([\d.]+)):(\d{1,5})$/i;

/** Undefined where the kernel had no packet to read it from and prints no address: `(einval)`, `(efault)`. */
function endpointOf(fields: TextFields, key: Key): { address: IpBytes; port: number } | undefined {
  const text = required(fields.get(key), key);
  if (/^\(\w+\)$/.test(text)) return undefined;
  const [, v6, v4, port] = ENDPOINT.exec(text) ?? [];
  const address = addresses.of(v6 ?? v4 ?? '');
  if (!address || Number(port) > 0xffff) throw badField(key, text);
  return { address, port: Number(port) };
}

const stateNames = new TextMemo((text) => (/^TCP_\w{1,32}$/.test(text) ? text : undefined));

/** By name, or by number where the kernel that wrote a binary log was not asked for the names; `UNKNOWN` and 0 are none. */
export function stateOf(fields: TextFields): string | undefined {
  const decimal = fields.decimal('state=');
  if (decimal === undefined) return undefined;
  if (Number.isNaN(decimal)) {
    const text = fields.get('state=') ?? '';
    const name = text === 'UNKNOWN' ? undefined : stateNames.of(text);
    if (name !== undefined || text === 'UNKNOWN') return name;
  }
  const number = integerOf(fields, 'state=', 0, 255);
  return number ? tcpStateName(number) : undefined;
}

export function setState(event: Pick<RetransmitEvent, 'state'>, state: string | undefined): void {
  if (state !== undefined) event.state = state;
}

const reasons = new TextMemo((text) => (/^[\w-]{1,128}$/.test(text) ? text : undefined));

/** As printed: a name without its prefix, a number where the kernel knows no name. */
export function setReason(event: Pick<DropEvent | ResetEvent, 'reason'>, fields: TextFields): void {
  const text = fields.get('reason: ') ?? fields.get('reason=');
  if (text === undefined) return;
  const reason = reasons.of(text);
  if (reason === undefined) throw badField('reason=', text);
  event.reason = reason;
}

const SYMBOL = /^([\w.]{1,128}\+0x[0-9a-f]{1,16})(?:\/0x[0-9a-f]{1,16})?$/;
const ADDRESS = /^(?:0x)?(ffff[0-9a-f]{12})$/;

/**
 * `sym+0x1/0x2` of kernels since 6.4 (without the size in binary logs) → `sym+0x1`. Before that an address: the real one of 5.10
 * and of binary logs (kept, since only that very kernel can name it), or a hash that means nothing.
 */
const locations = new TextMemo((text) => {
  const symbol = SYMBOL.exec(text);
  if (symbol) return symbol[1];
  const address = ADDRESS.exec(text);
  return address ? `0x${address[1]}` : undefined;
});

export function setLocation(event: Pick<DropEvent, 'location'>, fields: TextFields): void {
  const text = fields.get('location=');
  const location = text === undefined ? undefined : locations.of(text);
  if (location !== undefined) event.location = location;
}
