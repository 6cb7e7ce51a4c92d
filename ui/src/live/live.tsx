/** What is lost now. */

import { useEffect, useRef, useState } from 'preact/hooks';
import type { JsonEvent, TopRow } from '../api/types.ts';
import { TableView } from '../breakdown/table.tsx';
import { type Layers, layersOf } from '../chart/layers.ts';
import { PlotLabels } from '../chart/timeline.tsx';
import { Rows } from '../events/list.tsx';
import { countText, shortCount, visible } from '../format/text.ts';
import { ProblemNote } from '../frame/problem.tsx';
import { isDark } from '../state/settings.ts';
import { animate } from './animate.ts';
import { feedProblem, feedState, isPaused, serverNow, tally } from './feed.ts';
import { BUCKET_MS, LIVE_DIMENSIONS, WINDOW_S } from './tally.ts';

/** Text that changes faster cannot be read. */
const READABLE_MS = 500;

interface Snapshot {
  readonly layers: Layers;
  readonly rows: readonly (readonly TopRow[])[];
  readonly newest: readonly JsonEvent[];
  readonly seen: number;
  readonly lost: number;
}

const TITLES: Record<(typeof LIVE_DIMENSIONS)[number], string> = {
  process: 'Processes',
  container: 'Containers',
  peer: 'Peers',
  reason: 'Reasons',
  location: 'Places in the kernel',
  cause: 'Causes',
};

function snapshot(): Snapshot {
  const from = tally.peek();
  from.advance(serverNow());
  return {
    layers: layersOf(from.series(), false),
    rows: LIVE_DIMENSIONS.map((by) => from.rows(by)),
    newest: from.newest,
    seen: from.seen,
    lost: from.lost,
  };
}

export function Live() {
  const [shown, setShown] = useState(snapshot);
  useEffect(() => {
    const timer = setInterval(() => {
      if (!isPaused.value && !document.hidden) setShown(snapshot());
    }, READABLE_MS);
    return () => clearInterval(timer);
  }, []);
  return (
    <>
      {feedProblem.value && feedState.value !== 'open' && <ProblemNote problem={feedProblem.value} />}
      <section class="timeline live" aria-label="The last two minutes">
        <div class="plot-frame">
          <MovingChart />
        </div>
        <Rates layers={shown.layers} />
      </section>
      <p class="summary">
        <button
          type="button"
          class="plain"
          aria-pressed={isPaused.value}
          onClick={() => {
            isPaused.value = !isPaused.value;
          }}
        >
          {isPaused.value ? 'go on' : 'hold still'}
        </button>{' '}
        <span class="quiet">
          {feedState.value === 'open'
            ? `${countText(shown.seen)} events so far`
            : feedState.value === 'connecting'
              ? 'connecting …'
              : 'the stream broke; trying again'}
        </span>
        {shown.lost > 0 && (
          <span class="trust">
            {' '}
            · {countText(shown.lost)} events came too fast to be shown here; the store has them
          </span>
        )}
      </p>
      <div class="live-parts">
        <Rows all={shown.newest} isNow />
        <div class="tables">
          {LIVE_DIMENSIONS.map((by, at) => (
            <TableView
              key={by}
              by={by}
              title={`${TITLES[by]}, last ${WINDOW_S} s`}
              rows={shown.rows[at] ?? []}
              few={5}
            />
          ))}
        </div>
      </div>
    </>
  );
}

function MovingChart() {
  const holder = useRef<HTMLDivElement>(null);
  const dark = isDark.value;
  useEffect(() => {
    const element = holder.current;
    if (!element || dark === undefined) return undefined;
    return animate(element);
  }, [dark]);
  return (
    <>
      <PlotLabels />
      <div
        class="plot"
        ref={holder}
        role="img"
        aria-label="Losses of the last two minutes; the rates beside it say them in numbers"
      />
    </>
  );
}

/** A second, over the last seconds that are whole: what is stored comes up to a second late. */
function Rates({ layers }: { layers: Layers }) {
  const SPAN_BARS = 10;
  const LATE_BARS = 3;
  const rate = (counts: readonly number[]): number =>
    counts.slice(-LATE_BARS - SPAN_BARS, -LATE_BARS).reduce((sum, count) => sum + count, 0) /
    ((SPAN_BARS * BUCKET_MS) / 1000);
  const part = (title: string, all: Layers['resent']) => (
    <div class="legend-part" key={title}>
      <h2>
        {title} <b>{rateText(all.reduce((sum, { counts }) => sum + rate(counts), 0))}</b>
      </h2>
      <ul>
        {all.slice(0, 8).map(({ what, color, counts, isBenign }) => (
          <li class="legend-entry" key={`${what} ${isBenign}`}>
            <i class="swatch" style={{ background: `var(${color})` }} />
            <span class="name">{visible(what ?? 'no reason given')}</span>
            <span class="count">{rateText(rate(counts))}</span>
          </li>
        ))}
      </ul>
    </div>
  );
  return (
    <div class="legend">
      <p class="legend-time quiet">a second, over 5 s</p>
      {part('resent', layers.resent)}
      {part('dropped', layers.dropped)}
      {part('resets', layers.resets)}
    </div>
  );
}

const rateText = (rate: number): string =>
  rate === 0 ? '0' : rate < 10 ? rate.toFixed(1) : shortCount(Math.round(rate));
