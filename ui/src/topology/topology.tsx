/** The picture of who lost packets to whom: edges as strong as the loss, drops at the node where they happened. */

import { useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import { shortContainerId } from '../../../src/event/container-id.ts';
import type { Topology, TopologyEdge, TopologyNode } from '../api/types.ts';
import { plural, shortCount, visible } from '../format/text.ts';
import { ProblemNote } from '../frame/problem.tsx';
import { FILTERS, type FilterName } from '../state/address.ts';
import { topology } from '../state/data.ts';
import { toggleFilter, view } from '../state/view.ts';
import { type Drawing, layOut, NODE_HEIGHT, NODE_WIDTH, type Placed } from './layout.ts';

export function TopologyView() {
  const { data, problem } = topology.value;
  if (problem) return <ProblemNote problem={problem} />;
  if (!data) return <p class="nothing inset">…</p>;
  if (data.nodes.length === 0) return <p class="nothing inset">nothing was lost between anyone in this period</p>;
  return <Picture data={data} />;
}

function Picture({ data }: { data: Topology }) {
  const holder = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(900);
  const [near, setNear] = useState<string>();
  useLayoutEffect(() => {
    const element = holder.current;
    if (!element) return undefined;
    const resized = new ResizeObserver(() => setWidth(Math.min(1200, element.clientWidth - 34)));
    resized.observe(element);
    return () => resized.disconnect();
  }, []);
  const drawing = useMemo(() => layOut(data, width), [data, width]);
  const leftOut = drawing.leftOut + data.hidden;
  return (
    <section class="topology" ref={holder} aria-label="Topology">
      <p class="quiet">
        <span class="key resent">━</span> segments resent <span class="key dropped">━</span> packets dropped; the
        thicker, the more. A filled mark is where packets were dropped.
        {leftOut > 0 && ` ${plural(leftOut, 'node')} with less loss ${leftOut === 1 ? 'is' : 'are'} left out.`}
      </p>
      <div class="scroll">
        {/* biome-ignore lint/a11y/useSemanticElements: there is no element for a group within a picture */}
        <svg
          role="group"
          aria-label="Who lost packets to whom"
          width={drawing.width + 2}
          height={drawing.height}
          viewBox={`-1 0 ${drawing.width + 2} ${drawing.height}`}
        >
          {drawing.columns.map(({ kind, x }) => (
            <text key={kind} class="column" x={x} y={12}>
              {COLUMN_NAMES[kind] ?? kind}
            </text>
          ))}
          {drawing.edges.map((edge) => (
            <Edge key={`${edge.from} ${edge.to}`} edge={edge} drawing={drawing} near={near} />
          ))}
          {[...drawing.placed.values()].map((placed) => (
            <Node key={placed.node.id} placed={placed} onNear={setNear} />
          ))}
        </svg>
      </div>
    </section>
  );
}

const COLUMN_NAMES: Record<string, string> = {
  process: 'processes',
  container: 'containers',
  netns: 'network namespaces',
  peer: 'peers',
};

/** In pixels: 1 for one, some 9 for a million. */
const thickness = (count: number): number => 1 + 1.35 * Math.log10(count);

function Edge({ edge, drawing, near }: { edge: TopologyEdge; drawing: Drawing; near: string | undefined }) {
  const a = drawing.placed.get(edge.from);
  const b = drawing.placed.get(edge.to);
  if (!a || !b) return null;
  const [left, right] = a.x <= b.x ? [a, b] : [b, a];
  const [x1, x2] = [left.x + NODE_WIDTH, right.x];
  const [y1, y2] = [left.y + NODE_HEIGHT / 2, right.y + NODE_HEIGHT / 2];
  const middle = (x1 + x2) / 2;
  const path = (shift: number): string =>
    `M${x1} ${y1 + shift}C${middle} ${y1 + shift} ${middle} ${y2 + shift} ${x2} ${y2 + shift}`;
  const resent = edge.retransmissions > 0 ? thickness(edge.retransmissions) : 0;
  const dropped = edge.drops > 0 ? thickness(edge.drops) : 0;
  const isFar = near !== undefined && near !== edge.from && near !== edge.to;
  return (
    // biome-ignore lint/a11y/noAriaHiddenOnFocusable: a group of lines takes no focus
    <g class={isFar ? 'edge far' : 'edge'} aria-hidden="true">
      {resent > 0 && <path class="resent" d={path(-dropped / 2)} stroke-width={resent} />}
      {dropped > 0 && <path class="dropped" d={path(resent / 2)} stroke-width={dropped} />}
    </g>
  );
}

/** The filter that a node stands for, and its value. */
function filterOf({ kind, id, label }: TopologyNode): { name: FilterName; value: string } | undefined {
  const name = FILTERS.find((filter) => filter === kind);
  if (!name) return undefined;
  return { name, value: id.startsWith(`${kind}:`) ? id.slice(kind.length + 1) : label };
}

function Node({ placed: { node, x, y }, onNear }: { placed: Placed; onNear: (id: string | undefined) => void }) {
  const filter = filterOf(node);
  const text = visible(node.kind === 'container' ? shortContainerId(node.label) : node.label);
  const choose = (): void => {
    if (filter) toggleFilter(filter.name, filter.value);
  };
  const isChosen = filter !== undefined && view.value.filters[filter.name] === filter.value;
  // Processes and peers have their counts, but it is there that packets were dropped.
  const mark = node.drops > 0 && node.kind === 'netns' ? Math.min(9, 3 + 1.2 * Math.log10(node.drops)) : 0;
  return (
    // biome-ignore lint/a11y/useSemanticElements: a button of HTML cannot stand in a picture
    <g
      class={isChosen ? 'node chosen' : 'node'}
      role="button"
      tabindex={0}
      aria-pressed={isChosen}
      aria-description={`${node.kind} ${visible(node.label)}: ${plural(node.retransmissions, 'segment')} resent, ${plural(node.drops, 'packet')} dropped`}
      transform={`translate(${x} ${y})`}
      onClick={choose}
      onKeyDown={(event) => {
        if (event.key === 'Enter' || event.key === ' ') {
          event.preventDefault();
          choose();
        }
      }}
      onPointerEnter={() => onNear(node.id)}
      onPointerLeave={() => onNear(undefined)}
      onFocus={() => onNear(node.id)}
      onBlur={() => onNear(undefined)}
    >
      <rect width={NODE_WIDTH} height={NODE_HEIGHT} rx={2} />
      {mark > 0 && <circle class="dropped" cx={13} cy={NODE_HEIGHT / 2} r={mark} />}
      <text x={27} y={19}>
        {clipped(text)}
      </text>
      <text class="count" x={NODE_WIDTH - 8} y={19}>
        {node.retransmissions > 0 && <tspan class="resent">{shortCount(node.retransmissions)}</tspan>}
        {node.drops > 0 && (
          <tspan class="dropped" dx={node.retransmissions > 0 ? 6 : 0}>
            {shortCount(node.drops)}
          </tspan>
        )}
      </text>
    </g>
  );
}

/** As much as fits beside the counts. */
const clipped = (text: string): string => (text.length > 17 ? `${text.slice(0, 16)}…` : text);
