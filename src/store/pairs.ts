/** Who lost packets with whom: counts by owner and peer, from the events. */

import type { Filter } from '../event/filter.ts';
import type { Kind } from '../event/kinds.ts';
import { planOf } from './plan.ts';
import { isOf, peerSql } from './rollup.ts';
import { hasOwner } from './schema.ts';
import type { SliceReader } from './slice-reader.ts';

/** One owner and one peer; what is not known is absent. */
export interface Pair {
  process?: string;
  container?: string;
  netns?: number;
  netnsName?: string;
  /** Address in bytes. */
  peer?: Uint8Array;
  /** Segments of retransmissions. */
  segments: number;
  drops: number;
}

/** Pairs told apart at most: some 10 MB. What comes after is added up under what is not known. */
const MAX_PAIRS = 50_000;

/** Pairs of several slices, added up. */
export class Pairs {
  readonly #pairs = new Map<string, Pair>();

  add(slice: SliceReader, filter: Filter): void {
    this.#addKind(slice, filter, 'retransmit', 'sum(max(ifnull(segments, 1), 1)), 0');
    this.#addKind(slice, filter, 'drop', '0, count(*)');
    const { kinds } = filter;
    const counts = (['retransmit', 'drop'] as const).map((of) => {
      const isWanted = kinds === undefined || kinds.includes(of);
      const count = of === 'drop' ? 'events' : 'max(events, ifnull(segments, 0))';
      return isWanted ? `sum(CASE WHEN ${isOf(of)} THEN ${count} ELSE 0 END)` : '0';
    });
    this.#addKind(slice, kinds === undefined ? filter : { ...filter, kinds: ['summary'] }, 'summary', counts.join());
  }

  all(): Pair[] {
    return [...this.#pairs.values()].filter(({ segments, drops }) => segments + drops > 0);
  }

  #addKind(slice: SliceReader, filter: Filter, kind: Kind, counts: string): void {
    const plan = planOf(slice, kind, filter);
    if (!plan) return;
    const owner = hasOwner(kind) ? 'owner' : 'NULL';
    const rows = slice.all(`SELECT ${owner}, ${peerSql(kind)}, ${counts} ${plan.from} GROUP BY 1, 2`, plan.parameters);
    for (const [key, peer, segments, drops] of rows) {
      const whose = key === null ? {} : slice.ownerOf(key as number);
      const pair = this.#pairOf(whose, peer instanceof Uint8Array ? peer : undefined);
      pair.segments += segments as number;
      pair.drops += drops as number;
    }
  }

  #pairOf(
    { process, container, netns, netnsName }: Readonly<Record<string, unknown>>,
    peer: Uint8Array | undefined,
  ): Pair {
    const id = JSON.stringify([process, container, netns, peer && Buffer.from(peer).toString('latin1')]);
    const known = this.#pairs.get(id);
    if (known) return known;
    if (this.#pairs.size >= MAX_PAIRS && id !== NOBODY) return this.#pairOf({}, undefined);
    const present = Object.entries({ process, container, netns, netnsName, peer }).filter(
      ([, value]) => value !== undefined,
    );
    const pair = { ...Object.fromEntries(present), segments: 0, drops: 0 } as Pair;
    this.#pairs.set(id, pair);
    return pair;
  }
}

const NOBODY = JSON.stringify([undefined, undefined, undefined, undefined]);
