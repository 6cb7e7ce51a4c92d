/** `GET /api/v1/topology` */

import { formatIp, parseIp } from '../../base/ip.ts';
import { getOrMake } from '../../base/map.ts';
import type { Pair, TopRow } from '../../store/store.ts';
import { defineEndpoint } from '../endpoint.ts';
import { filterParameters, toFilter } from '../filters.ts';
import { countSchema, leftOutSchema, skippedSchema } from '../schemas.ts';
import { limitParameter } from './limit.ts';
import { leftOut, skipped } from './remarks.ts';

const DEFAULT_LIMIT = 60;
const MAX_LIMIT = 500;
/** Edges at most, those with the most. */
const MAX_EDGES = 400;
const NODE_KINDS = ['process', 'container', 'netns', 'peer'] as const;
type NodeKind = (typeof NODE_KINDS)[number];

interface Counts {
  retransmissions: number;
  drops: number;
}
interface Node extends Counts {
  id: string;
  kind: NodeKind;
  label: string;
}
interface Edge extends Counts {
  from: string;
  to: string;
}

const counts = {
  retransmissions: countSchema('Segments of retransmissions.'),
  drops: countSchema('Dropped packets.'),
};

const parameters = {
  ...filterParameters,
  limit: limitParameter('How many nodes of each kind at most, those with the most first.', MAX_LIMIT, DEFAULT_LIMIT),
} as const;

export const topology = defineEndpoint({
  path: '/api/v1/topology',
  summary: 'who lost packets with whom: processes, containers, network namespaces and peers as nodes, losses as edges',
  parameters,
  schema: {
    type: 'object',
    required: ['nodes', 'edges', 'hidden', 'leftOut'],
    properties: {
      nodes: {
        type: 'array',
        items: {
          type: 'object',
          required: ['id', 'kind', 'label', 'retransmissions', 'drops'],
          properties: {
            id: { type: 'string', description: 'The kind, a colon, and the value that the filter of that name takes.' },
            kind: { type: 'string', enum: NODE_KINDS },
            label: { type: 'string' },
            ...counts,
          },
        },
      },
      edges: {
        type: 'array',
        description:
          'From the inside of the host to the outside: process, its container, the peer. Drops lead through the network namespace in which they happened; for retransmissions it stands for an owner that is not known.',
        items: {
          type: 'object',
          required: ['from', 'to', 'retransmissions', 'drops'],
          properties: { from: { type: 'string' }, to: { type: 'string' }, ...counts },
        },
      },
      hidden: countSchema('Nodes beyond the limit; they and their edges are left out.'),
      leftOut: leftOutSchema,
      skipped: skippedSchema,
    },
  },
  answer: ({ reader }, { limit, ...values }) => {
    const filter = toFilter(values);
    const graph = new Graph(limit ?? DEFAULT_LIMIT);
    for (const by of RANKED) graph.addNodes(by, reader.top(filter, by, Number.MAX_SAFE_INTEGER));
    for (const pair of reader.pairs(filter, graph.peers())) graph.addPair(pair);
    return JSON.stringify({ ...graph.toJSON(), leftOut: leftOut(reader, filter), ...skipped(reader) });
  },
});

/** Kinds of nodes that are ranked by all they lost. */
const RANKED = ['process', 'container', 'peer'] as const;

class Graph {
  readonly #limit: number;
  readonly #nodes = new Map<string, Node>();
  readonly #edges = new Map<string, Edge>();
  #hidden = 0;

  /** @param limit nodes of each kind */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Those that lost the most. */
  addNodes(kind: NodeKind, rows: readonly TopRow[]): void {
    const losing = rows.flatMap(({ key, segments, retransmissions, drops }) => {
      const resent = Math.max(segments, retransmissions);
      return key === undefined || resent + drops === 0 ? [] : [{ key, retransmissions: resent, drops }];
    });
    for (const { key, ...counted } of losing.slice(0, this.#limit)) addTo(this.#node(kind, key, key), counted);
    this.#hidden += Math.max(0, losing.length - this.#limit);
  }

  /** Addresses of the peers that are shown. */
  peers(): Uint8Array[] {
    const addresses = [...this.#nodes.values()]
      .filter(({ kind }) => kind === 'peer')
      .map(({ label }) => parseIp(label));
    return addresses.filter((address) => address !== undefined);
  }

  /** Draws the edges of a pair: drops by way of the namespace in which they happened, retransmissions of a known owner past it. */
  addPair(pair: Pair): void {
    const { process, container, segments, drops } = pair;
    const isOwned = process !== undefined || container !== undefined;
    if (segments > 0) this.#addChain(chainOf(pair, !isOwned), { retransmissions: segments, drops: 0 });
    if (drops > 0) this.#addChain(chainOf(pair, true), { retransmissions: 0, drops });
  }

  #addChain(chain: readonly Link[], counted: Counts): void {
    for (const { kind, value, label } of chain) if (kind === 'netns') addTo(this.#node(kind, value, label), counted);
    for (const [i, { kind, value }] of chain.entries()) {
      const next = chain[i + 1];
      if (next) addTo(this.#edge(`${kind}:${value}`, `${next.kind}:${next.value}`), counted);
    }
  }

  toJSON(): { nodes: Node[]; edges: Edge[]; hidden: number } {
    const ofKind = (kind: NodeKind): Node[] => [...this.#nodes.values()].filter((node) => node.kind === kind);
    const netns = ofKind('netns').sort(mostFirst);
    const nodes = NODE_KINDS.flatMap((kind) => (kind === 'netns' ? netns.slice(0, this.#limit) : ofKind(kind)));
    const shown = new Set(nodes.map(({ id }) => id));
    const edges = [...this.#edges.values()]
      .filter(({ from, to }) => shown.has(from) && shown.has(to))
      .sort(mostFirst)
      .slice(0, MAX_EDGES);
    return { nodes, edges, hidden: this.#hidden + Math.max(0, netns.length - this.#limit) };
  }

  #node(kind: NodeKind, value: string, label: string): Node {
    const id = `${kind}:${value}`;
    return getOrMake(this.#nodes, id, () => ({ id, kind, label, retransmissions: 0, drops: 0 }));
  }

  #edge(from: string, to: string): Edge {
    return getOrMake(this.#edges, JSON.stringify([from, to]), () => ({ from, to, retransmissions: 0, drops: 0 }));
  }
}

function addTo(sums: Counts, { retransmissions, drops }: Counts): void {
  sums.retransmissions += retransmissions;
  sums.drops += drops;
}

const mostFirst = (a: Counts, b: Counts): number => b.retransmissions + b.drops - a.retransmissions - a.drops;

/** A node on the way of a packet. */
interface Link {
  kind: NodeKind;
  value: string;
  label: string;
}

/** From the inside to the outside, as far as it is known. */
function chainOf({ process, container, netns, netnsName, peer }: Pair, withNetns: boolean): Link[] {
  const parts: [NodeKind, string | undefined, (string | undefined)?][] = [
    ['process', process],
    ['container', container],
    ['netns', withNetns && netns !== undefined ? String(netns) : undefined, netnsName],
    ['peer', formatIp(peer)],
  ];
  return parts.flatMap(([kind, value, label = value]) =>
    value === undefined || label === undefined ? [] : [{ kind, value, label }],
  );
}
