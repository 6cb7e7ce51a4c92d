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
  peer: Uint8Array;
  /** Segments of retransmissions. */
  segments: number;
  drops: number;
}

/** Pairs of some peers over several slices, added up. */
export class Pairs {
  readonly #peers: readonly Uint8Array[];
  readonly #pairs = new Map<string, Pair>();

  /** @param peers those that count; a few hundred at most */
  constructor(peers: readonly Uint8Array[]) {
    this.#peers = peers;
  }

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
    const peer = peerSql(kind);
    const marks = this.#peers.map(() => '?').join();
    const rows = slice.all(
      `SELECT ${hasOwner(kind) ? 'owner' : 'NULL'}, ${peer}, ${counts} ${plan.from} AND ${peer} IN (${marks}) GROUP BY 1, 2`,
      [...plan.parameters, ...this.#peers],
    );
    for (const [key, address, segments, drops] of rows) {
      const pair = this.#pairOf(key === null ? {} : slice.ownerOf(key as number), address as Uint8Array);
      pair.segments += segments as number;
      pair.drops += drops as number;
    }
  }

  #pairOf({ process, container, netns, netnsName }: Readonly<Record<string, unknown>>, peer: Uint8Array): Pair {
    const id = JSON.stringify([process, container, netns, Buffer.from(peer).toString('latin1')]);
    const known = this.#pairs.get(id);
    if (known) return known;
    const owner = Object.entries({ process, container, netns, netnsName }).filter(([, value]) => value !== undefined);
    const pair = { ...Object.fromEntries(owner), peer, segments: 0, drops: 0 } as Pair;
    this.#pairs.set(id, pair);
    return pair;
  }
}
