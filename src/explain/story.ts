/** The story of one connection: what was dropped, sent again and reset, in order, with a verdict on each. */

import { formatDuration } from '../base/duration.ts';
import type { IpBytes } from '../base/ip.ts';
import { formatSocketAddress, type SocketAddress } from '../base/socket-address.ts';
import { NS_PER_MS, wallNs } from '../base/time.ts';
import type { Filter } from '../event/filter.ts';
import type { DropEvent, Event, ResetEvent, RetransmitEvent } from '../event/kinds.ts';
import type { StoreReader } from '../store/store.ts';
import { functionOf } from '../wire/drop-class.ts';
import { type Explained, type ExplainOptions, explain } from './cases.ts';
import type { Fact } from './facts.ts';
import { explainPeriod } from './incidents.ts';
import type { ResentCase } from './join.ts';
import type { Known } from './rules/rule.ts';
import type { Story, StoryStep } from './types.ts';
import type { Verdict } from './verdicts.ts';

type StoryEvent = RetransmitEvent | DropEvent | ResetEvent;

/** Steps told at most: the first ones of a period, which the user may narrow. */
const MAX_STEPS = 10_000;

/** The names of a connection: more than one where its addresses are translated. */
interface Names {
  /** Its end on that side, the asked one first. */
  readonly a: readonly SocketAddress[];
  /** `192.0.2.1:1024 - 10.1.0.5:8443` */
  readonly others: readonly string[];
  has(event: StoryEvent): boolean;
}

/** @param period both ends of the time asked about */
export function connectionStory(
  reader: StoreReader,
  a: SocketAddress,
  b: SocketAddress,
  period: Pick<Filter, 'since' | 'until'>,
  options: ExplainOptions = {},
): Story {
  const filter = { ...period, ...filterOf(a) };
  const verdicts: Verdicts = new Map();
  const explained = explainInto(verdicts, reader, filter, options);
  const names = namesOf(a, b, explained?.known);
  const others = names.a.slice(1).map((end) => ({ ...period, ...filterOf(end) }));
  for (const other of others) explainInto(verdicts, reader, other, options);
  const teller = new Teller(names.a, verdicts);
  const steps = eventsOf(reader, [filter, ...others], names).flatMap((event) => teller.step(event) ?? []);
  const times = steps.map(({ event }) => event.time as bigint);
  const [first, last] = [times[0], times.at(-1)];
  const incidents =
    first === undefined || last === undefined
      ? []
      : explainPeriod(reader, { ...filter, since: wallNs(first), until: wallNs(last + 1n) }, options);
  const summary = [...teller.summary(steps), ...names.others.map((name) => `NAT makes it ${name} elsewhere`)];
  return { a: formatSocketAddress(a), b: formatSocketAddress(b), steps, summary, incidents };
}

const filterOf = ({ address, port }: SocketAddress): Filter => ({
  peer: { address, prefixLength: address.length * 8 },
  port,
});

/** The first ones, oldest first. */
function eventsOf(reader: StoreReader, filters: readonly Filter[], names: Names): StoryEvent[] {
  const events = filters.flatMap((filter) => {
    const found: StoryEvent[] = [];
    for (const event of reader.events({ ...filter, all: true }, { order: 'oldest' })) {
      if (found.length === MAX_STEPS) break;
      if ('src' in event && names.has(event as StoryEvent)) found.push(event as StoryEvent);
    }
    return found;
  });
  const byTime = (x: StoryEvent, y: StoryEvent): number => Number((x.time as bigint) - (y.time as bigint));
  return events.sort(byTime).slice(0, MAX_STEPS);
}

function namesOf(a: SocketAddress, b: SocketAddress, known: Known | undefined): Names {
  if (known === undefined) return { a: [a], others: [], has: (event) => isBetween(event, a, b) };
  const { flows, names } = known;
  const asked = flows.between(a, b);
  const pairs = names.allOf(asked).map((flow) => [flows.source(flow), flows.destination(flow)] as const);
  const own = flows.source(asked);
  const ends = [own, ...new Set(pairs.map(([source]) => source).filter((source) => source !== own))];
  const between = pairs.map((pair) => pair.map((end) => flows.socketAddress(end)) as [SocketAddress, SocketAddress]);
  return {
    a: ends.map((end) => flows.socketAddress(end)),
    others: pairs
      .map((pair) => pair.map((end) => flows.endpointText(end)).join(' - '))
      .filter((name) => name !== `${formatSocketAddress(a)} - ${formatSocketAddress(b)}`),
    has: (event) => {
      if (between.some(([from, to]) => isBetween(event, from, to))) return true;
      const nat = event.kind === 'drop' && event.nat !== undefined ? flows.translation(event.nat) : undefined;
      return nat !== undefined && [asked, flows.reverse(asked)].some((way) => names.of(way) === names.of(nat.opened));
    },
  };
}

/** Verdicts by kind and time of the event. */
type Verdicts = Map<string, { verdict: Verdict; found?: ResentCase }>;

function explainInto(
  verdicts: Verdicts,
  reader: StoreReader,
  filter: Filter,
  options: ExplainOptions,
): Explained | undefined {
  return explain(reader, filter, options, ({ base }) => {
    const note = (fact: Fact, verdict: Verdict, found?: ResentCase): void => {
      verdicts.set(`${fact.kind} ${base + BigInt(fact.at)}`, found ? { verdict, found } : { verdict });
    };
    return {
      drop: (verdict, drop) => note(drop, verdict),
      resent: (verdict, found) => note(found.fact, verdict, found),
      reset: (verdict, { fact }) => note(fact, verdict),
      counter: () => {},
      summary: () => {},
    };
  });
}

function isBetween({ src, sport, dst, dport }: StoryEvent, a: SocketAddress, b: SocketAddress): boolean {
  const isSent = isEnd(src, sport, a) && isEnd(dst, dport, b);
  return isSent || (isEnd(src, sport, b) && isEnd(dst, dport, a));
}

class Teller {
  readonly #a: readonly SocketAddress[];
  readonly #verdicts: Verdicts;
  /** The first sequence number seen of each way: those told count from it. */
  readonly #begins: Partial<Record<StoryStep['way'], number>> = {};

  constructor(a: readonly SocketAddress[], verdicts: Verdicts) {
    this.#a = a;
    this.#verdicts = verdicts;
  }

  step(event: Event): StoryStep | undefined {
    if (event.kind === 'retransmit') return this.#resent(event);
    if (event.kind === 'drop') return this.#dropped(event);
    return event.kind === 'reset' ? this.#reset(event) : undefined;
  }

  summary(steps: readonly StoryStep[]): string[] {
    const resent = steps.filter(({ event }) => event.kind === 'retransmit');
    const [first] = steps;
    const last = steps.at(-1);
    if (!first || !last) return ['nothing of this connection is recorded in that time'];
    const count = (fate: StoryStep['fate']): number => steps.filter((step) => step.fate === fate).length;
    const told = new Map<string, number>();
    for (const { verdict } of resent) if (verdict !== undefined) told.set(verdict, (told.get(verdict) ?? 0) + 1);
    return [
      `${resent.length} retransmissions, ${count('lost')} packets dropped, in ${formatDuration((last.event.time as bigint) - (first.event.time as bigint))}`,
      ...[...told].sort((x, y) => y[1] - x[1]).map(([verdict, times]) => `${times} times: ${verdict}`),
    ];
  }

  #resent(event: RetransmitEvent): StoryStep {
    const { cause, failed, rtoMs } = event;
    const way = this.#way(event);
    const { verdict, found } = this.#verdicts.get(`retransmit ${event.time}`) ?? {};
    const after = cause === 'rto' || cause === 'syn' ? ` after ${formatDuration(BigInt(rtoMs ?? 0) * NS_PER_MS)}` : '';
    const what = cause === 'syn' ? 'SYN' : cause === 'syn-ack' ? 'SYN-ACK' : this.#range(way, event);
    const sent = failed === undefined ? 'sent again' : `not sent (${failed})`;
    return {
      event,
      way,
      text: `${what} ${sent}: ${cause}${rtoMs === undefined ? '' : after}`,
      ...(verdict === undefined ? {} : { verdict: reasonText(verdict, found) }),
      fate: failed !== undefined ? 'unsent' : found?.needless ? 'needless' : 'unknown',
    };
  }

  #dropped(event: DropEvent): StoryStep {
    const way = this.#way(event);
    const flags = (event.tcpFlags ?? '').replace(/\|?ACK$/, '').replace('PSH', '');
    const what =
      event.seq === event.endSeq
        ? `${flags || 'ACK'} ${event.ack === undefined ? '' : this.#ack(way, event.ack)}`
        : `${flags ? `${flags} ` : ''}${this.#range(way, event)}`;
    const where = [
      event.netnsName ?? (event.netns === undefined ? '' : `netns ${event.netns}`),
      event.device === undefined ? '' : `on ${event.device}`,
    ].filter(Boolean);
    const place = functionOf(event.location);
    const isBenign = event.class === 'benign';
    return {
      event,
      way,
      text: `${what.trim()} ${isBenign ? 'freed' : 'dropped'}${where.length > 0 ? ` in ${where.join(' ')}` : ''}: ${event.reason ?? 'no reason'}${place === '' ? '' : ` in ${place}()`}`,
      fate: isBenign ? 'needless' : 'lost',
    };
  }

  #reset(event: ResetEvent): StoryStep {
    const isFromA = this.#isA(event) === (event.direction === 'sent');
    const where = event.netnsName ?? (event.netns === undefined ? '' : `netns ${event.netns}`);
    return {
      event,
      way: isFromA ? 'right' : 'left',
      text: `RST ${event.direction}${where === '' ? '' : ` in ${where}`}${event.reason === undefined ? '' : `: ${event.reason}`}`,
      fate: 'unknown',
    };
  }

  #way(event: StoryEvent): StoryStep['way'] {
    return this.#isA(event) ? 'right' : 'left';
  }

  #isA({ src, sport }: StoryEvent): boolean {
    return this.#a.some((end) => isEnd(src, sport, end));
  }

  #range(way: StoryStep['way'], { seq, endSeq }: { seq?: number; endSeq?: number }): string {
    if (seq === undefined || endSeq === undefined) return 'data';
    this.#begins[way] ??= seq;
    const begin = this.#begins[way] as number;
    return `${(seq - begin) | 0}..${(endSeq - begin) | 0}`;
  }

  /** What an acknowledgement covers, in the numbers of the other way. */
  #ack(way: StoryStep['way'], ack: number): string {
    const begin = this.#begins[way === 'right' ? 'left' : 'right'];
    return begin === undefined ? '' : `of ..${(ack - begin) | 0}`;
  }
}

const isEnd = (address: IpBytes | undefined, port: number | undefined, end: SocketAddress): boolean =>
  port === end.port && address !== undefined && Buffer.compare(address, end.address) === 0;

function reasonText({ rule, claim }: Verdict, found: ResentCase | undefined): string {
  const [lost] = found?.lost ?? [];
  const place = claim.place.netnsName ?? (claim.place.netns === undefined ? '' : `netns ${claim.place.netns}`);
  const where = place === '' ? '' : ` in ${place}`;
  if (found?.lostAck && !lost) return `its acknowledgement was dropped${where} (${rule.name})`;
  if (!lost) return `${rule.name} (${claim.sureness})`;
  return `what was sent before was dropped${where} (${rule.name})`;
}
