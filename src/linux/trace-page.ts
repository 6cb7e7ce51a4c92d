/**
 * The pages of ftrace's ring buffer as `trace_pipe_raw` gives them (kernel/trace/ring_buffer.c, struct buffer_data_page and
 * struct ring_buffer_event; the layout of the head is asked of `events/header_page`).
 */

import { LosslogError } from '../base/errors.ts';

export interface PageLayout {
  /** Bytes of a whole page. */
  readonly size: number;
  readonly timestampAt: number;
  readonly commitAt: number;
  readonly dataAt: number;
}

/** @param text of `events/header_page` @throws DECODE when it is not of that form. */
export function parsePageLayout(text: string): PageLayout {
  const at = (name: string): [offset: number, size: number] => {
    const match = new RegExp(String.raw`field:[^;]*\b${name};\s*offset:(\d+);\s*size:(\d+);`).exec(text);
    if (!match) throw new LosslogError('DECODE', `the format of ftrace's pages does not tell of "${name}"`);
    return [Number(match[1]), Number(match[2])];
  };
  const [dataAt, dataSize] = at('data');
  return { size: dataAt + dataSize, timestampAt: at('timestamp')[0], commitAt: at('commit')[0], dataAt };
}

/** Length of the data; the bits above tell of missed events (RB_MISSED_EVENTS, RB_MISSED_STORED). */
const COMMIT_MASK = 0x7ff_ffff;
/** enum ring_buffer_type, include/linux/ring_buffer.h; smaller values are the length of the data in words. */
const TYPE_PADDING = 29;
const TYPE_TIME_EXTEND = 30;
const TYPE_TIME_STAMP = 31;
const TYPE_BITS = 5;
const TYPE_MASK = 0x1f;
const DELTA_BITS = 27;
const WORD = 4;
/** The upper bits of an absolute time stamp are those of the page's. */
const ABSOLUTE_MASK = (1n << 59n) - 1n;

/** @param offset of the event's own bytes, which begin with `common_type` @param length of these bytes */
export type OnTraceEvent = (page: Buffer, offset: number, length: number, time: bigint) => void;

/**
 * Calls `onEvent` for each event of a page.
 * @param page as read, perhaps shorter than a whole one
 * @throws DECODE when lengths lead beyond its end; what came before was handed over.
 */
export function readTracePage(page: Buffer, layout: PageLayout, onEvent: OnTraceEvent): void {
  if (page.length < layout.dataAt) throw broken(page.length);
  let time = page.readBigUInt64LE(layout.timestampAt);
  const end = layout.dataAt + (page.readUInt32LE(layout.commitAt) & COMMIT_MASK);
  if (end > page.length) throw broken(end);
  for (let at = layout.dataAt; at + WORD <= end; ) {
    const head = page.readUInt32LE(at);
    const type = head & TYPE_MASK;
    const delta = head >>> TYPE_BITS;
    if (type === TYPE_PADDING && delta === 0) return; // the rest of the page is empty
    const word = type === 0 || type >= TYPE_PADDING ? wordAt(page, at + WORD, end) : 0;
    if (type === TYPE_TIME_EXTEND) time += (BigInt(word) << BigInt(DELTA_BITS)) + BigInt(delta);
    else if (type === TYPE_TIME_STAMP) {
      time = (time & ~ABSOLUTE_MASK) | (((BigInt(word) << BigInt(DELTA_BITS)) + BigInt(delta)) & ABSOLUTE_MASK);
    } else time += BigInt(delta);
    const next = at + lengthOf(type, word);
    if (next > end || next <= at) throw broken(next);
    const dataAt = at + (type === 0 ? 2 * WORD : WORD);
    if (type < TYPE_PADDING) onEvent(page, dataAt, next - dataAt, time);
    at = next;
  }
}

/** With its head. */
function lengthOf(type: number, word: number): number {
  if (type === TYPE_TIME_EXTEND || type === TYPE_TIME_STAMP) return 2 * WORD;
  return type === 0 || type === TYPE_PADDING ? WORD + word : WORD + type * WORD;
}

function wordAt(page: Buffer, at: number, end: number): number {
  if (at + WORD > end) throw broken(at + WORD);
  return page.readUInt32LE(at);
}

const broken = (at: number): LosslogError =>
  new LosslogError('DECODE', `a page of ftrace's buffer is damaged at byte ${at}`);
