/** The moving time line: it slides with every frame, and its bars grow ten times a second. */

import { layersOf } from '../chart/layers.ts';
import { type Drawn, drawPicture, type Picture } from '../chart/plot.ts';
import type { Span } from '../state/period.ts';
import { zone } from '../state/settings.ts';
import { isPaused, serverNow, tally } from './feed.ts';
import { BUCKET_MS, BUCKETS } from './tally.ts';

const GROW_MS = 100;
/** For readers who want little motion. */
const CALM_MS = 1000;
const SPAN_MS = (BUCKETS - 1) * BUCKET_MS;

const lastMinutes = (now: number): Span => ({ from: now - SPAN_MS, until: now });

function picture(now: number): Picture {
  const from = tally.peek();
  from.advance(now);
  const first = from.bar - SPAN_MS;
  return {
    span: lastMinutes(now),
    times: Array.from({ length: BUCKETS }, (_, at) => first + at * BUCKET_MS),
    stepMs: BUCKET_MS,
    layers: layersOf(from.series(), false),
    gaps: [],
    now,
    zone: zone.peek(),
  };
}

/** Draws into the element until the function that it returns is called. */
export function animate(element: HTMLElement): () => void {
  const isCalm = matchMedia('(prefers-reduced-motion: reduce)').matches;
  const nothing = { point: () => undefined, select: () => undefined };
  let drawn: Drawn = drawPicture(element, picture(serverNow()), nothing);
  let grown = 0;
  let frame = 0;
  const draw = (time: number): void => {
    frame = requestAnimationFrame(draw);
    if (isPaused.peek()) return;
    if (time - grown >= (isCalm ? CALM_MS : GROW_MS)) {
      grown = time;
      const next = picture(serverNow());
      if (drawn.show(next)) return;
      drawn.plot.destroy();
      drawn = drawPicture(element, next, nothing);
    } else if (!isCalm) drawn.slide(lastMinutes(serverNow()));
  };
  frame = requestAnimationFrame(draw);
  const resized = new ResizeObserver(() => drawn.fit());
  resized.observe(element);
  return () => {
    cancelAnimationFrame(frame);
    resized.disconnect();
    drawn.plot.destroy();
  };
}
