/** Verdicts grouped into incidents. */

import { type WallNs, wallNs } from '../base/time.ts';
import type { Filter } from '../event/filter.ts';
import type { StoreReader } from '../store/store.ts';
import { type Explained, type ExplainOptions, explain } from './cases.ts';
import { Denominator, type Share } from './denominator.ts';
import { Group } from './group.ts';
import { formatId, keyOf } from './id.ts';
import type { VerdictSink } from './judge.ts';
import type { Description, Rule } from './rules/rule.ts';
import { NS_PER_S, PATIENCE_NS } from './timing.ts';
import type { Counted, Incident, Place } from './types.ts';
import type { Verdict } from './verdicts.ts';

/** What is quiet for longer is another incident: five minutes, or a twelfth of the period that is asked about. */
const QUIET_NS = 300 * NS_PER_S;
const QUIET_PARTS = 12;
/** So many peers hit at once by one cause make one incident. */
const MANY_PEERS = 4;
/** Names told of each incident. */
const TOLD = 5;

/** Everything that was lost, by cause: the greatest harm first, what is harmless at the end. */
export function explainPeriod(reader: StoreReader, filter: Filter, options: ExplainOptions = {}): Incident[] {
  let groups: Groups | undefined;
  const explained = explain(reader, filter, options, (begun) => {
    groups = new Groups(begun);
    return groups;
  });
  if (!explained || !groups) return [];
  const { denominator } = groups;
  const incidents = groups.all().map((group) => incidentOf(group, explained, denominator.of(group.connections)));
  const rank = ({ harmless }: Incident): number => (harmless ? 1 : 0);
  return incidents.sort((a, b) => rank(a) - rank(b) || b.harm - a.harm || (a.from < b.from ? -1 : 1));
}

class Groups implements VerdictSink {
  readonly denominator: Denominator;
  readonly #explained: Explained;
  readonly #quietNs: number;
  readonly #places = new Map<string, PlaceGroups>();
  /** The same by the objects that rules and places are, most of which serve many claims. */
  readonly #byPlace = new WeakMap<Place, Map<Rule, PlaceGroups>>();

  constructor(explained: Explained) {
    this.#explained = explained;
    this.denominator = new Denominator(explained.known.flows);
    const { since, until, largestGapNs } = explained;
    this.#quietNs = Math.max(QUIET_NS, Number(until - since) / QUIET_PARTS, largestGapNs + QUIET_NS);
  }

  drop(verdict: Verdict, drop: Parameters<VerdictSink['drop']>[1]): void {
    this.#of(verdict, drop.at).addDrop(drop, verdict.claim, this.#explained);
  }

  resent(verdict: Verdict, found: Parameters<VerdictSink['resent']>[1]): void {
    this.#of(verdict, found.fact.at).addResent(found, verdict.claim, this.#explained);
  }

  reset(verdict: Verdict, found: Parameters<VerdictSink['reset']>[1]): void {
    this.#of(verdict, found.fact.at).addReset(found.fact, verdict.claim, this.#explained);
  }

  counter(verdict: Verdict, grown: Parameters<VerdictSink['counter']>[1]): void {
    this.#of(verdict, grown.at).addCounter(grown, verdict.claim, this.#explained);
  }

  summary(verdict: Verdict, summed: Parameters<VerdictSink['summary']>[1]): void {
    this.#of(verdict, summed.at).addSummary(summed, verdict.claim, this.#explained);
  }

  connection(sent: Parameters<NonNullable<VerdictSink['connection']>>[0]): void {
    this.denominator.add(sent);
  }

  all(): Group[] {
    const groups = [...this.#places.values()].flatMap((place) => place.all());
    return groups.filter((group) => {
      const told = group.isOfCounters() ? tellersOf(group, groups) : [];
      for (const other of told) other.agree(group);
      return told.length === 0;
    });
  }

  #of(verdict: Verdict, at: number): Group {
    const { rule, claim } = verdict;
    let byRule = this.#byPlace.get(claim.place);
    if (byRule === undefined) {
      byRule = new Map();
      this.#byPlace.set(claim.place, byRule);
    }
    let groups = byRule.get(rule);
    if (groups === undefined) {
      groups = this.#groupsOf(keyOf(rule.name, claim, false));
      byRule.set(rule, groups);
    }
    return groups.of(verdict, at);
  }

  #groupsOf(key: string): PlaceGroups {
    let groups = this.#places.get(key);
    if (groups === undefined) {
      groups = new PlaceGroups(this.#quietNs);
      this.#places.set(key, groups);
    }
    return groups;
  }
}

/** Counters of what did not leave a device or a host, which are drops besides (net/core/dev.c, net/ipv4/udp.c). */
const OF_THE_WAY_OUT = /^(tx_dropped|Udp6?SndbufErrors)$/;

/** The groups whose drops are what these counters counted: of the same rule, or at least as many on the way out. */
function tellersOf(counters: Group, groups: readonly Group[]): Group[] {
  const near = groups.filter((other) => isNear(counters, other));
  const ofRule = near.find(({ rule }) => rule === counters.rule);
  if (ofRule) return [ofRule];
  const { device, reason = '' } = counters.claim.place;
  if (!OF_THE_WAY_OUT.test(reason)) return [];
  const leaving = near.filter(
    ({ rule, claim: { place } }) => rule.isCountedOut && (device === undefined || device === place.device),
  );
  return leaving.reduce((sum, { drops }) => sum + drops, 0) >= counters.grown ? leaving : [];
}

/** Whether a group has drops in the same namespace, at that time. */
function isNear(counters: Group, { claim, drops, from, until }: Group): boolean {
  const isSame = claim.place.netns === counters.claim.place.netns;
  return isSame && drops > 0 && counters.from <= until + PATIENCE_NS && counters.until >= from;
}

/** The groups of one rule and place: one for each peer, or one for all where they are many at the same time. */
class PlaceGroups {
  readonly #quietNs: number;
  readonly #closed: Group[] = [];
  #open = new Map<number | undefined, Group>();
  #joined: Group | undefined;
  #until = Number.NEGATIVE_INFINITY;

  constructor(quietNs: number) {
    this.#quietNs = quietNs;
  }

  of({ rule, claim }: Verdict, at: number): Group {
    if (at - this.#until > this.#quietNs) this.#close();
    if (at > this.#until) this.#until = at;
    if (this.#joined) return this.#joined;
    const known = this.#open.get(claim.peer);
    if (known) return known;
    if (this.#open.size + 1 >= MANY_PEERS) {
      this.#joined = sumOf([...this.#open.values()]);
      return this.#joined;
    }
    const group = new Group(rule, claim);
    this.#open.set(claim.peer, group);
    return group;
  }

  all(): Group[] {
    this.#close();
    return this.#closed;
  }

  #close(): void {
    if (this.#joined) this.#closed.push(this.#joined);
    else this.#closed.push(...this.#open.values());
    this.#open = new Map();
    this.#joined = undefined;
  }
}

function sumOf(groups: readonly Group[]): Group {
  const [first, ...others] = groups.toSorted((a, b) => a.from - b.from) as [Group, ...Group[]];
  const { peer, ...claim } = first.claim;
  const sum = new Group(first.rule, claim);
  for (const group of [first, ...others]) sum.addGroup(group);
  return sum;
}

function incidentOf(group: Group, explained: Explained, sent: Share): Incident {
  const { known, base, share } = explained;
  const { rule, claim } = group;
  const from = timeOf(group.from, base);
  const until = timeOf(group.until, base);
  const counted = (entries: [name: string, count: number][]): Counted[] =>
    entries.map(([name, events]) => ({ name, events: Math.round(events) }));
  return {
    id: formatId(rule.name, from, until, keyOf(rule.name, claim, true)),
    rule: rule.name,
    ...described(group, explained, sent),
    from,
    until,
    sureness: group.mainSureness,
    place: placeOf(group),
    hit: {
      processes: counted(group.processes.top(TOLD)),
      containers: counted(group.containers.top(TOLD)),
      peers: counted(group.peers.top(TOLD).map(([peer, count]) => [known.flows.addressText(peer), count])),
      connections: group.connections.size,
    },
    amount: {
      retransmissions: Math.round(group.resent),
      segments: Math.round(group.segments),
      drops: Math.round(group.drops),
      resets: Math.round(group.resets),
      counted: Math.round(group.grown),
      ...(sent.segments > 0 && group.resent > 0 ? { lossRatio: rounded(sent.retransmitted / sent.segments) } : {}),
    },
    ...(share < 1 ? { examined: Math.round(share * 1000) / 1000 } : {}),
    ...(rule.isHarmless?.(group, sent) ? { harmless: true } : {}),
    harm: Math.round(group.harm * 100) / 100,
    timeline: {
      from: timeOf(group.timeline.from, base),
      stepNs: BigInt(group.timeline.stepNs),
      counts: group.timeline.counts.map(Math.round),
    },
  };
}

function described(group: Group, { known, share }: Explained, sent: Share): Description {
  const { retransmitted, spurious } = sent;
  const description = group.rule.describe(group, known, sent);
  if (group.summed > 0) {
    description.restsOn.push(
      `${Math.round(group.summed)} of these events were only counted in a storm, and not joined one by one`,
    );
  }
  if (group.agreed.total > 0) {
    const counted = group.agreed.top(TOLD).map(([name, count]) => `${name} +${Math.round(count)}`);
    description.restsOn.push(`the kernel's own counters grew with it: ${counted.join(', ')}`);
  }
  if (spurious > 0 && group.resent > 0) {
    description.restsOn.push(
      `of ${retransmitted} segments that these connections sent again in all, the other ends got ${spurious} twice (DSACK)`,
    );
  }
  if (share < 1) {
    description.restsOn.push(
      `${(share * 100).toFixed(0)} % of the events of this period were examined one by one: what is rare or sudden, and a sample of the rest, from which the counts are reckoned`,
    );
  }
  return description;
}

const rounded = (ratio: number): number => Math.round(ratio * 1e6) / 1e6;

const placeOf = ({ claim }: Group): Place => ({ ...claim.place });

const timeOf = (at: number, base: WallNs): WallNs => wallNs(base + BigInt(Math.round(at)));
