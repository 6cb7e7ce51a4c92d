/** The two stacks of the time line: what was resent above the middle, what was dropped below it. */

import type { SeriesLine } from '../api/types.ts';

/** One colour of a stack. */
export interface Layer {
  readonly kind: SeriesLine['kind'];
  /** Cause or reason; undefined: the kernel gave none. */
  readonly what: string | undefined;
  /** What is too rare for a colour of its own, put together. */
  readonly isRest: boolean;
  readonly isBenign: boolean;
  /** Name of its colour in the style sheet. */
  readonly color: string;
  readonly counts: readonly number[];
  readonly total: number;
}

export interface Layers {
  readonly resent: readonly Layer[];
  readonly dropped: readonly Layer[];
  readonly resets: readonly Layer[];
}

/** Colours of a stack; what comes after shares a grey one. */
const COLORS = 7;

/** Causes have fixed colours: the same everywhere, whatever was frequent. */
const CAUSE_COLOR: Record<string, number> = {
  rto: 1,
  'loss-recovery': 2,
  fast: 3,
  'tail-loss-probe': 4,
  syn: 5,
  'syn-ack': 6,
};

/** Reasons keep the colour that they got first, so that zooming does not repaint them. */
const reasonColors = new Map<string | undefined, number>();

type Line = SeriesLine & { readonly total: number };

/** @param isSorted the most frequent nearest to the middle; false: in the order given, for what changes all the time */
export function layersOf(series: readonly SeriesLine[], isSorted = true): Layers {
  const lines = series.map((line) => ({ ...line, total: sum(line.counts) })).filter(({ total }) => total > 0);
  if (isSorted) lines.sort((a, b) => b.total - a.total);
  const of = (kind: SeriesLine['kind']) => lines.filter((line) => line.kind === kind);
  const drops = of('drop');
  return {
    resent: of('retransmit').map((line) => layer(line, `--resent-${CAUSE_COLOR[line.what ?? ''] ?? 0}`)),
    dropped: [
      ...dropLayers(drops.filter((line) => line.class !== 'benign')),
      ...together(
        drops.filter((line) => line.class === 'benign'),
        'benign',
        '--dropped-benign',
      ),
    ],
    resets: of('reset').map((line) => layer(line, '--reset')),
  };
}

/** A reason may come once for each class; it is one layer. */
function dropLayers(lines: readonly Line[]): Layer[] {
  const byReason = [...Map.groupBy(lines, ({ what, other }) => (other ? '\0' : what))];
  const merged = byReason.map(([, same]): Line => {
    const first = same[0] as Line;
    return same.length === 1 ? first : { ...first, counts: added(same), total: sum(same.map(({ total }) => total)) };
  });
  const named = merged.filter(({ other }) => !other).slice(0, COLORS);
  const rest = merged.filter((line) => !named.includes(line));
  const colors = colorsOf(named);
  return [
    ...named.map((line, at) => layer(line, `--dropped-${colors[at]}`)),
    ...together(rest, 'other reasons', '--dropped-0'),
  ];
}

function colorsOf(lines: readonly Line[]): number[] {
  const taken = new Set<number>();
  return lines.map(({ what }) => {
    if (!reasonColors.has(what)) reasonColors.set(what, (reasonColors.size % COLORS) + 1);
    let color = reasonColors.get(what) as number;
    while (taken.has(color)) color = (color % COLORS) + 1;
    taken.add(color);
    return color;
  });
}

const layer = ({ kind, what, counts, total }: Line, color: string): Layer => ({
  kind,
  what,
  isRest: false,
  isBenign: false,
  color,
  counts,
  total,
});

function together(lines: readonly Line[], what: string, color: string): Layer[] {
  if (lines.length === 0) return [];
  const total = sum(lines.map((line) => line.total));
  return [{ kind: 'drop', what, isRest: true, isBenign: what === 'benign', color, counts: added(lines), total }];
}

const added = (lines: readonly Line[]): number[] =>
  (lines[0]?.counts ?? []).map((_, at) => sum(lines.map((line) => line.counts[at] ?? 0)));

const sum = (counts: readonly number[]): number => counts.reduce((total, count) => total + count, 0);

export const totalOf = (layers: readonly Layer[]): number => sum(layers.map(({ total }) => total));

/** Running sums: of each layer the height at which it ends, the topmost layer first, so that the lower ones are drawn over it. */
export function stacked(layers: readonly Layer[], length: number): number[][] {
  const heights = new Array<number>(length).fill(0);
  return layers
    .map(({ counts }) => {
      for (let at = 0; at < length; at++) heights[at] = (heights[at] as number) + (counts[at] ?? 0);
      return [...heights];
    })
    .reverse();
}

/** The round number at or above a value: the end of an axis. */
export function roundUp(value: number): number {
  if (value <= 4) return 4;
  const size = 10 ** Math.floor(Math.log10(value));
  return ([1, 1.2, 1.6, 2, 2.4, 3, 4, 5, 6, 8, 10].find((step) => step * size >= value) as number) * size;
}
