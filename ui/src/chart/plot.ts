/** The time line on a canvas: uPlot draws bars and axes and selects by dragging, this file says what. */

import uPlot from 'uplot';
import { shortCount } from '../format/text.ts';
import { clockText, dayText, type Zone } from '../format/time.ts';
import type { Span } from '../state/period.ts';
import type { Gap } from './coverage.ts';
import { drawGaps } from './gaps.ts';
import { FONT, type Ink, inkOf } from './ink.ts';
import { type Layers, roundUp, stacked } from './layers.ts';

export interface Picture {
  readonly span: Span;
  /** Begin of each bar. */
  readonly times: readonly number[];
  readonly stepMs: number;
  readonly layers: Layers;
  readonly gaps: readonly Gap[];
  /** After it nothing has happened yet. */
  readonly now: number;
  readonly zone: Zone;
}

export interface Gestures {
  /** The pointer is over this bar, or left. */
  readonly point: (bar: number | undefined) => void;
  readonly select: (from: number, until: number) => void;
}

export interface Drawn {
  readonly plot: uPlot;
  /** Shows another picture. @returns false when it has other layers: it must be drawn anew then */
  readonly show: (picture: Picture) => boolean;
  /** Shows another span of the same bars. */
  readonly slide: (span: Span) => void;
  readonly fit: () => void;
}

/** A little room beyond the highest bar. */
const HALF = 1.06;

export function drawPicture(element: HTMLElement, first: Picture, gestures: Gestures): Drawn {
  const ink = inkOf(element);
  let picture = first;
  let shown = first.span;
  let { data, ends } = dataOf(first);
  const bars = uPlot.paths.bars?.({ size: [0.92, Number.POSITIVE_INFINITY], align: 1 });
  const seriesOf = (layers: readonly { color: string }[]): uPlot.Series[] =>
    layers.toReversed().map(({ color }) => ({
      fill: ink(color),
      width: 0,
      points: { show: false },
      ...(bars && { paths: bars }),
    }));
  const plot = new uPlot(
    {
      ...sizeOf(element),
      ms: 1,
      legend: { show: false },
      padding: [6, 28, 0, 0],
      scales: {
        x: { auto: false, range: () => [shown.from, shown.until] },
        y: { auto: false, range: () => [-HALF, HALF] },
      },
      cursor: { y: false, points: { show: false }, drag: { x: true, y: false, setScale: false, dist: 4 } },
      axes: [timeAxis(ink, () => picture.zone), countAxis(ink, () => ends)],
      series: [{}, ...seriesOf(first.layers.resent), ...seriesOf(first.layers.dropped)],
      hooks: {
        drawClear: [(drawn) => drawGaps(drawn, picture, ink)],
        draw: [(drawn) => drawMiddle(drawn, picture, ink)],
        setCursor: [(drawn) => gestures.point(barAt(drawn, picture))],
        setSelect: [
          (drawn) => {
            const { left, width } = drawn.select;
            if (width < 4) return;
            drawn.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
            gestures.select(drawn.posToVal(left, 'x'), drawn.posToVal(left + width, 'x'));
          },
        ],
      },
    },
    data,
    element,
  );
  const slide = (span: Span): void => {
    shown = span;
    plot.setScale('x', { min: span.from, max: span.until });
  };
  const show = (next: Picture): boolean => {
    if (keyOf(next.layers) !== keyOf(first.layers)) return false;
    picture = next;
    ({ data, ends } = dataOf(next));
    plot.setData(data, false);
    slide(next.span);
    return true;
  };
  return { plot, show, slide, fit: () => plot.setSize(sizeOf(element)) };
}

const sizeOf = ({ clientWidth, clientHeight }: HTMLElement) => ({
  width: Math.max(200, clientWidth),
  height: Math.max(120, clientHeight),
});

const keyOf = ({ resent, dropped }: Layers): string => [...resent, ...dropped].map(({ color }) => color).join();

/** What the ends of the axis stand for. */
interface Ends {
  readonly up: number;
  readonly down: number;
}

/** Each half has a measure of its own, so heights are shares of its end. */
function dataOf({ layers, times }: Picture): { data: uPlot.AlignedData; ends: Ends } {
  const up = stacked(layers.resent, times.length);
  const down = stacked(layers.dropped, times.length);
  const ends = { up: roundUp(Math.max(0, ...(up[0] ?? []))), down: roundUp(Math.max(0, ...(down[0] ?? []))) };
  const scaled = (heights: readonly number[], end: number) =>
    heights.map((height) => (height === 0 ? null : height / end));
  const data = [times, ...up.map((one) => scaled(one, ends.up)), ...down.map((one) => scaled(one, -ends.down))];
  return { data: data as uPlot.AlignedData, ends };
}

function barAt(plot: uPlot, { times, stepMs }: Picture): number | undefined {
  const { left } = plot.cursor;
  if (left === undefined || left < 0) return undefined;
  const bar = Math.floor((plot.posToVal(left, 'x') - (times[0] ?? 0)) / stepMs);
  return bar >= 0 && bar < times.length ? bar : undefined;
}

function timeAxis(ink: Ink, zone: () => Zone): uPlot.Axis {
  return {
    stroke: ink('--ink-2'),
    font: FONT,
    size: 34,
    space: 78,
    gap: 4,
    grid: { stroke: ink('--line-faint'), width: 1 },
    ticks: { stroke: ink('--line'), width: 1, size: 4 },
    values: (_, splits, __, ___, increment) =>
      splits.map((ms, at) => {
        const day = dayText(ms, zone());
        if (increment >= 86_400_000) return day.slice(5);
        const isNewDay = at === 0 || day !== dayText(splits[at - 1] as number, zone());
        const clock = clockOf(ms, zone(), increment);
        return isNewDay ? `${clock}\n${day}` : clock;
      }),
  };
}

function clockOf(ms: number, zone: Zone, increment: number): string {
  if (increment >= 60_000) return clockText(ms, zone).slice(0, 5);
  return increment >= 1000 ? clockText(ms, zone) : clockText(ms, zone, 3).slice(3);
}

function countAxis(ink: Ink, ends: () => Ends): uPlot.Axis {
  return {
    stroke: ink('--ink-2'),
    font: FONT,
    size: 46,
    gap: 4,
    grid: { stroke: ink('--line-faint'), width: 1 },
    ticks: { show: false },
    splits: () => [-1, -0.5, 0, 0.5, 1],
    values: (_, splits) => splits.map((split) => countLabel(split < 0 ? -split * ends().down : split * ends().up)),
  };
}

/** There are no half packets. */
const countLabel = (count: number): string => (Number.isInteger(count) ? shortCount(count) : '');

/** Height of the strip in the middle that shows resets. */
const STRIP = 3;

/** The line between the halves; where there were resets it is coloured. */
function drawMiddle(plot: uPlot, { layers, times, stepMs }: Picture, ink: Ink): void {
  const { ctx, bbox } = plot;
  const ratio = uPlot.pxRatio;
  const middle = Math.round(plot.valToPos(0, 'y', true));
  const at = (ms: number): number =>
    Math.max(bbox.left, Math.min(bbox.left + bbox.width, plot.valToPos(ms, 'x', true)));
  ctx.save();
  ctx.fillStyle = ink('--line-strong');
  ctx.fillRect(bbox.left, middle, bbox.width, ratio);
  ctx.fillStyle = ink('--reset');
  for (const [bar, time] of times.entries()) {
    if (!layers.resets.some(({ counts }) => (counts[bar] ?? 0) > 0)) continue;
    const left = at(time);
    const width = Math.max(STRIP * ratio, (at(time + stepMs) - left) * 0.92);
    ctx.fillRect(left, middle - ratio, width, STRIP * ratio);
  }
  ctx.restore();
}
