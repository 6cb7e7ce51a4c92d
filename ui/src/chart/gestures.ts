/** What the pointer does on the time line beyond uPlot's selecting. */

import { between, panned, zoomed } from '../state/period.ts';
import { now, showSpan } from '../state/view.ts';
import type { Drawn, Picture } from './plot.ts';

/** A click shows one bar; dragging with Shift or on the axis moves; the wheel with Ctrl zooms around the pointer. */
export function listenTo({ plot, slide }: Drawn, picture: () => Picture): () => void {
  let pressed: { x: number; isMove: boolean } | undefined;
  const atPointer = (event: MouseEvent): number =>
    plot.posToVal(event.clientX - plot.over.getBoundingClientRect().left, 'x');
  const press = (event: PointerEvent): void => {
    const isOnBars = event.target instanceof Node && plot.over.contains(event.target);
    pressed = { x: event.clientX, isMove: event.shiftKey || !isOnBars };
    if (pressed.isMove) event.preventDefault();
  };
  const move = (event: PointerEvent): void => {
    if (!pressed?.isMove) return;
    const { from, until } = picture().span;
    const ms = ((pressed.x - event.clientX) / plot.over.clientWidth) * (until - from);
    slide({ from: from + ms, until: until + ms });
  };
  const release = (event: PointerEvent): void => {
    if (!pressed) return;
    const { x, isMove } = pressed;
    pressed = undefined;
    const moved = event.clientX - x;
    if (isMove) showSpan(panned(picture().span, -moved / plot.over.clientWidth, now.peek()));
    else if (Math.abs(moved) < 4) showBar(atPointer(event), picture());
  };
  const wheel = (event: WheelEvent): void => {
    if (!event.ctrlKey && !event.metaKey) return;
    event.preventDefault();
    showSpan(zoomed(picture().span, event.deltaY > 0 ? 1.4 : 1 / 1.4, atPointer(event)));
  };
  // While Shift is held uPlot must not begin a selection.
  const guard = (event: MouseEvent): void => {
    if (event.shiftKey) event.stopPropagation();
  };
  plot.root.addEventListener('mousedown', guard, true);
  plot.root.addEventListener('pointerdown', press);
  plot.root.addEventListener('wheel', wheel, { passive: false });
  addEventListener('pointermove', move);
  addEventListener('pointerup', release);
  return () => {
    removeEventListener('pointermove', move);
    removeEventListener('pointerup', release);
  };
}

function showBar(ms: number, { times, stepMs }: Picture): void {
  const first = times[0] ?? 0;
  const begin = first + Math.floor((ms - first) / stepMs) * stepMs;
  showSpan(between(begin, begin + stepMs));
}
