/** Hatched bands behind the bars, where the recorder could not see. */

import uPlot from 'uplot';
import { GAP_LABEL, type Gap } from './coverage.ts';
import { FONT, hatch, type Ink } from './ink.ts';
import type { Picture } from './plot.ts';

const COLOR: Record<Gap['state'], string> = {
  down: '--hatch',
  before: '--hatch',
  lost: '--hatch-alarm',
  limited: '--hatch-warn',
  blind: '--hatch-warn',
};

export function drawGaps(plot: uPlot, { gaps, span, now }: Picture, ink: Ink): void {
  const { ctx, bbox } = plot;
  const ratio = uPlot.pxRatio;
  const at = (ms: number): number => Math.round(plot.valToPos(ms, 'x', true));
  ctx.save();
  ctx.beginPath();
  ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
  ctx.clip();
  if (now < span.until) {
    ctx.fillStyle = ink('--future');
    ctx.fillRect(at(Math.max(now, span.from)), bbox.top, bbox.width, bbox.height);
  }
  for (const { state, from, until } of gaps) {
    const left = at(from);
    const width = Math.max(at(until) - left, 2 * ratio);
    // Who is blind for one kind of event still records the others: a strip at the top, where the rest take all the height.
    ctx.fillStyle = hatch(ctx, ink(COLOR[state]), ratio);
    ctx.fillRect(left, bbox.top, width, state === 'blind' ? 8 * ratio : bbox.height);
    if (state !== 'blind') drawLabel(ctx, ink, GAP_LABEL[state], { left, top: bbox.top, width });
  }
  ctx.restore();
}

/** Where there is room. */
function drawLabel(
  ctx: CanvasRenderingContext2D,
  ink: Ink,
  label: string,
  box: { left: number; top: number; width: number },
): void {
  const ratio = uPlot.pxRatio;
  ctx.font = FONT.replace('11px', `${11 * ratio}px`);
  const room = ctx.measureText(label).width + 12 * ratio;
  if (box.width < room) return;
  ctx.fillStyle = ink('--paper');
  ctx.fillRect(box.left + 4 * ratio, box.top + 4 * ratio, room - 4 * ratio, 16 * ratio);
  ctx.fillStyle = ink('--ink-2');
  ctx.textBaseline = 'middle';
  ctx.textAlign = 'left';
  ctx.fillText(label, box.left + 8 * ratio, box.top + 12.5 * ratio);
}
