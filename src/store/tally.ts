/** Counting by the key of a dimension, from the events themselves or from the rollups. */

import { formatIp } from '../base/ip.ts';
import type { Filter, TopDimension } from '../event/filter.ts';
import { CAUSES, fieldsOf, KINDS, type Kind } from '../event/kinds.ts';
import { type HourSum, hasHourSums, hourSums } from './hour-sums.ts';
import { type Counts, countBy, numbersOf, type Sums, sumsOf } from './kind-sums.ts';
import { type Plan, planOf, selectionOf } from './plan.ts';
import { BENIGN, NO_STRING, peerSql } from './rollup.ts';
import type { RawRow } from './row.ts';
import { HOUR_DIMENSIONS, type HourDimension, hasOwner, isShared, kindCode, quoted } from './schema.ts';
import { countRows, type Selection } from './selection.ts';
import type { SliceReader } from './slice-reader.ts';

/** What was lost under one key. What a `summary` counted is in it. */
export interface TopRow {
  /** Text of the key; absent for what has none. */
  key?: string;
  /** Retransmissions, drops and resets together. */
  events: number;
  /** Resent packets as the kernel built them; each may be several segments. */
  retransmissions: number;
  /** TCP segments in them. */
  segments: number;
  /** Payload bytes in them. */
  bytes: number;
  drops: number;
  resets: number;
}

/** Kinds that a dimension applies to: a drop has no cause, so it is no row "cause unknown". */
const COUNTED: Record<TopDimension, readonly Kind[]> = {
  peer: ['retransmit', 'drop', 'reset'],
  process: ['retransmit', 'drop', 'reset'],
  container: ['retransmit', 'drop', 'reset'],
  netns: ['retransmit', 'drop', 'reset'],
  reason: ['drop', 'reset'],
  cause: ['retransmit'],
  location: ['drop'],
};

/** Counts by key, to which slices are added. */
export class Tally {
  readonly #rows = new Map<string | undefined, TopRow>();
  /** Rows of IPv4 addresses as numbers: the same peers come in slice after slice. */
  readonly #ipv4 = new Map<number, TopRow>();

  /** @param kind the kind that the counts are of, a summary's being the one that it sums up. */
  add(key: string | undefined, kind: Kind, counts: Counts): void {
    const row = rowOf(kind, counts);
    if (row.events > 0) addCounts(this.#rowOf(key), row);
  }

  /** @param address of the peer that the counts are of, as {@link HourSum} has it */
  addPeer(counts: TopRow, address: HourSum['key']): void {
    if (counts.events > 0) addCounts(this.#rowOfPeer(address), counts);
  }

  /**
   * @param key text of the key, or the address of a peer
   * @param all benign drops too
   */
  addSum(sum: HourSum, key: HourSum['key'] | string, all: boolean): void {
    const { retransmissions, segments, bytes, resets } = sum;
    const drops = all ? sum.drops + sum.benign : sum.drops;
    const events = retransmissions + drops + resets;
    if (events === 0) return;
    const row = typeof key === 'string' ? this.#rowOf(key) : this.#rowOfPeer(key);
    row.events += events;
    row.retransmissions += retransmissions;
    row.segments += segments;
    row.bytes += bytes;
    row.drops += drops;
    row.resets += resets;
  }

  #rowOfPeer(address: HourSum['key']): TopRow {
    if (typeof address !== 'number') return this.#rowOf(address && formatIp(address));
    let row = this.#ipv4.get(address);
    if (!row) {
      row = this.#rowOf(formatIp(Uint8Array.of(address >>> 24, address >>> 16, address >>> 8, address)));
      this.#ipv4.set(address, row);
    }
    return row;
  }

  #rowOf(key: string | undefined): TopRow {
    let row = this.#rows.get(key);
    if (!row) {
      const none = { events: 0, retransmissions: 0, segments: 0, bytes: 0, drops: 0, resets: 0 };
      row = key === undefined ? none : { ...none, key };
      this.#rows.set(key, row);
    }
    return row;
  }

  /** The rows that lost most segments, packets and connections together; of equals, by key, the unknown one last. */
  top(limit: number): TopRow[] {
    // A retransmission whose segments are not known is at least one.
    const lost = (row: TopRow) => Math.max(row.segments, row.retransmissions) + row.drops + row.resets;
    const byKey = (a: TopRow, b: TopRow) =>
      a.key === undefined ? 1 : b.key === undefined ? -1 : a.key < b.key ? -1 : 1;
    return [...this.#rows.values()].sort((a, b) => lost(b) - lost(a) || byKey(a, b)).slice(0, limit);
  }
}

function rowOf(kind: Kind, [events, segments, bytes]: Counts): TopRow {
  const row = { events, retransmissions: 0, segments: 0, bytes: 0, drops: 0, resets: 0 };
  if (kind === 'drop') row.drops = events;
  else if (kind === 'reset') row.resets = events;
  else Object.assign(row, { retransmissions: events, segments, bytes });
  return row;
}

function addCounts(row: TopRow, counts: TopRow): void {
  row.events += counts.events;
  row.retransmissions += counts.retransmissions;
  row.segments += counts.segments;
  row.bytes += counts.bytes;
  row.drops += counts.drops;
  row.resets += counts.resets;
}

/** Adds the counts of a slice's events that pass the filter: all or, when it cannot be read, none. */
export function addEvents(tally: Tally, slice: SliceReader, filter: Filter, by: TopDimension): void {
  const counted = [
    ...COUNTED[by].flatMap((kind) => countKind(slice, filter, by, kind)),
    ...countSummaries(slice, filter, by),
  ];
  const texts = counted.map(({ key }) => (by === 'peer' ? undefined : keyText(slice, by, key)));
  for (const [i, { key, kind, counts }] of counted.entries()) {
    if (by === 'peer') tally.addPeer(rowOf(kind, counts), peerOf(key));
    else tally.add(texts[i], kind, counts);
  }
}

interface Counted {
  readonly key: RawRow[number] | undefined;
  readonly kind: Kind;
  readonly counts: Counts;
}

const SUMS: Partial<Record<Kind, string>> = {
  retransmit: 'count(*), ifnull(sum(segments), 0), ifnull(sum(bytes), 0)',
  drop: 'count(*), 0, 0',
  reset: 'count(*), 0, 0',
};

function countKind(slice: SliceReader, filter: Filter, by: TopDimension, kind: Kind): Counted[] {
  const selection = selectionOf(slice, kind, filter);
  if (selection) return selection === 'none' ? [] : countSelected(slice, selection, by);
  const plan = planOf(slice, kind, filter);
  if (!plan) return [];
  if (by === 'peer') return countPeers(slice, plan);
  const sums = sumsOf(slice, plan).get(isShared(by) ? 'owner' : by) as Sums;
  return Array.from(sums, ([key, counts]) => ({ key, kind, counts }));
}

function countSelected(slice: SliceReader, selection: Selection, by: TopDimension): Counted[] {
  const { columns } = selection;
  const { kind } = columns;
  if (by === 'peer') {
    const addresses = slice.packed?.addresses() ?? [];
    const sums = countRows(selection, columns.peers());
    return Array.from(sums, ([number, counts]) => ({ key: number === null ? null : addresses[number], kind, counts }));
  }
  const sums = countRows(selection, columns.cells(isShared(by) ? 'owner' : by));
  return Array.from(sums, ([key, counts]) => ({ key, kind, counts }));
}

function countPeers(slice: SliceReader, plan: Plan): Counted[] {
  const { kind, from, parameters } = plan;
  const { counted, others } = countIpv4Peers(slice, plan);
  if (others === 0) return counted;
  const rest = `AND length(${peerSql(kind)}) IS NOT 4`;
  const rows = slice.all(`SELECT ${keyExpression(kind, 'peer')}, ${SUMS[kind]} ${from} ${rest} GROUP BY 1`, parameters);
  return [...counted, ...rows.map((row) => ({ key: row[0], kind, counts: countsOf(row, 1) }))];
}

/**
 * Counts events by the IPv4 address of their peer, its key a number as {@link HourSum} has it. Read as three texts and counted here: SQLite groups
 * by sorting, which takes three times as long where an open slice has tens of thousands of events.
 * @returns also how many events have another peer, or none
 */
function countIpv4Peers(slice: SliceReader, { kind, from, parameters }: Plan): { counted: Counted[]; others: number } {
  const isIpv4 = `length(${peerSql(kind)}) IS 4`;
  const ofEach = (value: string) => `group_concat(${value}, ',') FILTER (WHERE ${isIpv4})`;
  const resent = kind === 'retransmit' ? [ofEach('ifnull(segments, 0)'), ofEach('ifnull(bytes, 0)')] : ['NULL', 'NULL'];
  const [[others = 0, hex, ...texts] = []] = slice.all(
    `SELECT count(*) FILTER (WHERE NOT ${isIpv4}), group_concat(hex(${peerSql(kind)}), '') FILTER (WHERE ${isIpv4}), ${resent} ${from}`,
    parameters,
  );
  const [segments, bytes] = texts.map(numbersOf);
  const bytesOfAll = Buffer.from((hex as string | null) ?? '', 'hex');
  const addresses = Array.from({ length: bytesOfAll.length / 4 }, (_, i) => bytesOfAll.readInt32BE(4 * i));
  const sums = countBy(addresses, segments, bytes);
  return { counted: Array.from(sums, ([key, counts]) => ({ key, kind, counts })), others: others as number };
}

function countSummaries(slice: SliceReader, filter: Filter, by: TopDimension): Counted[] {
  const plan = planOf(slice, 'summary', filter);
  if (!plan) return [];
  const { type } = fieldsOf('summary').of as { type: { values: readonly Kind[] } };
  const sums = 'sum(events), ifnull(sum(segments), 0), ifnull(sum(bytes), 0)';
  const key = keyExpression('summary', by);
  const rows = slice.all(`SELECT ${key}, "of", ${sums} ${plan.from} AND events > 0 GROUP BY 1, 2`, plan.parameters);
  return rows
    .map((row) => ({ key: row[0], kind: type.values[(row[1] as number) - 1] as Kind, counts: countsOf(row, 2) }))
    .filter(({ kind }) => COUNTED[by].includes(kind));
}

const countsOf = (row: RawRow, at: number): Counts => [Number(row[at]), Number(row[at + 1]), Number(row[at + 2])];

/** The column of the key. */
function keyExpression(kind: Kind, by: TopDimension): string {
  if (by === 'peer') return `hex(${peerSql(kind)})`;
  if (isShared(by)) return hasOwner(kind) ? 'owner' : 'NULL';
  return by in fieldsOf(kind) ? quoted(by) : 'NULL';
}

function keyText(slice: SliceReader, by: TopDimension, key: RawRow[number] | undefined): string | undefined {
  if (key === null || key === undefined) return undefined;
  if (isShared(by)) {
    const value = slice.ownerOf(key as number)[by];
    return value === undefined ? undefined : String(value);
  }
  if (by === 'cause') return CAUSES[(key as number) - 1];
  return slice.stringOf(key as number);
}

/** Of thousands of peers the digits are read quicker than the bytes; an address that is not known has none. */
function peerOf(key: Counted['key']): HourSum['key'] {
  if (typeof key !== 'string') return key ?? undefined;
  if (key === '') return undefined;
  return key.length === 8 ? Number.parseInt(key, 16) | 0 : Buffer.from(key, 'hex');
}

const isOfHour = (by: TopDimension): by is HourDimension => (HOUR_DIMENSIONS as readonly string[]).includes(by);

/** Whether the rollups of a slice hold the counts of a dimension. Those of the hour are made when it is sealed. */
export const hasRollup = (slice: SliceReader, by: TopDimension): boolean =>
  isOfHour(by) ? hasHourSums(slice) : by === 'cause' || by === 'reason';

/**
 * Adds the counts of a whole slice from its rollups: all or, when it cannot be read, none.
 * @param all benign drops too.
 */
export function addRollups(tally: Tally, slice: SliceReader, by: TopDimension, all: boolean): void {
  if (isOfHour(by)) addHour(slice, by, all, tally);
  else addMinutes(slice, by, all, tally);
}

function addHour(slice: SliceReader, by: HourDimension, all: boolean, tally: Tally): void {
  const sums = hourSums(slice, by);
  const keys = sums.map(({ key }) => (by === 'peer' ? key : hourKeyText(slice, by, key as number | undefined)));
  for (let i = 0; i < sums.length; i++) tally.addSum(sums[i] as HourSum, keys[i], all);
}

function hourKeyText(slice: SliceReader, by: HourDimension, key: number | undefined): string | undefined {
  if (key === undefined) return undefined;
  return by === 'netns' ? String(key) : slice.stringOf(key);
}

const textOf = (slice: SliceReader, id: number): string | undefined =>
  id === NO_STRING ? undefined : slice.stringOf(id);

function addMinutes(slice: SliceReader, by: TopDimension, all: boolean, tally: Tally): void {
  const kinds = COUNTED[by].map(kindCode).join();
  const rows = slice.all(
    `SELECT what, kind, sum(events), sum(segments), sum(bytes) FROM minute
     WHERE kind IN (${kinds}) ${all ? '' : `AND class <> ${BENIGN}`} GROUP BY 1, 2`,
  );
  const texts = rows.map(([what]) => textOf(slice, what as number));
  for (const [i, row] of rows.entries()) tally.add(texts[i], KINDS[(row[1] as number) - 1] as Kind, countsOf(row, 2));
}
