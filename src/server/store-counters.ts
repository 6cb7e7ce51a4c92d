/**
 * Counters that begin with the server and grow as the store does. Each slice counts by how much it grew since it was looked at
 * before; what retention removes stays counted, so that no counter ever falls.
 */

import { CAUSES } from '../event/kinds.ts';
import type { Family, Labels, Sample } from '../export/prometheus.ts';
import type { KeyTotal, LossTotal, SliceTotals } from '../store/totals.ts';

/** Sets of labels of a name at most; what comes after is counted with the labels' values being this. */
const MAX_SETS = 200;
const OTHER = '(other)';
const UNKNOWN = 'unknown';

const HELP = {
  losslog_retransmitted_segments_total: 'TCP segments that were sent again, by cause.',
  losslog_drops_total: 'Packets that the kernel dropped, by reason and whether that harms (class).',
  losslog_resets_total: 'TCP resets, by reason.',
  losslog_kernel_counter_total: 'Growth of counters of the kernel for losses that no event shows.',
  losslog_lost_events_total: 'Events that the store has not: rings were full, or storing failed.',
  losslog_limited_events_total: 'Events that were only counted, because there were too many.',
  losslog_process_retransmitted_segments_total: 'TCP segments that were sent again, by process.',
  losslog_process_drops_total: 'Packets dropped, benign ones left out, by process.',
  losslog_process_resets_total: 'TCP resets, by process.',
  losslog_container_retransmitted_segments_total: 'TCP segments that were sent again, by container.',
  losslog_container_drops_total: 'Packets dropped, benign ones left out, by container.',
  losslog_container_resets_total: 'TCP resets, by container.',
} as const;
type Name = keyof typeof HELP;

interface Counted {
  readonly name: Name;
  readonly labels: Labels;
  readonly value: number;
}

export class StoreCounters {
  readonly #values = new Map<Name, Map<string, { labels: Labels; value: number }>>();
  /** What slices that may still change counted when they were looked at last. */
  readonly #last = new Map<string, ReadonlyMap<string, number>>();
  #sealed = new Set<string>();

  /** Slices that need not be looked at again. */
  get known(): string[] {
    return [...this.#sealed];
  }

  /** A rate needs a first value: what can be named in advance begins with 0. */
  constructor() {
    for (const cause of CAUSES) this.#grow({ name: 'losslog_retransmitted_segments_total', labels: { cause } }, 0);
  }

  /** What is there when the server begins does not count. */
  begin(slices: readonly SliceTotals[]): void {
    for (const slice of slices) this.#note(slice, countsOf(slice));
  }

  add(slices: readonly SliceTotals[]): void {
    for (const slice of slices) {
      const last = this.#last.get(slice.file);
      const counts = countsOf(slice);
      for (const counted of counts) {
        const grown = counted.value - (last?.get(idOf(counted)) ?? 0);
        if (grown > 0) this.#grow(counted, grown);
      }
      this.#note(slice, counts);
    }
  }

  families(): Family[] {
    return (Object.keys(HELP) as Name[]).map((name) => ({
      name,
      type: 'counter',
      help: HELP[name],
      samples: this.#samples(name),
    }));
  }

  /** Counters without labels are there from the beginning. */
  #samples(name: Name): Sample[] {
    const values = [...(this.#values.get(name)?.values() ?? [])];
    const isPlain = name === 'losslog_lost_events_total' || name === 'losslog_limited_events_total';
    return values.length === 0 && isPlain ? [{ value: 0 }] : values;
  }

  #note(slice: SliceTotals, counts: readonly Counted[]): void {
    if (slice.isSealed) {
      this.#sealed.add(slice.file);
      this.#last.delete(slice.file);
    } else this.#last.set(slice.file, new Map(counts.map((counted) => [idOf(counted), counted.value])));
  }

  #grow({ name, labels }: Pick<Counted, 'name' | 'labels'>, by: number): void {
    let values = this.#values.get(name);
    if (!values) {
      values = new Map();
      this.#values.set(name, values);
    }
    const isNew = !values.has(JSON.stringify(labels));
    const set = isNew && values.size >= MAX_SETS ? mapValues(labels, OTHER) : labels;
    const id = JSON.stringify(set);
    values.set(id, { labels: set, value: (values.get(id)?.value ?? 0) + by });
  }
}

const idOf = ({ name, labels }: Counted): string => `${name} ${JSON.stringify(labels)}`;

const mapValues = (labels: Labels, value: string): Labels =>
  Object.fromEntries(Object.keys(labels).map((name) => [name, value]));

function countsOf({ losses, keys, lost, limited }: SliceTotals): Counted[] {
  return [
    ...losses.flatMap(lossCounts),
    ...keys.flatMap(keyCounts),
    { name: 'losslog_lost_events_total', labels: {}, value: lost },
    { name: 'losslog_limited_events_total', labels: {}, value: limited },
  ];
}

function lossCounts({ kind, what = UNKNOWN, class: dropClass = UNKNOWN, count }: LossTotal): Counted[] {
  switch (kind) {
    case 'retransmit':
      return [{ name: 'losslog_retransmitted_segments_total', labels: { cause: what }, value: count }];
    case 'drop':
      return [{ name: 'losslog_drops_total', labels: { reason: what, class: dropClass }, value: count }];
    case 'reset':
      return [{ name: 'losslog_resets_total', labels: { reason: what }, value: count }];
    case 'counter':
      return [{ name: 'losslog_kernel_counter_total', labels: { counter: what, class: dropClass }, value: count }];
    default:
      return [];
  }
}

function keyCounts({ by, key = UNKNOWN, segments, drops, resets }: KeyTotal): Counted[] {
  const labels = { [by]: key };
  return [
    { name: `losslog_${by}_retransmitted_segments_total`, labels, value: segments },
    { name: `losslog_${by}_drops_total`, labels, value: drops },
    { name: `losslog_${by}_resets_total`, labels, value: resets },
  ];
}
