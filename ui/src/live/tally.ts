/** What came in of late, added up: no event is kept but the newest few, however many come. */

import type { JsonEvent, SeriesLine, TopDimension, TopRow } from '../api/types.ts';
import { parseTime } from '../format/time.ts';

/** Length of a bar. */
export const BUCKET_MS = 500;
/** Bars that are kept, and one more that is filling. */
export const BUCKETS = 240;
/** Names of a table; what comes beyond is added up under one. */
const MOST_NAMES = 1000;
const NEWEST = 300;
/** Tables are of this many seconds. */
export const WINDOW_S = 60;

export const LIVE_DIMENSIONS = [
  'process',
  'container',
  'peer',
  'reason',
  'location',
  'cause',
] as const satisfies readonly TopDimension[];
type LiveDimension = (typeof LIVE_DIMENSIONS)[number];

/** Segments resent, drops, resets. */
type Counts = [number, number, number];

/** Counts by name over the last seconds. */
class Sliding {
  readonly #totals = new Map<string, Counts>();
  readonly #seconds = new Map<number, Map<string, Counts>>();

  add(second: number, name: string, place: 0 | 1 | 2, count: number): void {
    const key = this.#totals.has(name) || this.#totals.size < MOST_NAMES ? name : '(others)';
    let counts = this.#seconds.get(second);
    if (!counts) {
      counts = new Map();
      this.#seconds.set(second, counts);
    }
    countsOf(counts, key)[place] += count;
    countsOf(this.#totals, key)[place] += count;
  }

  /** Takes away what is older than `second`. */
  forget(second: number): void {
    for (const [old, counts] of this.#seconds) {
      if (old >= second) continue;
      this.#seconds.delete(old);
      for (const [name, gone] of counts) this.#take(name, gone);
    }
  }

  #take(name: string, gone: Counts): void {
    const total = this.#totals.get(name);
    if (!total) return;
    for (const place of [0, 1, 2] as const) total[place] -= gone[place];
    if (total[0] + total[1] + total[2] === 0) this.#totals.delete(name);
  }

  rows(): TopRow[] {
    const sum = ([resent, drops, resets]: Counts): number => resent + drops + resets;
    return [...this.#totals]
      .sort((a, b) => sum(b[1]) - sum(a[1]))
      .slice(0, 50)
      .map(([name, [resent, drops, resets]]) => ({
        key: name,
        events: resent + drops + resets,
        retransmissions: resent,
        segments: resent,
        bytes: 0,
        drops,
        resets,
      }));
  }
}

function countsOf(map: Map<string, Counts>, key: string): Counts {
  let counts = map.get(key);
  if (!counts) {
    counts = [0, 0, 0];
    map.set(key, counts);
  }
  return counts;
}

interface Line {
  readonly kind: SeriesLine['kind'];
  readonly what: string | undefined;
  readonly isBenign: boolean;
  /** A ring: the bar of a time is at its number modulo the length. */
  readonly ring: Float64Array;
}

export class LiveTally {
  readonly #lines = new Map<string, Line>();
  readonly #tables = new Map<LiveDimension, Sliding>(LIVE_DIMENSIONS.map((by) => [by, new Sliding()]));
  /** Newest first. */
  #newest: JsonEvent[] = [];
  #bar = 0;
  /** Events since the page came here. */
  seen = 0;
  /** Events that the server did not send, since this page was too slow. */
  lost = 0;

  add(events: readonly JsonEvent[], now: number): void {
    this.advance(now);
    const second = Math.floor(now / 1000);
    for (const event of events) this.#count(event, second);
    this.seen += events.length;
    const fresh = events.slice(-NEWEST).reverse();
    this.#newest = [...fresh, ...this.#newest.slice(0, NEWEST - fresh.length)];
  }

  /** Begins the bars that have come meanwhile, and forgets the oldest. */
  advance(now: number): void {
    const bar = Math.floor(now / BUCKET_MS);
    const fresh = this.#bar === 0 ? BUCKETS : Math.min(BUCKETS, bar - this.#bar);
    for (let back = 0; back < fresh; back++)
      for (const { ring } of this.#lines.values()) ring[(bar - back) % BUCKETS] = 0;
    this.#bar = Math.max(this.#bar, bar);
    for (const table of this.#tables.values()) table.forget(Math.floor(now / 1000) - WINDOW_S);
  }

  #count(event: JsonEvent, second: number): void {
    if (event.kind !== 'retransmit' && event.kind !== 'drop' && event.kind !== 'reset') return;
    const place = event.kind === 'retransmit' ? 0 : event.kind === 'drop' ? 1 : 2;
    const count = event.kind === 'retransmit' ? (event.segments ?? 1) : 1;
    const what = event.kind === 'retransmit' ? event.cause : event.reason;
    const isBenign = event.kind === 'drop' && event.class === 'benign';
    const { ring } = this.#line(event.kind, what, isBenign);
    const at = this.#barOf(event) % BUCKETS;
    ring[at] = (ring[at] as number) + count;
    for (const by of LIVE_DIMENSIONS) {
      const name = nameOf(event, by);
      if (name !== undefined) this.#tables.get(by)?.add(second, name, place, count);
    }
  }

  /** By its own time, not by when it came: a store hands over half a second at once. */
  #barOf({ time }: JsonEvent): number {
    const bar = Math.floor(parseTime(time) / BUCKET_MS);
    return Math.max(this.#bar - BUCKETS + 1, Math.min(this.#bar, bar));
  }

  #line(kind: Line['kind'], what: string | undefined, isBenign: boolean): Line {
    const key = `${kind} ${what} ${isBenign}`;
    let line = this.#lines.get(key);
    if (!line) {
      line = { kind, what, isBenign, ring: new Float64Array(BUCKETS) };
      this.#lines.set(key, line);
    }
    return line;
  }

  /** Begin of the bar that is filling, in milliseconds. */
  get bar(): number {
    return this.#bar * BUCKET_MS;
  }

  /** The bars as the API would answer them, the oldest first. */
  series(): SeriesLine[] {
    const first = this.#bar + 1;
    return [...this.#lines.values()].map(({ kind, what, isBenign, ring }) => ({
      kind,
      ...(what !== undefined && { what }),
      ...(kind === 'drop' && { class: isBenign ? ('benign' as const) : ('loss' as const) }),
      counts: Array.from({ length: BUCKETS }, (_, at) => ring[(first + at) % BUCKETS] as number),
    }));
  }

  rows(by: LiveDimension): TopRow[] {
    return this.#tables.get(by)?.rows() ?? [];
  }

  get newest(): readonly JsonEvent[] {
    return this.#newest;
  }
}

type Counted = JsonEvent<'retransmit'> | JsonEvent<'drop'> | JsonEvent<'reset'>;

function nameOf(event: Counted, by: LiveDimension): string | undefined {
  switch (by) {
    case 'process':
      return event.process;
    case 'container':
      return event.container;
    case 'peer':
      return event.kind === 'drop' && event.direction === 'rx' ? event.src : event.dst;
    case 'reason':
      return event.kind === 'retransmit' ? undefined : event.reason;
    case 'location':
      return event.kind === 'drop' ? event.location : undefined;
    case 'cause':
      return event.kind === 'retransmit' ? event.cause : undefined;
  }
}
