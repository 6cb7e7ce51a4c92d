/** Entries of the maps `summaries` and `summary_totals` → events. */

import { bootNs } from '../base/time.ts';
import type { SummaryEvent } from '../event/kinds.ts';
import { causeOf } from './cause.ts';
import { dropDirection } from './decode.ts';
import { classOf } from './drop-class.ts';
import { addressSize, type Decoded, type Decoding } from './head.ts';
import { summaryKey as at, direction, fact, kind, summary as value } from './layout.ts';
import { ethertypeName, protocolName, tcpStateName, transmitErrorName } from './names.ts';
import { type Bytes, copyBytes } from './reader.ts';

/** What the event that sums up several begins with. */
type Counts = Pick<SummaryEvent, 'kind' | 'time' | 'bootNs' | 'from' | 'until' | 'events'>;

/** The kind that a record's kind is an event of. */
export const summarizedKind = (recordKind: number): SummaryEvent['of'] =>
  recordKind === kind.drop ? 'drop' : recordKind === kind.reset ? 'reset' : 'retransmit';

export interface Entry {
  readonly keys: Bytes;
  readonly keyAt: number;
  readonly values: Bytes;
  readonly valueAt: number;
}

/** The generation under which an entry was counted. */
export const generationOf = ({ keys, keyAt }: Entry): number => keys.readUInt32LE(keyAt + at.generation);

/** @param isTotal an entry of `summary_totals`, which does not tell connections apart */
export function decodeSummary(entry: Entry, isTotal: boolean, decoding: Decoding): Decoded & { event: SummaryEvent } {
  const { keys, keyAt } = entry;
  const recordKind = keys[keyAt + at.kind] as number;
  const sk = recordKind === kind.drop ? 0n : keys.readBigUInt64LE(keyAt + at.place);
  const event: SummaryEvent = { ...readCounts(entry, decoding), of: summarizedKind(recordKind) };
  if (event.of === 'retransmit') event.segments = Number(entry.values.readBigUInt64LE(entry.valueAt + value.segments));
  if (event.of !== 'reset') event.bytes = Number(entry.values.readBigUInt64LE(entry.valueAt + value.bytes));
  const netns = keys.readUInt32LE(keyAt + at.netns);
  if (netns !== 0) event.netns = netns;
  if (isTotal && recordKind !== kind.drop) event.lacks = 'connection';
  readConnection(entry, event);
  if (recordKind === kind.drop) readDrop(entry, event, decoding);
  else if (recordKind === kind.reset) readReset(entry, event, decoding);
  else readRetransmission(entry, event, recordKind);
  return { event, socket: { sk, cgroupId: 0n, cgroupHierarchy: 0 } };
}

function readCounts({ values, valueAt }: Entry, { toWall, jiffyMs }: Decoding): Counts {
  const u64 = (field: number): bigint => values.readBigUInt64LE(valueAt + field);
  const first = u64(value.firstNs);
  const jiffies = Number(u64(value.lastJiffies) - u64(value.firstJiffies));
  const last = first + BigInt(Math.max(0, Math.round(jiffies * jiffyMs * 1e6)));
  const from = toWall(bootNs(first));
  return {
    kind: 'summary',
    time: from,
    bootNs: first,
    events: Number(u64(value.events)),
    from,
    until: toWall(bootNs(last)),
  };
}

function readConnection({ values, valueAt }: Entry, event: SummaryEvent): void {
  const size = addressSize(values[valueAt + value.family] as number);
  if (size === undefined) return;
  event.family = size === 4 ? 'ipv4' : 'ipv6';
  const sport = values.readUInt16LE(valueAt + value.flowSport);
  const dport = values.readUInt16LE(valueAt + value.flowDport);
  const src = copyBytes(values, valueAt + value.flowSrc, size);
  if (sport !== 0) event.sport = sport;
  const inode = values.readBigUInt64LE(valueAt + value.inode);
  if (inode !== 0n) event.socketInode = inode;
  // a listener, which stands for the connections that it has not accepted: it has no peer, and maybe no address
  if (dport !== 0 || src.some((byte) => byte !== 0)) event.src = src;
  if (dport === 0) return;
  event.dst = copyBytes(values, valueAt + value.flowDst, size);
  event.dport = dport;
}

function readRetransmission({ keys, keyAt }: Entry, event: SummaryEvent, recordKind: number): void {
  if (recordKind === kind.synack) {
    event.cause = 'syn-ack';
    return;
  }
  const byte = (field: number): number => keys[keyAt + field] as number;
  const state = byte(at.state);
  event.cause = causeOf(state, byte(at.caState), byte(at.pending));
  event.state = tcpStateName(state);
  const failed = byte(at.facts) & fact.reason ? transmitErrorName(keys.readInt32LE(keyAt + at.reason)) : undefined;
  if (failed !== undefined) event.failed = failed;
}

function readReset({ keys, keyAt }: Entry, event: SummaryEvent, { resetReason }: Decoding): void {
  event.direction = keys[keyAt + at.direction] === direction.tx ? 'sent' : 'received';
  if ((keys[keyAt + at.facts] as number) & fact.reason)
    event.reason = resetReason(keys.readUInt32LE(keyAt + at.reason));
}

const ETH_P_IP = 0x0800;
const ETH_P_IPV6 = 0x86dd;

/** What is not IP; the protocols within that are not read. */
const frameName = (ethertype: number): string | undefined =>
  ethertype === ETH_P_IP || ethertype === ETH_P_IPV6 ? undefined : ethertypeName(ethertype);

/** Stands for the group that it was sent to, which is not known. */
const A_GROUP = Uint8Array.of(224, 0, 0, 0);
const SYN = 2;
const RST = 4;

function readDrop({ keys, keyAt }: Entry, event: SummaryEvent, decoding: Decoding): void {
  const facts = keys[keyAt + at.facts] as number;
  const reason = facts & fact.reason ? decoding.dropReason(keys.readUInt32LE(keyAt + at.reason)) : undefined;
  const location = decoding.symbol(keys.readBigUInt64LE(keyAt + at.place));
  const ethertype = keys.readUInt16LE(keyAt + at.ethertype);
  const protocol = facts & fact.flow ? protocolName(keys[keyAt + at.protocol] as number) : frameName(ethertype);
  const onNetwork = ethertype !== 0 || (facts & fact.device) !== 0;
  Object.assign(event, reason);
  event.class = classOf({
    reason: reason?.reason,
    location,
    dst: facts & fact.group ? A_GROUP : undefined,
    protocol,
    tcp: facts & fact.tcp ? readTcp(facts) : undefined,
    onNetwork,
  });
  if (location !== undefined) event.location = location;
  if (protocol !== undefined) event.protocol = protocol;
  const way = onNetwork ? dropDirection(keys[keyAt + at.direction] as number, location) : undefined;
  if (way !== undefined) event.direction = way;
}

const readTcp = (facts: number) => ({
  flags: (facts & fact.syn ? SYN : 0) | (facts & fact.rst ? RST : 0),
  dataBytes: facts & fact.data ? 1 : 0,
});
