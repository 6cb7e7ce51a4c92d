/** Cases of one cause and place, close in time: what an incident is made of. */

import type { Explained } from './cases.ts';
import type { Dropped, Fact, Grown, Owner, Resent, Reset, Summed } from './facts.ts';
import { type Endpoint, type FlowKey, portOf } from './flows.ts';
import { Histogram } from './histogram.ts';
import type { ResentCase } from './join.ts';
import { type PacketKind, packetKind } from './packet-kind.ts';
import type { Claim, Rule } from './rules/rule.ts';
import { Tally } from './tally.ts';
import { SURENESS, type Sureness } from './types.ts';

/** Connections told apart; more are counted as this many. */
const MAX_CONNECTIONS = 20_000;

/** What a timeout costs beside a segment that was resent at once: it stops the connection for 200 ms and more. */
const HARM = {
  timeout: 10,
  'tail-loss-probe': 2,
  needless: 0.5,
  drop: 1,
  probe: 2,
  unknownDrop: 0.25,
  emptyAck: 0.1,
  reset: 5,
  unknownCount: 0.01,
};

/** What a group needs to know to count an event. */
export type View = Pick<Explained, 'known' | 'weightAt'>;

export class Group {
  readonly rule: Rule;
  readonly claim: Claim;
  from = Number.POSITIVE_INFINITY;
  until = Number.NEGATIVE_INFINITY;
  resent = 0;
  segments = 0;
  drops = 0;
  resets = 0;
  /** Of all these, those that were counted and not recorded one by one. */
  summed = 0;
  /** By how much counters grew. */
  grown = 0;
  harm = 0;
  /**
   * Retransmissions whose drop carried translated addresses: found by connection tracking, and by sequence numbers; and those
   * of which an acknowledgement was dropped.
   */
  tracked = 0;
  translated = 0;
  lostAcks = 0;
  /** Those of which what had been sent before still waited here, and was dropped later. */
  waited = 0;
  /** Retransmissions of which the drop was found. */
  matched = 0;
  /** Retransmissions of which only a part is explained. */
  partly = 0;
  readonly sureness: Record<Sureness, number> = { certain: 0, likely: 0, possible: 0 };
  readonly owners = new Tally<Owner>();
  readonly peers = new Tally<Endpoint>();
  /** By the end with the lower port; negative when the packet came from it. */
  readonly services = new Tally<number>();
  readonly kinds = new Tally<PacketKind>();
  readonly causes = new Tally<Resent['cause']>();
  readonly failed = new Tally<string>();
  readonly counters = new Tally<string>();
  /** Counters that grew with the drops: they count the same. */
  readonly agreed = new Tally<string>();
  readonly notes = new Tally<string>();
  readonly connections = new Set<FlowKey>();
  readonly timeline = new Histogram();

  constructor(rule: Rule, claim: Claim) {
    this.rule = rule;
    this.claim = claim;
  }

  addDrop(drop: Dropped, claim: Claim, view: View): void {
    const weight = this.#add(drop, claim, view, drop.direction === 'rx');
    this.drops += weight;
    const kind = packetKind(drop);
    this.kinds.add(kind, weight);
    this.harm += weight * harmOfDrop(drop, kind);
  }

  addResent(found: ResentCase, claim: Claim, view: View): void {
    const { fact } = found;
    const weight = this.#add(fact, claim, view, false);
    this.resent += weight;
    this.segments += weight * fact.segments;
    this.causes.add(fact.cause, weight);
    this.failed.add(fact.failed, weight);
    if (found.nat === 'conntrack') this.tracked += weight;
    if (found.nat === 'sequence') this.translated += weight;
    if (found.lostAck && found.lost.length === 0) this.lostAcks += weight;
    if (found.waited) this.waited += weight;
    if (found.lost.length > 0) this.matched += weight;
    if (found.lost.length > 0 && found.share < 1) this.partly += weight;
    this.harm += weight * harmOf(found);
  }

  addReset(reset: Reset, claim: Claim, view: View): void {
    const weight = this.#add(reset, claim, view, false);
    this.resets += weight;
    this.harm += weight * HARM.reset;
  }

  addCounter(grown: Grown, claim: Claim, view: View): void {
    const weight = this.#add(grown, claim, view, false);
    this.grown += weight * grown.count;
    this.counters.add(grown.counter, weight * grown.count);
    const each = grown.listener !== undefined || /^Listen|^TCPReqQ/.test(grown.counter) ? HARM.timeout : HARM.drop;
    this.harm += weight * grown.count * (grown.class === 'loss' ? each : HARM.unknownCount);
  }

  addSummary(summed: Summed, claim: Claim, view: View): void {
    const { each } = summed;
    const events = summed.events * this.#add(summed, claim, view, each.kind === 'drop' && each.direction === 'rx');
    this.summed += events;
    if (each.kind === 'drop') {
      const kind = packetKind(each);
      this.drops += events;
      this.kinds.add(kind, events);
      this.harm += events * harmOfDrop(each, kind);
    } else if (each.kind === 'reset') {
      this.resets += events;
      this.harm += events * HARM.reset;
    } else {
      const segments = each.segments / summed.events;
      this.resent += events;
      this.segments += events * segments;
      this.causes.add(each.cause, events);
      this.harm += events * harmOf({ fact: { ...each, segments } });
    }
  }

  /** Whether it is of counters only that may count what the drops of this one tell. */
  isOfCounters(): boolean {
    return this.grown > 0 && this.drops + this.resent + this.resets === 0;
  }

  /** Notes the counters of a group of counters, which are no further losses. */
  agree(other: Group): void {
    this.agreed.addAll(other.counters);
  }

  /** Takes over what another group of the same rule has. */
  addGroup(other: Group): void {
    this.from = Math.min(this.from, other.from);
    this.until = Math.max(this.until, other.until);
    for (const name of SUMS) {
      this[name] += other[name];
    }
    for (const one of SURENESS) this.sureness[one] += other.sureness[one];
    for (const name of TALLIES) (this[name] as Tally<unknown>).addAll(other[name] as Tally<unknown>);
    for (const flow of other.connections) this.#addConnection(flow);
    this.timeline.addAll(other.timeline);
  }

  /** Counts by the name of the process. */
  get processes(): Tally<string> {
    return byName(this.owners, ({ process }) => process);
  }

  /** Counts by the id of the container. */
  get containers(): Tally<string> {
    return byName(this.owners, ({ container }) => container);
  }

  get mainSureness(): Sureness {
    const total = SURENESS.reduce((sum, one) => sum + this.sureness[one], 0);
    const main = SURENESS.find((one) => this.sureness[one] * 2 >= total);
    return main ?? (SURENESS.findLast((one) => this.sureness[one] > 0) as Sureness);
  }

  /** @returns for how many events it stands */
  #add(fact: Fact, claim: Claim, { known: { flows, names }, weightAt }: View, isFromPeer: boolean): number {
    const weight = weightAt(fact.at);
    if (fact.at < this.from) this.from = fact.at;
    if (fact.at > this.until) this.until = fact.at;
    this.timeline.add(fact.at, weight);
    this.sureness[claim.sureness] += weight;
    this.owners.add(fact.owner, weight);
    this.notes.add(claim.note, weight);
    if (fact.flow === undefined) return weight;
    const flow = names.of(fact.flow);
    const source = flows.source(flow);
    const destination = flows.destination(flow);
    const peer = isFromPeer ? source : destination;
    this.peers.add(peer - portOf(peer), weight);
    this.services.add(portOf(source) < portOf(destination) ? -source - 1 : destination, weight);
    this.#addConnection(flows.canonical(flow));
    return weight;
  }

  #addConnection(flow: FlowKey): void {
    if (this.connections.size < MAX_CONNECTIONS) this.connections.add(flow);
  }
}

function byName(owners: Tally<Owner>, nameOf: (owner: Owner) => string | undefined): Tally<string> {
  const names = new Tally<string>();
  for (const [owner, count] of owners.top(Number.POSITIVE_INFINITY)) names.add(nameOf(owner), count);
  return names;
}

const SUMS = [
  ...(['resent', 'segments', 'drops', 'resets', 'grown', 'harm'] as const),
  ...(['tracked', 'translated', 'matched', 'lostAcks', 'waited', 'partly', 'summed'] as const),
];

const TALLIES = [
  ...(['owners', 'peers', 'services'] as const),
  ...(['kinds', 'causes', 'failed', 'notes', 'counters', 'agreed'] as const),
];

function harmOfDrop(drop: Dropped, kind: PacketKind): number {
  if (drop.class === 'benign') return HARM.probe;
  if (kind === 'acknowledgement') return HARM.emptyAck;
  return drop.class === 'loss' ? HARM.drop : HARM.unknownDrop;
}

type Resending = Pick<ResentCase, 'fact' | 'needless' | 'isNeedlessAgain' | 'lostAck' | 'waited'>;

function harmOf({ fact, needless, isNeedlessAgain, lostAck, waited }: Resending): number {
  // Data that came twice harm little; timeouts in which no acknowledgement comes stop the connection.
  if ((fact.failed === 'EBUSY' && !waited) || (needless && !lostAck && !isNeedlessAgain)) return HARM.needless;
  switch (fact.cause) {
    case 'rto':
    case 'syn':
    case 'syn-ack':
      return HARM.timeout;
    case 'tail-loss-probe':
      return HARM['tail-loss-probe'];
    default:
      return fact.segments;
  }
}
