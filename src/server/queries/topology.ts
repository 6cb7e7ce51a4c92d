/** `GET /api/v1/topology` */

import { formatIp } from '../../base/ip.ts';
import { integer } from '../../base/values.ts';
import type { Pair } from '../../store/store.ts';
import { defineEndpoint } from '../endpoint.ts';
import { filterParameters, toFilter } from '../filters.ts';
import { countSchema, leftOutSchema, skippedSchema } from '../schemas.ts';
import { leftOut, skipped } from './remarks.ts';

const DEFAULT_LIMIT = 60;
const MAX_LIMIT = 500;
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
  limit: {
    doc: 'How many nodes of each kind at most, those with the most first.',
    schema: { type: 'integer', minimum: 1, maximum: MAX_LIMIT, default: DEFAULT_LIMIT },
    parse: integer('limit', 1, MAX_LIMIT),
  },
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
          'From the inside of the host to the outside: process, its container, the peer. A namespace stands for an owner that is not known.',
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
    const graph = new Graph();
    for (const pair of reader.pairs(filter)) graph.add(pair);
    return JSON.stringify({
      ...graph.cut(limit ?? DEFAULT_LIMIT),
      leftOut: leftOut(reader, filter),
      ...skipped(reader),
    });
  },
});

class Graph {
  readonly #nodes = new Map<string, Node>();
  readonly #edges = new Map<string, Edge>();

  add(pair: Pair): void {
    const counted = { retransmissions: pair.segments, drops: pair.drops };
    const chain = chainOf(pair);
    for (const { kind, value, label } of chain) this.#addTo(this.#node(kind, value, label), counted);
    for (const [i, { kind, value }] of chain.entries()) {
      const next = chain[i + 1];
      if (next) this.#addTo(this.#edge(`${kind}:${value}`, `${next.kind}:${next.value}`), counted);
    }
  }

  cut(limit: number): { nodes: Node[]; edges: Edge[]; hidden: number } {
    const nodes = NODE_KINDS.flatMap((kind) =>
      [...this.#nodes.values()]
        .filter((node) => node.kind === kind)
        .sort(mostFirst)
        .slice(0, limit),
    );
    const shown = new Set(nodes.map(({ id }) => id));
    const edges = [...this.#edges.values()].filter(({ from, to }) => shown.has(from) && shown.has(to)).sort(mostFirst);
    return { nodes, edges, hidden: this.#nodes.size - nodes.length };
  }

  #addTo(sums: Counts, { retransmissions, drops }: Counts): void {
    sums.retransmissions += retransmissions;
    sums.drops += drops;
  }

  #node(kind: NodeKind, value: string, label: string): Node {
    const id = `${kind}:${value}`;
    return getOrMake(this.#nodes, id, () => ({ id, kind, label, retransmissions: 0, drops: 0 }));
  }

  #edge(from: string, to: string): Edge {
    return getOrMake(this.#edges, JSON.stringify([from, to]), () => ({ from, to, retransmissions: 0, drops: 0 }));
  }
}

function getOrMake<T>(map: Map<string, T>, key: string, make: () => T): T {
  const known = map.get(key);
  if (known !== undefined) return known;
  const made = make();
  map.set(key, made);
  return made;
}

const mostFirst = (a: Counts, b: Counts): number => b.retransmissions + b.drops - a.retransmissions - a.drops;

/** From the inside to the outside, as far as it is known. */
function chainOf({
  process,
  container,
  netns,
  netnsName,
  peer,
}: Pair): { kind: NodeKind; value: string; label: string }[] {
  const isOwned = process !== undefined || container !== undefined;
  const parts: [NodeKind, string | undefined, (string | undefined)?][] = [
    ['process', process],
    ['container', container],
    ['netns', isOwned || netns === undefined ? undefined : String(netns), netnsName],
    ['peer', peer && formatIp(peer)],
  ];
  return parts.flatMap(([kind, value, label = value]) =>
    value === undefined || label === undefined ? [] : [{ kind, value, label }],
  );
}
