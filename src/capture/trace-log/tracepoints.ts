/** The kernel's own tracepoints as text, in the formats of Linux 4.15 to 7.x: include/trace/events/tcp.h and skb.h. */

import type { DropEvent, ResetEvent, RetransmitEvent } from '../../event/kinds.ts';
import { ethertypeName, transmitErrorName } from '../../wire/names.ts';
import { badField, integerOf, required, type TextFields } from './fields.ts';
import { begun, causeOf, type Decode, setDropFacts, type Untimed } from './log-event.ts';
import { setEndpointFlow, setReason, setSocketFlow, setState, stateOf } from './values.ts';

const retransmitSkb: Decode = (fields) => {
  const event = begun<RetransmitEvent>('retransmit');
  setSocketFlow(event, fields);
  const state = stateOf(fields);
  event.cause = causeOf(state);
  const failed = transmitErrorName(integerOf(fields, 'err=', -4095, 4095) ?? 0);
  if (failed !== undefined) event.failed = failed;
  setState(event, state);
  return event;
};

const retransmitSynack: Decode = (fields) => {
  const event = begun<RetransmitEvent>('retransmit');
  setSocketFlow(event, fields);
  event.cause = 'syn-ack';
  return event;
};

const sendReset: Decode = (fields) => {
  const event = begun<ResetEvent>('reset');
  setResetFlow(event, fields);
  event.direction = 'sent';
  setReason(event, fields);
  setState(event, stateOf(fields));
  return event;
};

const receiveReset: Decode = (fields) => {
  const event = begun<ResetEvent>('reset');
  setResetFlow(event, fields);
  setCookie(event, fields);
  event.direction = 'received';
  setState(event, stateOf(fields));
  return event;
};

function setResetFlow(event: Untimed<ResetEvent>, fields: TextFields): void {
  if (fields.has('src=')) setEndpointFlow(event, fields);
  else setSocketFlow(event, fields);
}

/** In hexadecimal; 0 where the socket has none. */
function setCookie(event: Untimed<ResetEvent>, fields: TextFields): void {
  const text = fields.get('sock_cookie=');
  if (text === undefined || text === '0') return;
  if (!/^(?:0x)?[0-9a-f]{1,16}$/.test(text)) throw badField('sock_cookie=', text);
  const cookie = BigInt(text.startsWith('0x') ? text : `0x${text}`);
  if (cookie !== 0n) event.socketCookie = cookie;
}

/** ETH_P_IP and ETH_P_IPV6 */
const FAMILIES: Readonly<Record<number, 'ipv4' | 'ipv6'>> = { 2048: 'ipv4', 34525: 'ipv6' };

const kfreeSkb: Decode = (fields) => {
  const event = begun<DropEvent>('drop');
  const ethertype = required(integerOf(fields, 'protocol=', 0, 0xffff), 'protocol=');
  const family = FAMILIES[ethertype];
  const protocol = family ? undefined : ethertypeName(ethertype);
  if (family) event.family = family;
  setDropFacts(event, fields, protocol, ethertype !== 0);
  return event;
};

export const tracepoints: ReadonlyMap<string, Decode> = new Map([
  ['tcp_retransmit_skb', retransmitSkb],
  ['tcp_retransmit_synack', retransmitSynack],
  ['tcp_send_reset', sendReset],
  ['tcp_receive_reset', receiveReset],
  ['kfree_skb', kfreeSkb],
]);
