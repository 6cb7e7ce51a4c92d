/** One event, one line for people. */

import { formatDuration } from '../base/duration.ts';
import { displayWidth, escapedWidth, escapeText } from '../base/escape.ts';
import { NS_PER_S, type WallNs } from '../base/time.ts';
import type { Event, UntimedEvent } from './kinds.ts';
import { localClock, localDay, localTime } from './local-time.ts';
import { type LineParts, type Part, partsOf, type Style } from './parts.ts';

export interface TextOptions {
  /** Columns of the terminal. Infinity shows every part. */
  width: number;
  /** ANSI colours. */
  color: boolean;
  /** The local day (`2026-11-22`) that goes without saying; times of other days show their date. */
  hiddenDay?: string;
}

/** From this width on, columns are wider and times have microseconds. */
const WIDE = 100;
const LABEL_WIDTH = 7;
/** Holds `tail-loss-probe` and the common drop reasons. */
const WHAT_WIDTH = 15;

/** SGR parameters (ECMA-48 8.3.117): colours of the basic palette only, which every terminal theme keeps legible. */
const SGR: Record<Style, string> = {
  plain: '',
  dim: '2',
  owner: '32',
  retransmit: '33',
  drop: '31',
  reset: '35',
  note: '36',
  alarm: '1;37;41',
};

/**
 * The event as one line without the newline. Time, kind, cause or reason, flow and owner are always there, even where
 * the line gets longer than `width`; columns are aligned as long as they fit; extras fill what room is left.
 * Every character that a terminal might obey is escaped.
 */
export function formatEvent(event: Event | UntimedEvent, options: TextOptions): string {
  const wide = options.width >= WIDE;
  const time =
    event.time === undefined ? sinceBootText(event.bootNs) : timeText(event.time as WallNs, wide, options.hiddenDay);
  const parts = partsOf(event as Event, (from, until) => spanText(from as WallNs, until as WallNs, options.hiddenDay));
  return lay(time, parts, options, wide ? { flow: 36, gap: '  ' } : { flow: 31, gap: ' ' });
}

/** `20:15:07.123`; of another day `11-21 20:15:07.123`, with the year where there is room. */
function timeText(time: WallNs, wide: boolean, hiddenDay: string | undefined): string {
  if (wide) return localTime(time, 6, hiddenDay);
  const day = localDay(time);
  return day === hiddenDay ? localClock(time, 3) : `${day.slice('2026-'.length)} ${localClock(time, 3)}`;
}

/** `boot+12.345678`: of a log whose clock is not known. */
function sinceBootText(bootNs: bigint | undefined): string {
  if (bootNs === undefined) return '-';
  return `boot+${bootNs / NS_PER_S}.${String(bootNs % NS_PER_S)
    .padStart(9, '0')
    .slice(0, 6)}`;
}

/** `20:15:07 to 20:15:09 (1.8s)`; nothing for a stretch without length. */
function spanText(from: WallNs, until: WallNs, hiddenDay: string | undefined): string | undefined {
  if (from === until) return undefined;
  return `${localTime(from, 0, hiddenDay)} to ${localTime(until, 0, hiddenDay)} (${formatDuration(until - from)})`;
}

interface Columns {
  flow: number;
  gap: string;
}

function lay(time: string, parts: LineParts, { width, color }: TextOptions, columns: Columns): string {
  const { gap } = columns;
  const line = new Line(color, parts.faint);
  line.add({ text: time, style: 'dim' });
  line.add(parts.label, ' ');
  line.pad(time.length + 1 + LABEL_WIDTH);
  const flowAt = Math.max(line.width + 1 + WHAT_WIDTH, line.width + widthOf(parts.what, ' '));
  const restAt = flowAt + gap.length + columns.flow;
  const flow: Part[] = parts.flow === '' ? [] : [{ text: parts.flow, style: 'plain' }];
  const flowWidth = widthOf(flow, gap);
  const restWidth = widthOf(parts.rest, gap);

  for (const part of parts.what) line.add(part, ' ');
  if (flowWidth + restWidth > 0 && flowAt + flowWidth + restWidth <= width) line.pad(flowAt);
  for (const part of flow) line.add(part, gap);
  if (flowWidth > 0 && restWidth > 0 && restAt + restWidth <= width) line.pad(restAt);
  for (const part of parts.rest) line.add(part, gap);
  for (const part of parts.extras) if (line.width + widthOf([part], gap) <= width) line.add(part, gap);
  return line.text;
}

/** Columns that the parts take, each with a gap before it. */
const widthOf = (parts: readonly Part[], gap: string): number =>
  parts.reduce((sum, { text }) => sum + gap.length + escapedWidth(text), 0);

/** A line that grows, and knows its width without the colour codes. */
class Line {
  text = '';
  width = 0;
  readonly #color: boolean;
  readonly #faint: boolean;

  constructor(color: boolean, faint: boolean) {
    this.#color = color;
    this.#faint = faint;
  }

  add(part: Part, gap = ''): void {
    const text = escapeText(part.text);
    const sgr = this.#faint ? SGR.dim : SGR[part.style];
    this.text += gap + (this.#color && sgr !== '' ? `\x1b[${sgr}m${text}\x1b[0m` : text);
    this.width += gap.length + displayWidth(text);
  }

  pad(column: number): void {
    const blanks = Math.max(0, column - this.width);
    this.text += ' '.repeat(blanks);
    this.width += blanks;
  }
}
