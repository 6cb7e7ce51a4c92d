/** One event, one line for people. */

import { formatDuration } from '../base/duration.ts';
import { displayWidth, escapeText, isPrintableAscii } from '../base/escape.ts';
import { NS_PER_S, nineDigits, type WallNs } from '../base/time.ts';
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
  const time = formatTime(event.time as WallNs | undefined, event.bootNs, options);
  return dimmed(time, options.color) + formatBehindTime(event, time.length, options);
}

/** The first column, without colour. */
export function formatTime(time: WallNs | undefined, bootNs: bigint | undefined, options: TextOptions): string {
  return time === undefined ? sinceBootText(bootNs) : timeText(time, options.width >= WIDE, options.hiddenDay);
}

export const dimmed = (text: string, color: boolean): string => (color ? `\x1b[${SGR.dim}m${text}\x1b[0m` : text);

/** What follows a time of `timeWidth` columns. */
export function formatBehindTime(event: Omit<Event, 'time'>, timeWidth: number, options: TextOptions): string {
  const parts = partsOf(event as Event, (from, until) => spanText(from as WallNs, until as WallNs, options.hiddenDay));
  const columns = options.width >= WIDE ? { flow: 36, gap: '  ' } : { flow: 31, gap: ' ' };
  return lay(timeWidth, parts, options, columns);
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
  // As numbers where they are exact: an eighth of the time that two divisions of a bigint take.
  const ns = bootNs <= Number.MAX_SAFE_INTEGER ? Number(bootNs) % 1e9 : Number(bootNs % NS_PER_S);
  const seconds = bootNs <= Number.MAX_SAFE_INTEGER ? (Number(bootNs) - ns) / 1e9 : bootNs / NS_PER_S;
  return `boot+${seconds}.${nineDigits(ns).slice(0, 6)}`;
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

function lay(timeWidth: number, parts: LineParts, { width, color }: TextOptions, columns: Columns): string {
  const { gap } = columns;
  const line = new Line(timeWidth, color, parts.faint);
  const what = parts.what.map(cellOf);
  const rest = parts.rest.map(cellOf);
  const flow = cellOf({ text: parts.flow, style: 'plain' });
  line.add(cellOf(parts.label), ' ');
  line.pad(timeWidth + 1 + LABEL_WIDTH);
  const flowAt = Math.max(line.width + 1 + WHAT_WIDTH, line.width + widthOf(what, ' '));
  const restAt = flowAt + gap.length + columns.flow;
  const flowWidth = flow.text === '' ? 0 : gap.length + columnsOf(flow);
  const restWidth = widthOf(rest, gap);

  for (const cell of what) line.add(cell, ' ');
  if (flowWidth + restWidth > 0 && flowAt + flowWidth + restWidth <= width) line.pad(flowAt);
  if (flowWidth > 0) line.add(flow, gap);
  if (flowWidth > 0 && restWidth > 0 && restAt + restWidth <= width) line.pad(restAt);
  for (const cell of rest) line.add(cell, gap);
  for (const part of parts.extras) {
    const cell = cellOf(part);
    if (line.width + gap.length + columnsOf(cell) <= width) line.add(cell, gap);
  }
  return line.text;
}

/** A part as it is shown: escaped. */
interface Cell extends Part {
  /** Columns, where they are not as many as the text has characters. */
  readonly width?: number;
}

/** Most parts are shown as they are: to make another object of each would take as long as all the rest of a line. */
function cellOf(part: Part): Cell {
  if (isPrintableAscii(part.text)) return part;
  const shown = escapeText(part.text);
  return { text: shown, style: part.style, width: displayWidth(shown) };
}

const columnsOf = ({ text, width }: Cell): number => width ?? text.length;

/** Columns that the cells take, each with a gap before it. */
function widthOf(cells: readonly Cell[], gap: string): number {
  let sum = 0;
  for (const cell of cells) sum += gap.length + columnsOf(cell);
  return sum;
}

/** A line that grows, and knows its width without the colour codes. */
class Line {
  text = '';
  width: number;
  readonly #color: boolean;
  readonly #faint: boolean;

  /** @param width of what stands before */
  constructor(width: number, color: boolean, faint: boolean) {
    this.width = width;
    this.#color = color;
    this.#faint = faint;
  }

  add(cell: Cell, gap = ''): void {
    const sgr = this.#color ? SGR[this.#faint ? 'dim' : cell.style] : '';
    this.text += gap + (sgr === '' ? cell.text : `\x1b[${sgr}m${cell.text}\x1b[0m`);
    this.width += gap.length + columnsOf(cell);
  }

  pad(column: number): void {
    const blanks = column - this.width;
    if (blanks <= 0) return;
    this.text += ' '.repeat(blanks);
    this.width = column;
  }
}
