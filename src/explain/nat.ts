/**
 * Finds a packet whose addresses were translated on its way. NAT leaves sequence numbers alone, and mostly one end or the
 * port of the source: a drop that agrees in that, and begins or ends at the very same sequence number, is of the same
 * connection (two connections agree in that number once in 2^31).
 */

import type { Dropped, Resent } from './facts.ts';
import { type FlowKey, type Flows, portOf } from './flows.ts';
import type { Range } from './sequence.ts';
import { WINDOW_NS } from './timing.ts';

const BUCKET_BITS = 16;
const bucketOf = (sequence: number): number => sequence >>> BUCKET_BITS;

export class NatFinder {
  readonly #flows: Flows;
  /** Drops by the high bits of where they begin and end, by time. */
  readonly #buckets: (Dropped[] | undefined)[] = new Array(2 ** BUCKET_BITS);
  /** The translated connection by the one as its sender knows it, and back. */
  readonly #translated = new Map<FlowKey, FlowKey>();
  readonly #origins = new Map<FlowKey, FlowKey>();

  constructor(flows: Flows) {
    this.#flows = flows;
  }

  add(drop: Dropped): void {
    const { begin, end } = drop.range as Range;
    this.#put(bucketOf(begin), drop);
    if (bucketOf(end) !== bucketOf(begin)) this.#put(bucketOf(end), drop);
  }

  /** The connection under the addresses that it has elsewhere on this host. */
  find(resent: Resent, flow: FlowKey, range: Range, latest: number): FlowKey | undefined {
    const known = this.#translated.get(flow);
    if (known !== undefined) return known;
    const found =
      this.#search(range.begin, 'begin', resent, flow, latest) ?? this.#search(range.end, 'end', resent, flow, latest);
    if (found === undefined) return undefined;
    this.#translated.set(flow, found);
    this.#origins.set(found, flow);
    return found;
  }

  originOf(translated: FlowKey): FlowKey | undefined {
    return this.#origins.get(translated);
  }

  #search(sequence: number, edge: keyof Range, { at }: Resent, flow: FlowKey, latest: number): FlowKey | undefined {
    const drops = this.#buckets[bucketOf(sequence)];
    if (drops === undefined) return undefined;
    for (const drop of drops) {
      const isThere = (drop.range as Range)[edge] === sequence && drop.left.length > 0;
      if (!isThere || drop.at < at - WINDOW_NS || drop.at > latest) continue;
      if (this.#isTranslation(flow, drop.flow as FlowKey)) return drop.flow;
    }
    return undefined;
  }

  /** One end is as it was, or at least the port of the source, which masquerading keeps where it can. */
  #isTranslation(a: FlowKey, b: FlowKey): boolean {
    if (a === b) return false;
    const [source, other] = [this.#flows.source(a), this.#flows.source(b)];
    return portOf(source) === portOf(other) || this.#flows.destination(a) === this.#flows.destination(b);
  }

  #put(bucket: number, drop: Dropped): void {
    const drops = this.#buckets[bucket];
    if (!drops) {
      this.#buckets[bucket] = [drop];
      return;
    }
    while (drops.length > 0 && (drops[0] as Dropped).at < drop.at - WINDOW_NS) drops.shift();
    drops.push(drop);
  }
}
