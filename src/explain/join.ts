/**
 * Which drop made the kernel send again: the retransmission and the drop are of the same connection, their sequence
 * ranges overlap, and the drop came first. docs/why.md says what each part of that rests on.
 */

import type { Dropped, Grown, Resent } from './facts.ts';
import type { FlowKey, Flows, Translation } from './flows.ts';
import { NatFinder, type NatHow, type NatNames } from './nat.ts';
import { type Awaiting, explainWaiting } from './next-hop.ts';
import { packetKind } from './packet-kind.ts';
import { allWithout, distance, lengthOf, overlap, overlaps, type Range } from './sequence.ts';
import { LOOKAHEAD_NS, latestOf, NS_PER_MS, WINDOW_NS } from './timing.ts';
import { WindowProbes } from './window-probes.ts';

/** A retransmission and what is known of its reason. */
export interface ResentCase {
  readonly kind: 'retransmit';
  readonly fact: Resent;
  /** The drops of what was sent before, oldest first; empty when none was recorded. */
  lost: readonly Dropped[];
  /** Of the bytes of the retransmission, the part that these drops explain. */
  share: number;
  /** The drop of an acknowledgement that covered all of it: the other end had it already. */
  lostAck?: Dropped;
  /** The drop, later, of what had been sent before: it still waited on this host when this was sent. */
  waited?: Dropped;
  /** The receiver on this host dropped a second copy: nothing was missing. */
  needless?: Dropped;
  /** So was an earlier retransmission of the same: the answer to that copy had not come back either. */
  isNeedlessAgain?: true;
  /** Of its bytes, those that the receiver is not known to have got twice. Absent: all. */
  once?: Range[];
  /** The counter of the listener at the other end, or here, that grew at that time. */
  listen?: Grown;
  /** The drop carries other addresses, which were translated on the way: what tells so. */
  nat?: NatHow;
}

/** What is known of what one end of a connection sends. */
interface Connection extends Awaiting {
  /** Drops of data, by time. */
  lost?: Dropped[];
  /** Drops of what carried an acknowledgement, by time. */
  acks?: Dropped[];
  /** Drops where the connection is, of frames that were for another host; believed where nothing else explains. */
  misled?: Dropped[];
  /** The last drop of what this end sent that was not benign. */
  last?: Dropped;
  /** The last one without data. */
  lastProbe?: Dropped;
  probes?: WindowProbes;
  lastAt: number;
}

/** One connection on a path that reorders sent 127 packets again within 10 ms, before the first second copy was dropped. */
const MAX_RESENT = 1024;
const MAX_STUCK = 64;
const MAX_LOST = 4096;

/** Reasons by which a receiver says that it had the data already (src/wire/drop-rules.ts). */
export const NEEDLESS_REASONS = ['TCP_OLD_DATA', 'TCP_OLD_SEQUENCE', 'TCP_OFOMERGE', 'TCP_OFO_DROP'];

/** The frame was for another host: a loss where the connection of the packet is nevertheless here. */
const NOT_FOR_HERE = 'OTHERHOST';

/** Reasons of benign drops that explain something all the same. */
export const TELLING_REASONS = [...NEEDLESS_REASONS, NOT_FOR_HERE];

/** A packet that is older than what came before it by its time stamp: the original, where it had been sent again. */
const LATE_REASON = 'TCP_RFC7323_PAWS';

/**
 * So is a SYN-ACK that comes to an established connection (tcp_validate_incoming(), net/ipv4/tcp_input.c): the server sent it by
 * its timer, and once more for the SYN that came again.
 */
const isLateCopy = ({ reason, tcpFlags }: Dropped): boolean =>
  reason === LATE_REASON || (reason === 'TCP_INVALID_SYN' && tcpFlags === 'SYN|ACK');

const NO_DROPS: readonly Dropped[] = [];

/** Whether `other` sent some of the same bytes before, and these had arrived then. */
const isEarlierCopy = ({ fact, needless }: ResentCase, { fact: later }: ResentCase): boolean =>
  needless !== undefined && fact.at < later.at && overlap(fact.range as Range, later.range as Range) !== undefined;

export class Join {
  readonly #flows: Flows;
  readonly #connections = new Map<FlowKey, Connection>();
  readonly #names: NatNames;
  readonly #nat: NatFinder;
  #sweptAt = Number.NEGATIVE_INFINITY;

  constructor(flows: Flows, names: NatNames) {
    this.#flows = flows;
    this.#names = names;
    this.#nat = new NatFinder(flows, names);
  }

  /**
   * Takes a drop into account. To be called in order of time, as {@link resend}.
   * @returns drops that, with this one, turn out to be probes of a closed window
   */
  drop(drop: Dropped): readonly Dropped[] {
    if (drop.flow === undefined || drop.protocol !== 'tcp') return NO_DROPS;
    this.#sweep(drop.at);
    if (drop.nat && this.#names.of(drop.nat.translated) !== this.#names.of(drop.nat.opened))
      this.#unite(drop.nat, 'conntrack');
    const name = this.#names.of(drop.flow);
    if (drop.class === 'benign') {
      if (drop.reason !== undefined && NEEDLESS_REASONS.includes(drop.reason)) this.#secondCopy(drop, name);
      if (drop.reason === NOT_FOR_HERE && drop.owner.process !== undefined)
        this.#mislead(this.#of(name, drop.at), drop);
      return this.#probesOf(drop);
    }
    if (isLateCopy(drop) && this.#secondCopy(drop, name)) {
      drop.isCopy = true;
      return NO_DROPS;
    }
    const connection = this.#of(name, drop.at);
    connection.last = drop;
    if (packetKind(drop) === 'acknowledgement') connection.lastProbe = drop;
    // What waited takes its part of the drop away: whether there were data is asked before.
    const hasData = drop.left.length > 0;
    if (hasData) {
      connection.lost ??= [];
      keep(connection.lost, drop, MAX_LOST);
      this.#nat.add(drop);
      explainWaiting(connection, drop);
    }
    if (drop.ack !== undefined) {
      connection.acks ??= [];
      keep(connection.acks, drop, MAX_LOST);
      if (drop.range && !hasData) this.#nat.addAck(drop);
    }
    return NO_DROPS;
  }

  /** Only where a process has the connection it is of this host; a promiscuous device sees those of others. */
  #mislead(connection: Connection, drop: Dropped): void {
    connection.misled ??= [];
    keep(connection.misled, drop, MAX_RESENT);
  }

  /** The last drop, not a benign one, of what the source of the flow sent. */
  lastDrop(flow: FlowKey): Dropped | undefined {
    return this.#connections.get(this.#names.of(flow))?.last;
  }

  /** The same of those without data: acknowledgements, keepalives. */
  lastProbe(flow: FlowKey): Dropped | undefined {
    return this.#connections.get(this.#names.of(flow))?.lastProbe;
  }

  resend(fact: Resent): ResentCase {
    const found: ResentCase = { kind: 'retransmit', fact, lost: NO_DROPS, share: 0 };
    const { range, failed } = fact;
    if (fact.flow === undefined || range === undefined) return found;
    const flow = this.#names.of(fact.flow);
    const connection = this.#of(flow, fact.at);
    // EBUSY: the original still sits in this host's own queue, nothing was sent
    if (failed === 'EBUSY') {
      connection.stuck ??= [];
      keep(connection.stuck, found, MAX_STUCK);
    } else this.#match(found, connection, flow, range);
    connection.resent ??= [];
    keep(connection.resent, found, MAX_RESENT);
    return found;
  }

  #match(found: ResentCase, connection: Connection, flow: FlowKey, range: Range): void {
    if (connection.lost) takeLost(found, connection.lost, range);
    if (found.lost.length === 0) this.#matchTranslated(found, connection, flow, range);
    const isLost = found.lost.length > 0;
    if (!isLost) this.#matchAck(found, connection, flow, range);
    if (!isLost && !found.lostAck) this.#matchMisled(found, connection, flow, range);
    const dropped = isLost ? found.lost : found.lostAck ? [found.lostAck] : [];
    const own = isLost ? found.fact.flow : this.#flows.reverse(found.fact.flow as FlowKey);
    const other = dropped.find((drop) => drop.nat || drop.flow !== own);
    if (other) found.nat = other.nat ? 'conntrack' : (this.#names.howOf(other.flow as FlowKey) ?? 'conntrack');
  }

  #matchAck(found: ResentCase, connection: Connection, flow: FlowKey, range: Range): void {
    const back = this.#flows.reverse(flow);
    const take = (): void => {
      const acks = this.#connections.get(back)?.acks;
      if (acks) takeAck(found, acks, connection.resent ?? [], range);
    };
    take();
    if (found.lostAck) return;
    const translated = this.#nat.findAck(found.fact, flow, range, latestOf(found.fact));
    if (translated === undefined) return;
    this.#unite({ opened: flow, translated }, 'sequence');
    take();
  }

  #matchMisled(found: ResentCase, { misled, resent }: Connection, flow: FlowKey, range: Range): void {
    if (misled) takeLost(found, misled, range);
    if (found.lost.length > 0) return;
    const back = this.#connections.get(this.#flows.reverse(flow))?.misled;
    if (back) takeAck(found, back, resent ?? [], range);
  }

  /** Looks for the same sequence numbers under other addresses. */
  #matchTranslated(found: ResentCase, connection: Connection, flow: FlowKey, range: Range): void {
    const translated = this.#nat.find(found.fact, flow, range, latestOf(found.fact));
    if (translated === undefined) return;
    this.#unite({ opened: flow, translated }, 'sequence');
    if (connection.lost) takeLost(found, connection.lost, range);
  }

  /** Two connections have turned out to be one. */
  #unite(both: Translation, how: NatHow): void {
    this.#names.learn(both, how);
    this.#move(both.translated, this.#names.of(both.opened));
    this.#move(this.#flows.reverse(both.translated), this.#names.of(this.#flows.reverse(both.opened)));
  }

  #move(from: FlowKey, to: FlowKey): void {
    const moved = this.#connections.get(from);
    if (!moved || from === to) return;
    this.#connections.delete(from);
    const into = this.#of(to, moved.lastAt);
    const byTime = (a: Dropped, b: Dropped): number => a.at - b.at;
    for (const list of ['lost', 'acks', 'misled'] as const) {
      if (moved[list]) into[list] = [...(into[list] ?? []), ...moved[list]].sort(byTime);
    }
    if (moved.resent) into.resent = [...(into.resent ?? []), ...moved.resent].sort((a, b) => a.fact.at - b.fact.at);
    if (moved.last && !into.last) into.last = moved.last;
    if (moved.probes && !into.probes) into.probes = moved.probes;
  }

  /**
   * A receiver on this host got data for the second time: the last retransmission of each byte of it was needless. A packet is
   * not always what was sent: what goes out as one GSO packet may be dropped in several, and GRO makes one of several.
   * @returns whether there was one
   */
  #secondCopy(drop: Dropped, flow: FlowKey): boolean {
    const { range } = drop;
    if (range === undefined) return false;
    const resent = this.#connections.get(flow)?.resent ?? [];
    let open: Range[] = [range];
    let isCopy = false;
    for (let i = resent.length - 1; i >= 0 && open.length > 0; i--) {
      const found = resent[i] as ResentCase;
      if (drop.at - found.fact.at > LOOKAHEAD_NS) break;
      if (found.fact.at > drop.at + NS_PER_MS) continue;
      const once = found.once ?? [found.fact.range as Range];
      const twice = overlaps(open, once);
      if (twice.length === 0) continue;
      open = twice.reduce(allWithout, open);
      found.once = twice.reduce(allWithout, once);
      found.needless ??= drop;
      if (resent.some((other) => isEarlierCopy(other, found))) found.isNeedlessAgain = true;
      isCopy = true;
    }
    return isCopy;
  }

  #probesOf(drop: Dropped): readonly Dropped[] {
    const { flow, reason, range } = drop;
    if (flow === undefined || reason !== 'TCP_OLD_SEQUENCE' || range?.begin !== range?.end) return NO_DROPS;
    const connection = this.#of(flow, drop.at);
    connection.probes ??= new WindowProbes();
    return connection.probes.add(drop);
  }

  #of(flow: FlowKey, at: number): Connection {
    let connection = this.#connections.get(flow);
    if (!connection) {
      connection = { lastAt: at };
      this.#connections.set(flow, connection);
    }
    connection.lastAt = at;
    return connection;
  }

  /** Forgets what is too old to explain anything. */
  #sweep(now: number): void {
    if (now - this.#sweptAt < WINDOW_NS / 2) return;
    this.#sweptAt = now;
    for (const [flow, connection] of this.#connections) {
      if (connection.lastAt < now - WINDOW_NS) this.#connections.delete(flow);
    }
  }
}

/** Adds to a list that keeps its newest entries only. */
function keep<T>(list: T[], entry: T, limit: number): void {
  list.push(entry);
  if (list.length > limit) list.splice(0, limit >> 2);
}

/**
 * Takes from the drops what the retransmission sends again: where several cover the same bytes the oldest, since each
 * sending after the first was a retransmission of its own.
 */
function takeLost(found: ResentCase, lost: Dropped[], range: Range): void {
  const latest = latestOf(found.fact);
  const earliest = found.fact.at - WINDOW_NS;
  const taken: Dropped[] = [];
  let open: Range[] = [range];
  for (const drop of lost) {
    if (drop.at > found.fact.at || open.length === 0) break;
    // tcp_simple_retransmit() sends at once, on the ICMP message, and does not look at the clock before
    const until = drop.reason === 'PKT_TOO_BIG' ? found.fact.at : latest;
    if (drop.at < earliest || drop.at > until) continue;
    const shared = overlaps(drop.left, open);
    if (shared.length === 0) continue;
    taken.push(drop);
    drop.left = shared.reduce(allWithout, drop.left);
    open = shared.reduce(allWithout, open);
  }
  if (taken.length === 0) return;
  const missing = open.reduce((sum, part) => sum + lengthOf(part), 0);
  found.lost = taken;
  found.share = 1 - missing / lengthOf(range);
  if (taken.some(({ left }) => left.length === 0)) prune(lost);
}

/** Removes drops of which all was sent again. */
function prune(lost: Dropped[]): void {
  let to = 0;
  for (const drop of lost) if (drop.left.length > 0) lost[to++] = drop;
  lost.length = to;
}

/** The newest dropped acknowledgement of all of the range since it was last sent: the receiver had it by then. */
function takeAck(found: ResentCase, acks: readonly Dropped[], resent: readonly ResentCase[], range: Range): void {
  const latest = latestOf(found.fact);
  const before = resent.findLast(({ fact }) => fact.range !== undefined && overlap(fact.range, range) !== undefined);
  const earliest = Math.max(found.fact.at - WINDOW_NS, before?.fact.at ?? 0);
  const ack = acks.findLast(
    (drop) => drop.at <= latest && drop.at >= earliest && distance(range.end, drop.ack as number) >= 0,
  );
  if (ack) found.lostAck = ack;
}
