/** Events in, verdicts out: reads what the filter asks for and what may explain it, joins, and asks the rules. */

import { NS_PER_HOUR, type WallNs, wallFromMs, wallNs } from '../base/time.ts';
import type { Filter } from '../event/filter.ts';
import type { Selection, StoreReader } from '../store/store.ts';
import { stretchesOf } from './asked.ts';
import { Coverage } from './coverage.ts';
import {
  DROPPED_COLUMNS,
  droppedOf,
  type Fact,
  GROWN_COLUMNS,
  grownOf,
  RESENT_COLUMNS,
  RESET_COLUMNS,
  resentOf,
  resetOf,
  SENT_COLUMNS,
  SUMMED_COLUMNS,
  sentOf,
  summedOf,
} from './facts.ts';
import { Flows } from './flows.ts';
import { TELLING_REASONS } from './join.ts';
import { Judge, type VerdictSink } from './judge.ts';
import { NatNames } from './nat.ts';
import type { Known } from './rules/rule.ts';
import { isTimeOnly, type Sample, type Sampling, sampling } from './sampling.ts';
import { PATIENCE_NS, WINDOW_NS } from './timing.ts';

export interface ExplainOptions {
  /** Default: now. */
  now?: WallNs;
  /** Inode number of the host's own network namespace: commands for it need no prefix. */
  hostNetns?: number;
  /** Look at every event, however many they are. */
  examineAll?: boolean;
}

export interface Explained {
  known: Known;
  /** The time that `at` of a fact counts from. */
  base: WallNs;
  since: WallNs;
  until: WallNs;
  /** The part of the events that was examined one by one. */
  share: number;
  /** The longest time that was not examined. */
  largestGapNs: number;
  /** For how many events one at this time stands. */
  weightAt: (at: number) => number;
}

/** Gives every case of the filter to the sink. */
export function explain(
  reader: StoreReader,
  filter: Filter,
  options: ExplainOptions,
  sinkOf: (explained: Explained) => VerdictSink,
): Explained | undefined {
  const now = options.now ?? wallFromMs(Date.now());
  const begins = reader.begins();
  if (begins === undefined) return undefined;
  const since = filter.since !== undefined && filter.since > begins ? filter.since : begins;
  const until = filter.until ?? wallNs((now > since ? now : since) + 1n);
  const base = wallNs((since / NS_PER_HOUR) * NS_PER_HOUR);
  const flows = new Flows();
  const known: Known = {
    flows,
    names: new NatNames(flows),
    coverage: Coverage.read(reader, wallNs(since - BigInt(WINDOW_NS)), until, now, base),
    ...(options.hostNetns === undefined ? {} : { hostNetns: options.hostNetns }),
  };
  const { samples, share } = examined(reader, filter, { since, until }, base, options);
  const explained = {
    ...{ known, base, since, until, share },
    largestGapNs: share < 1 ? largestGap(samples) : 0,
    weightAt: weights(samples, base),
  };
  const judge = new Judge(known, sinkOf(explained));
  for (const [i, sample] of samples.entries()) {
    const period = readingOf(sample, samples[i - 1], samples[i + 1]);
    for (const batch of reader.scan(selections(filter, period, known.flows, sample), period, base)) {
      for (const fact of batch) judge.take(fact);
    }
  }
  judge.end();
  return explained;
}

function examined(
  reader: StoreReader,
  filter: Filter,
  { since, until }: Period,
  base: WallNs,
  options: ExplainOptions,
): Sampling {
  if (options.examineAll) return { samples: [{ since, until, weight: 1 }], share: 1 };
  if (isTimeOnly(filter)) return sampling(reader, filter, since, until);
  return { samples: stretchesOf(reader, filter, since, until, base), share: 1 };
}

/** What is read for a sample: what came before may explain it, and what comes a little later; nothing is read twice. */
function readingOf({ since, until }: Sample, before: Sample | undefined, after: Sample | undefined): Period {
  const [from, to] = [since - BigInt(WINDOW_NS), until + BigInt(PATIENCE_NS)];
  const earliest = before === undefined ? from : endOf(before, since);
  const latest = after === undefined || after.since > to ? to : after.since;
  return { since: wallNs(from > earliest ? from : earliest), until: wallNs(latest) };
}

/** Where the reading of a sample ended. */
function endOf({ until }: Sample, next: bigint): bigint {
  const end = until + BigInt(PATIENCE_NS);
  return end < next ? end : next;
}

const largestGap = (samples: readonly Sample[]): number =>
  samples.reduce((gap, { since }, i) => Math.max(gap, Number(since - (samples[i - 1]?.until ?? since))), 0);

/** For how many events one at a time stands. */
function weights(samples: readonly Sample[], base: WallNs): (at: number) => number {
  const begins = samples.map(({ since, weight }) => ({ at: Number(since - base), weight }));
  let i = 0;
  return (at) => {
    while (i > 0 && (begins[i]?.at ?? 0) > at) i--;
    while (i + 1 < begins.length && (begins[i + 1]?.at ?? 0) <= at) i++;
    return begins[i]?.weight ?? 1;
  };
}

interface Period {
  since: WallNs;
  until: WallNs;
}

/** What is read: all that may explain something, marked where the filter asks for it. */
function selections(filter: Filter, period: Period, flows: Flows, asked: Sample): Selection<Fact>[] {
  const { reason, kinds, ...rest } = filter;
  const wants = (kind: 'retransmit' | 'drop' | 'reset' | 'counter' | 'summary'): boolean =>
    kinds === undefined || kinds.includes(kind);
  const mark: Filter = { ...filter, since: asked.since, until: asked.until };
  const nothing: Filter = { since: period.until };
  return [
    {
      kind: 'retransmit',
      columns: RESENT_COLUMNS,
      // a drop that is asked for by its reason is asked for with what it caused
      filter: reason === undefined ? { ...rest, ...period } : period,
      mark: wants('retransmit') && reason === undefined ? mark : nothing,
      make: (row) => resentOf(row, flows),
    },
    {
      kind: 'drop',
      columns: DROPPED_COLUMNS,
      filter: period,
      benignReasons: TELLING_REASONS,
      mark: wants('drop') ? mark : nothing,
      make: (row) => droppedOf(row, flows),
    },
    {
      kind: 'reset',
      columns: RESET_COLUMNS,
      filter: { ...rest, ...period },
      mark: wants('reset') ? mark : nothing,
      make: (row) => resetOf(row, flows),
    },
    {
      kind: 'counter',
      columns: GROWN_COLUMNS,
      filter: period,
      mark: wants('counter') ? mark : nothing,
      make: (row) => grownOf(row, flows),
    },
    {
      kind: 'summary',
      columns: SUMMED_COLUMNS,
      filter: { ...filter, ...period },
      mark: wants('summary') ? mark : nothing,
      make: (row) => summedOf(row, flows),
    },
    { kind: 'connection', columns: SENT_COLUMNS, filter: period, make: (row) => sentOf(row, flows) },
  ];
}
