/** Facts in, verdicts out: joins them and asks the rules. */

import type { Dropped, Fact, Grown, Resent, Reset, Sent, Summed } from './facts.ts';
import type { FlowKey } from './flows.ts';
import { Join, type ResentCase } from './join.ts';
import { ListenCounters } from './listen-counters.ts';
import type { Known, ResetCase } from './rules/rule.ts';
import { LOOKAHEAD_NS, NS_PER_MS, NS_PER_S, PATIENCE_NS, WINDOW_NS } from './timing.ts';
import { DropVerdicts, firstClaim, type Verdict } from './verdicts.ts';
import { Waiting } from './waiting.ts';

/** Takes the verdicts. A drop that explains retransmissions comes before them, and once. */
export interface VerdictSink {
  drop(verdict: Verdict, drop: Dropped): void;
  resent(verdict: Verdict, found: ResentCase): void;
  reset(verdict: Verdict, found: ResetCase): void;
  counter(verdict: Verdict, grown: Grown): void;
  summary(verdict: Verdict, summed: Summed): void;
  /** A report of a connection, whether or not it is part of a verdict. */
  connection?(sent: Sent): void;
}

/** Owners of which verdicts are remembered. */
const MAX_REMEMBERED = 10_000;

/** What was recorded of a connection within this time tells of what was only counted. */
const NEAR_NS = 10 * NS_PER_S;

/** The reason of a RST after keepalives that got no answer. */
const GIVEN_UP = 'TCP_KEEPALIVE_TIMEOUT';

/** A RST and the drop that made it are recorded within this time. */
const ANSWER_NS = 100 * NS_PER_MS;

export class Judge {
  readonly #known: Known;
  readonly #sink: VerdictSink;
  readonly #join: Join;
  readonly #waiting = new Waiting<ResentCase | ResetCase>(LOOKAHEAD_NS);
  /** Timers whose cause may be recorded later. */
  readonly #unexplained = new Waiting<ResentCase>(PATIENCE_NS);
  /** What is recorded beside it one by one is judged first. */
  readonly #summaries = new Waiting<{ fact: Summed }>(2 * LOOKAHEAD_NS);
  readonly #listeners = new ListenCounters();
  readonly #dropVerdicts = new DropVerdicts();
  /** The last retransmission of a connection whose drop was found. */
  readonly #lastMatches = new Map<FlowKey, { verdict: Verdict; at: number }>();
  readonly #resets = new Map<FlowKey, Reset>();

  constructor(known: Known, sink: VerdictSink) {
    this.#known = known;
    this.#sink = sink;
    this.#join = new Join(known.flows, known.names);
  }

  /** To be called in order of time. */
  take(fact: Fact): void {
    this.#settle(fact.at);
    if (fact.kind === 'drop') this.#takeDrop(fact);
    else if (fact.kind === 'reset') this.#takeReset(fact);
    else if (fact.kind === 'counter') this.#takeCounter(fact);
    else if (fact.kind === 'connection') this.#sink.connection?.(fact);
    else if (fact.kind === 'summary') this.#summaries.add({ fact });
    else {
      const found = this.#join.resend(fact);
      (mayBeExplainedLater(found) ? this.#unexplained : this.#waiting).add(found);
    }
  }

  end(): void {
    this.#settle(Number.POSITIVE_INFINITY);
  }

  #settle(now: number): void {
    for (const found of this.#unexplained.due(now)) this.#judgeResent(found);
    for (const found of this.#waiting.due(now)) {
      if (found.kind === 'retransmit') this.#judgeResent(found);
      else this.#judgeReset(found);
    }
    for (const { fact } of this.#summaries.due(now)) this.#judgeSummary(fact);
  }

  #takeDrop(drop: Dropped): void {
    const probes = this.#join.drop(drop);
    for (const probe of probes) if (probe.isAsked) this.#verdictOf(probe);
    if (drop.class !== 'benign' && !drop.isCopy && drop.isAsked) this.#verdictOf(drop);
  }

  #takeReset(fact: Reset): void {
    if (fact.flow !== undefined) this.#resets.set(fact.flow, fact);
    this.#waiting.add({ kind: 'reset', fact });
  }

  #takeCounter(grown: Grown): void {
    if (grown.class === 'benign') return;
    this.#listeners.add(grown);
    if (!grown.isAsked) return;
    const verdict = firstClaim((rule) => rule.counter?.(grown, this.#known));
    if (verdict) this.#sink.counter(verdict, grown);
  }

  #judgeSummary(summed: Summed): void {
    const { each } = summed;
    if (!summed.isAsked || (each.kind === 'drop' && each.class === 'benign')) return;
    const verdict = this.#verdictOfEach(each);
    if (verdict) this.#sink.summary(verdict, summed);
  }

  /** What is the same for all that a summary counts. */
  #verdictOfEach(each: Summed['each']): Verdict | undefined {
    if (each.kind === 'drop') return this.#dropVerdicts.of(each, this.#known);
    if (each.kind === 'reset') return firstClaim((rule) => rule.reset?.({ kind: 'reset', fact: each }, this.#known));
    // the retransmissions of a connection that were recorded one by one tell of those that were only counted
    const last = each.flow === undefined ? undefined : this.#lastMatches.get(each.flow);
    if (last && Math.abs(each.at - last.at) < NEAR_NS) return onlyLikely(last.verdict);
    const found: ResentCase = { kind: 'retransmit', fact: each, lost: [], share: 0 };
    return firstClaim((rule) => rule.resent?.(found, this.#known));
  }

  #judgeResent(found: ResentCase): void {
    const drops = dropsOf(found);
    if (!found.fact.isAsked && !drops.some(({ isAsked }) => isAsked)) return;
    const listen = this.#listeners.find(found.fact, this.#known.flows);
    if (listen) found.listen = listen;
    const [first] = drops.map((drop) => this.#verdictOf(drop));
    const verdict = first ?? firstClaim((rule) => rule.resent?.(found, this.#known));
    if (verdict) this.#sink.resent(found.nat === 'sequence' ? onlyLikely(verdict) : verdict, found);
    if (first) this.#rememberMatch(found.fact, first);
  }

  #rememberMatch({ flow, at }: Resent, verdict: Verdict): void {
    if (flow === undefined) return;
    if (this.#lastMatches.size >= MAX_REMEMBERED) this.#lastMatches.clear();
    this.#lastMatches.set(flow, { verdict, at });
  }

  #judgeReset(found: ResetCase): void {
    const { fact } = found;
    if (!fact.isAsked) return;
    const other = this.#otherEnd(fact);
    const whole: ResetCase = other ? { ...found, other } : found;
    const answered = this.#answered(other && fact.direction === 'received' ? other : fact);
    const unanswered = fact.reason === GIVEN_UP ? this.#lastProbe(fact) : undefined;
    const verdict =
      (answered && this.#verdictOf(answered)) ??
      (unanswered && this.#verdictOf(unanswered)) ??
      firstClaim((rule) => rule.reset?.(whole, this.#known));
    if (verdict) this.#sink.reset(verdict, whole);
  }

  /** The record of the same RST at its other end. */
  #otherEnd(fact: Reset): Reset | undefined {
    if (fact.flow === undefined) return undefined;
    const other = this.#resets.get(this.#known.flows.reverse(fact.flow));
    const isPair = other && other.direction !== fact.direction && Math.abs(other.at - fact.at) <= LOOKAHEAD_NS;
    return isPair ? other : undefined;
  }

  /** The last dropped packet without data of either end, as keepalives and their answers are. */
  #lastProbe({ flow, at }: Reset): Dropped | undefined {
    if (flow === undefined) return undefined;
    const drops = [flow, this.#known.flows.reverse(flow)].map((way) => this.#join.lastProbe(way));
    return drops.find((drop) => drop && at - drop.at <= WINDOW_NS);
  }

  /** The dropped packet that the RST answers: one for nobody, or one that a firewall rejected. */
  #answered({ flow, direction, at }: Reset): Dropped | undefined {
    if (flow === undefined) return undefined;
    const drop = this.#join.lastDrop(direction === 'sent' ? this.#known.flows.reverse(flow) : flow);
    const isNear = drop !== undefined && Math.abs(drop.at - at) <= ANSWER_NS;
    return isNear && (direction === 'received' || drop.reason === 'NO_SOCKET') ? drop : undefined;
  }

  #verdictOf(drop: Dropped): Verdict | undefined {
    const verdict = this.#dropVerdicts.of(drop, this.#known);
    if (verdict && !drop.isTold) {
      drop.isTold = true;
      this.#sink.drop(verdict, drop);
    }
    return verdict;
  }
}

/** A packet that waits for its next hop, and a counter that is read only now and then, tell later why a timer sent again. */
function mayBeExplainedLater(found: ResentCase): boolean {
  const { cause, failed } = found.fact;
  if (cause === 'syn' || cause === 'syn-ack' || failed === 'EBUSY') return true;
  return cause === 'rto' && dropsOf(found).length === 0;
}

function dropsOf({ lost, lostAck, waited }: ResentCase): readonly Dropped[] {
  if (lost.length > 0) return lost;
  const other = lostAck ?? waited;
  return other ? [other] : [];
}

const onlyLikely = (verdict: Verdict): Verdict => ({ ...verdict, claim: { ...verdict.claim, sureness: 'likely' } });
