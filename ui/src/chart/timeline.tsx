/** The time line: what was lost when, and when the recorder could not see. */

import { signal } from '@preact/signals';
import { useEffect, useMemo, useRef } from 'preact/hooks';
import type { Series } from '../api/types.ts';
import { countText, plural, visible } from '../format/text.ts';
import { clockText, parseTime, type Zone } from '../format/time.ts';
import { between, type Span } from '../state/period.ts';
import { isDark } from '../state/settings.ts';
import { now, showSpan } from '../state/view.ts';
import type { Gap } from './coverage.ts';
import { listenTo } from './gestures.ts';
import { type Layers, layersOf, totalOf } from './layers.ts';
import { Legend } from './legend.tsx';
import { type Drawn, drawPicture, type Picture } from './plot.ts';

export interface TimelineProps {
  readonly series: Series | undefined;
  readonly span: Span;
  readonly gaps: readonly Gap[];
  readonly zone: Zone;
}

/** The bar under the pointer or chosen by keys. */
const pointed = signal<number | undefined>(undefined);

export function Timeline({ series, span, gaps, zone }: TimelineProps) {
  const holder = useRef<HTMLDivElement>(null);
  const layers = useMemo(() => layersOf(series?.series ?? []), [series]);
  const picture = useMemo<Picture>(
    () => ({ span, ...barsOf(series, span), layers, gaps, now: now.peek(), zone }),
    [series, span, layers, gaps, zone],
  );
  usePlot(holder, picture);
  const bar = pointed.value;
  const keys = (event: KeyboardEvent): void => {
    if (moveByKey(event, picture)) event.preventDefault();
  };
  return (
    <section class="timeline" aria-label="Time line">
      <div class="plot-frame">
        <PlotLabels />
        <div
          class="plot"
          ref={holder}
          role="img"
          aria-label={describe(layers)}
          // biome-ignore lint/a11y/noNoninteractiveTabindex: the arrow keys walk along the bars
          tabIndex={0}
          onKeyDown={keys}
          onBlur={leave}
        />
        <p class="sr-only" aria-live="polite">
          {bar === undefined ? '' : describeBar(picture, bar)}
        </p>
      </div>
      <Legend picture={picture} bar={bar} />
    </section>
  );
}

export const PlotLabels = () => (
  <>
    <div class="half up" aria-hidden="true">
      segments resent ↑
    </div>
    <div class="half down" aria-hidden="true">
      packets dropped ↓
    </div>
  </>
);

const leave = (): void => {
  pointed.value = undefined;
};

function barsOf(series: Series | undefined, span: Span): { times: number[]; stepMs: number } {
  if (!series) return { times: [span.from], stepMs: span.until - span.from };
  const from = parseTime(series.from);
  const length = Math.max(1, Math.round((parseTime(series.until) - from) / series.stepMs));
  return { times: Array.from({ length }, (_, at) => from + at * series.stepMs), stepMs: series.stepMs };
}

const describe = ({ resent, dropped, resets }: Layers): string =>
  `Time line: ${plural(totalOf(resent), 'segment')} resent, ${plural(totalOf(dropped), 'packet')} dropped, ${plural(totalOf(resets), 'reset')}. Arrow keys walk along the bars, Enter shows one.`;

function describeBar({ times, layers, zone }: Picture, bar: number): string {
  const parts = [...layers.resent, ...layers.dropped, ...layers.resets]
    .filter(({ counts }) => (counts[bar] ?? 0) > 0)
    .map(({ what, counts }) => `${visible(what ?? 'no reason')} ${countText(counts[bar] ?? 0)}`);
  return `${clockText(times[bar] ?? 0, zone)}: ${parts.length === 0 ? 'nothing' : parts.join(', ')}`;
}

function moveByKey({ key }: KeyboardEvent, { times, stepMs }: Picture): boolean {
  const bar = pointed.value;
  const step = { ArrowLeft: -1, ArrowRight: 1 }[key];
  if (step !== undefined) {
    pointed.value = bar === undefined ? 0 : Math.max(0, Math.min(times.length - 1, bar + step));
    return true;
  }
  if (key !== 'Enter' || bar === undefined) return false;
  const from = times[bar] as number;
  showSpan(between(from, from + stepMs));
  return true;
}

function usePlot(holder: { current: HTMLDivElement | null }, picture: Picture): void {
  const drawn = useRef<Drawn | undefined>(undefined);
  const latest = useRef(picture);
  const dark = isDark.value;
  latest.current = picture;
  // The plot itself outlives its pictures; it is made anew for other layers and other colours.
  const isShown = drawn.current?.show(picture) ?? false;
  const made = useRef(0);
  if (!isShown) made.current++;
  useEffect(() => {
    const element = holder.current;
    if (!element || dark === undefined) return undefined;
    const plot = drawPicture(element, latest.current, {
      point: (bar) => {
        pointed.value = bar;
      },
      select: (from, until) => showSpan(between(from, until)),
    });
    drawn.current = plot;
    const stop = listenTo(plot, () => latest.current);
    const resized = new ResizeObserver(plot.fit);
    resized.observe(element);
    return () => {
      drawn.current = undefined;
      resized.disconnect();
      stop();
      plot.plot.destroy();
    };
  }, [holder, dark, made.current]);
}
