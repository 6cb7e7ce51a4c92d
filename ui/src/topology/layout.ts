/** Where the nodes of a topology stand: a column for each kind, the order chosen so that few edges cross. */

import type { Topology, TopologyEdge, TopologyNode } from '../api/types.ts';

/** From the inside of the host to the outside. */
const COLUMNS = ['process', 'container', 'netns', 'peer'];

export const NODE_WIDTH = 210;
export const NODE_HEIGHT = 30;
const NODE_GAP = 8;
const TOP = 26;
/** More would be a tangle; what is left out is said. */
const MOST_IN_COLUMN = 24;

export interface Placed {
  readonly node: TopologyNode;
  readonly x: number;
  readonly y: number;
}

export interface Drawing {
  readonly columns: readonly { readonly kind: string; readonly x: number }[];
  readonly placed: ReadonlyMap<string, Placed>;
  readonly edges: readonly TopologyEdge[];
  readonly width: number;
  readonly height: number;
  /** Nodes that found no room, the least hit. */
  readonly leftOut: number;
}

const weight = ({ drops, retransmissions }: { drops: number; retransmissions: number }): number =>
  drops + retransmissions;

export function layOut({ nodes, edges }: Pick<Topology, 'nodes' | 'edges'>, width: number): Drawing {
  const kinds = [...new Set(nodes.map(({ kind }) => kind))].sort((a, b) => rank(a) - rank(b));
  const columns = kinds.map((kind) => nodes.filter((node) => node.kind === kind).sort((a, b) => weight(b) - weight(a)));
  const kept = columns.map((column) => column.slice(0, MOST_IN_COLUMN));
  const known = new Set(kept.flat().map(({ id }) => id));
  const drawn = edges.filter(({ from, to }) => known.has(from) && known.has(to));
  const ordered = untangled(kept, drawn);
  const step = kinds.length < 2 ? 0 : Math.max(NODE_WIDTH + 60, (width - NODE_WIDTH) / (kinds.length - 1));
  const tallest = Math.max(1, ...ordered.map(({ length }) => length));
  const height = TOP + tallest * (NODE_HEIGHT + NODE_GAP);
  const placed = new Map<string, Placed>();
  for (const [at, column] of ordered.entries()) {
    const share = (height - TOP) / Math.max(1, column.length);
    for (const [row, node] of column.entries()) {
      placed.set(node.id, { node, x: at * step, y: TOP + row * share + (share - NODE_HEIGHT) / 2 });
    }
  }
  return {
    columns: kinds.map((kind, at) => ({ kind, x: at * step })),
    placed,
    edges: drawn.toSorted((a, b) => weight(a) - weight(b)),
    width: Math.max(NODE_WIDTH, step * (kinds.length - 1) + NODE_WIDTH),
    height,
    leftOut: nodes.length - known.size,
  };
}

const rank = (kind: string): number => (COLUMNS.includes(kind) ? COLUMNS.indexOf(kind) : COLUMNS.length);

/** Each column in the order of the mean place of what it is joined to (Sugiyama's barycenter heuristic), a few times over. */
function untangled(columns: readonly TopologyNode[][], edges: readonly TopologyEdge[]): TopologyNode[][] {
  const places = new Map<string, number>();
  const note = (column: readonly TopologyNode[]): void => {
    for (const [row, { id }] of column.entries()) places.set(id, (row + 0.5) / column.length);
  };
  const ordered = columns.map((column) => [...column]);
  ordered.forEach(note);
  const ends = endsOf(edges);
  for (let round = 0; round < 4; round++) {
    for (const column of ordered) {
      const means = new Map(column.map(({ id }) => [id, meanOf(ends.get(id), places) ?? places.get(id) ?? 0]));
      column.sort((a, b) => (means.get(a.id) as number) - (means.get(b.id) as number));
      note(column);
    }
  }
  return ordered;
}

type Ends = { id: string; weight: number }[];

function endsOf(edges: readonly TopologyEdge[]): Map<string, Ends> {
  const ends = new Map<string, Ends>();
  const add = (id: string, other: string, edge: TopologyEdge): void => {
    const known = ends.get(id) ?? [];
    known.push({ id: other, weight: 1 + Math.log1p(weight(edge)) });
    ends.set(id, known);
  };
  for (const edge of edges) {
    add(edge.from, edge.to, edge);
    add(edge.to, edge.from, edge);
  }
  return ends;
}

function meanOf(ends: Ends | undefined, places: ReadonlyMap<string, number>): number | undefined {
  if (!ends) return undefined;
  let sum = 0;
  let weights = 0;
  for (const end of ends) {
    sum += (places.get(end.id) ?? 0.5) * end.weight;
    weights += end.weight;
  }
  return sum / weights;
}
