/**
 * Finds a packet whose addresses were translated on its way: by what connection tracking said of the drop, and where it
 * said nothing (the packet was in another namespace by then), by what NAT leaves alone. That is the sequence numbers, and
 * mostly one end or the port of the source: a drop that agrees in that, and begins or ends at the very same sequence number,
 * is of the same connection (two connections agree in that number once in 2^31). Where NAT changed both ends and the port,
 * the acknowledgement number has to agree too. So it is with acknowledgements without data, which have no range of their own.
 */

import { Lru } from '../base/lru.ts';
import type { Dropped, Resent } from './facts.ts';
import { type FlowKey, type Flows, portOf, type Translation } from './flows.ts';
import { distance, type Range } from './sequence.ts';
import { NS_PER_MS, WINDOW_NS } from './timing.ts';

/** Translated connections remembered. */
const MAX_NAMES = 50_000;
/** Translations one after another. */
const MAX_STEPS = 4;

/** What tells that two connections are one. */
export type NatHow = 'conntrack' | 'sequence';

interface Name {
  readonly opened: FlowKey;
  readonly how: NatHow;
}

/** Names of connections: NAT gives them others, and all that is known of one is kept under that of the end that opened it. */
export class NatNames {
  readonly #flows: Flows;
  readonly #opened = new Lru<FlowKey, Name>(MAX_NAMES);

  constructor(flows: Flows) {
    this.#flows = flows;
  }

  /** Keeps that two are one; what is known later counts, since ports are used again. */
  learn({ opened, translated }: Translation, how: NatHow): void {
    if (opened === translated) return;
    this.#set(translated, { opened, how });
    this.#set(this.#flows.reverse(translated), { opened: this.#flows.reverse(opened), how });
  }

  /** How it was learned that the connection has another name; undefined when it has none. */
  howOf(flow: FlowKey): NatHow | undefined {
    return this.#opened.get(flow)?.how;
  }

  of(flow: FlowKey): FlowKey {
    let name = flow;
    for (let step = 0; step < MAX_STEPS; step++) {
      const opened = this.#opened.get(name)?.opened;
      if (opened === undefined || opened === name) break;
      name = opened;
    }
    return name;
  }

  /** All names of a connection, in the same direction. */
  allOf(flow: FlowKey): FlowKey[] {
    const opened = this.of(flow);
    return [opened, ...this.#opened.keys().filter((key) => key !== opened && this.of(key) === opened)];
  }

  #set(flow: FlowKey, name: Name): void {
    const { opened, how } = name;
    // it was learned the other way round
    if (this.#opened.get(opened)?.opened === flow) this.#opened.set(opened, { opened, how });
    this.#opened.set(flow, name);
  }
}

/** How much may have been sent between what carries one acknowledgement number and what carries the other. */
const MAX_ACK_BYTES = 65_536;

type Buckets = (Dropped[] | undefined)[];

const BUCKET_BITS = 16;
const bucketOf = (sequence: number): number => sequence >>> BUCKET_BITS;

export class NatFinder {
  readonly #flows: Flows;
  readonly #names: NatNames;
  /** Drops by the high bits of where they begin and end, by time. */
  readonly #data: Buckets = new Array(2 ** BUCKET_BITS);
  /** Those without data by the high bits of their sequence number, by time. */
  readonly #acks: Buckets = new Array(2 ** BUCKET_BITS);

  constructor(flows: Flows, names: NatNames) {
    this.#flows = flows;
    this.#names = names;
  }

  add(drop: Dropped): void {
    const { begin, end } = drop.range as Range;
    put(this.#data, begin, drop);
    if (bucketOf(end) !== bucketOf(begin)) put(this.#data, end, drop);
  }

  /** @param drop of an acknowledgement without data */
  addAck(drop: Dropped): void {
    put(this.#acks, (drop.range as Range).begin, drop);
  }

  /** The connection under the addresses that it has elsewhere on this host. */
  find(resent: Resent, flow: FlowKey, range: Range, latest: number): FlowKey | undefined {
    const at = (edge: keyof Range): FlowKey | undefined => this.#search(range[edge], edge, resent, flow, latest);
    return at('begin') ?? at('end');
  }

  /**
   * The connection, seen from the source of `flow`, of whose other end an acknowledgement of that range was dropped: it comes
   * right after all that the source has received (its `ack`), and acknowledges up to 64 KiB more than the range.
   */
  findAck(resent: Resent, flow: FlowKey, range: Range, latest: number): FlowKey | undefined {
    const { ack, cause, at } = resent;
    if (ack === undefined || cause === 'syn') return undefined;
    for (const drop of this.#acks[bucketOf(ack)] ?? []) {
      if (drop.range?.begin !== ack || drop.at < at - WINDOW_NS || drop.at > latest) continue;
      const beyond = distance(range.end, drop.ack as number);
      const other = this.#names.of(this.#flows.reverse(drop.flow as FlowKey));
      if (other !== flow && beyond >= 0 && beyond < MAX_ACK_BYTES) return other;
    }
    return undefined;
  }

  #search(sequence: number, edge: keyof Range, resent: Resent, flow: FlowKey, latest: number): FlowKey | undefined {
    const drops = this.#data[bucketOf(sequence)];
    if (drops === undefined) return undefined;
    for (const drop of drops) {
      const isThere = (drop.range as Range)[edge] === sequence && drop.left.length > 0;
      if (!isThere || drop.at < resent.at - WINDOW_NS || drop.at > latest) continue;
      const other = this.#names.of(drop.flow as FlowKey);
      if (this.#isTranslation(resent, flow, drop, other)) return other;
    }
    return undefined;
  }

  /** One end is as it was, or at least the port of the source, which masquerading keeps where it can. */
  #isTranslation(resent: Resent, a: FlowKey, drop: Dropped, b: FlowKey): boolean {
    if (a === b) return false;
    const [source, other] = [this.#flows.source(a), this.#flows.source(b)];
    if (portOf(source) === portOf(other) || this.#flows.destination(a) === this.#flows.destination(b)) return true;
    return resent.cause === 'syn' ? isSameSyn(resent, drop) : isSameAck(resent, drop);
  }
}

function put(buckets: Buckets, sequence: number, drop: Dropped): void {
  const drops = buckets[bucketOf(sequence)];
  if (!drops) {
    buckets[bucketOf(sequence)] = [drop];
    return;
  }
  while (drops.length > 0 && (drops[0] as Dropped).at < drop.at - WINDOW_NS) drops.shift();
  drops.push(drop);
}

/** One in 2^16 of others that have the same sequence number. */
function isSameAck(resent: Resent, drop: Dropped): boolean {
  if (resent.ack === undefined || drop.ack === undefined) return false;
  const since = distance(drop.ack, resent.ack);
  return since >= 0 && since < MAX_ACK_BYTES;
}

/** A SYN acknowledges nothing, but it was lost about one timeout before. */
function isSameSyn({ at, rtoMs }: Resent, drop: Dropped): boolean {
  const timeoutNs = (rtoMs ?? 0) * NS_PER_MS;
  return drop.tcpFlags === 'SYN' && drop.at >= at - 1.5 * timeoutNs && drop.at <= at - 0.5 * timeoutNs;
}
