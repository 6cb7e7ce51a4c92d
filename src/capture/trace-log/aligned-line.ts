/**
 * Lines whose task's name fills 16 columns, read by hand in a fifth of the time of a regular expression: `trace` and `trace_pipe`
 * (trace_print_context() in kernel/trace/trace_output.c: `%16s-%-7d (%7d) [%03d] FLAGS %5lu.%06lu: `), most of what
 * `trace-cmd report` prints, and `perf script` (`%16s %7d [%03d] %12.6f: `).
 */

import type { TraceLine } from './line.ts';
import { stampOf } from './stamp.ts';

const TASK_COLUMNS = 16;
const MAX_FLAGS = 8;

const BLANK = 0x20;
const DASH = 0x2d;
const DOT = 0x2e;
const SLASH = 0x2f;
const ZERO = 0x30;
const NINE = 0x39;
const COLON = 0x3a;
const OPEN = 0x5b;
const CLOSE = 0x5d;
const OPEN_ROUND = 0x28;
const CLOSE_ROUND = 0x29;

/**
 * Reads the line in place: to cut it out first would make each look at a character of it dearer.
 * @param begin where the line begins in `log` @param end of the line, at its newline or at the end of `log`
 * @returns undefined for a line that is laid out otherwise.
 */
export function parseAlignedLine(log: string, begin = 0, end = log.length): TraceLine | undefined {
  // What follows ends at the newline by itself: it is neither a blank nor a digit nor part of a word.
  if (end - begin <= TASK_COLUMNS) return undefined;
  const pidEnd = endOfPid(log, begin + TASK_COLUMNS);
  if (pidEnd < 0) return undefined;
  const open = endOfTgid(log, endOfBlanks(log, pidEnd));
  if (log.charCodeAt(open) !== OPEN) return undefined;
  const close = endOfDigits(log, open + 1);
  if (close === open + 1 || log.charCodeAt(close) !== CLOSE) return undefined;
  const stamp = endOfFlags(log, endOfBlanks(log, close + 1));
  const stampEnd = endOfStamp(log, stamp);
  if (stampEnd < 0) return undefined;
  const event = endOfPeriod(log, endOfBlanks(log, stampEnd + 1));
  const nameEnd = endOfName(log, event);
  if (nameEnd < 0) return undefined;
  const isGroup = log.charCodeAt(nameEnd + 1) > BLANK;
  const name = isGroup ? nameEnd + 1 : event;
  const textBegin = isGroup ? endOfName(log, name) : nameEnd;
  if (textBegin < 0) return undefined;
  return {
    cpu: numberOf(log, open + 1, close),
    ...stampOf(log, stamp, stampEnd),
    name: log.slice(name, textBegin),
    text: log.slice(endOfBlanks(log, textBegin + 1), end),
  };
}

const isDigit = (code: number): boolean => code >= ZERO && code <= NINE;

function endOfDigits(line: string, begin: number): number {
  let at = begin;
  while (isDigit(line.charCodeAt(at))) at++;
  return at;
}

function endOfBlanks(line: string, begin: number): number {
  let at = begin;
  while (line.charCodeAt(at) === BLANK) at++;
  return at;
}

function numberOf(line: string, begin: number, end: number): number {
  let value = 0;
  for (let at = begin; at < end; at++) value = value * 10 + line.charCodeAt(at) - ZERO;
  return value;
}

/** `-616` of ftrace, `   573` or `  573/580` of perf. @param at behind the task's name */
function endOfPid(line: string, at: number): number {
  const isPerf = line.charCodeAt(at) === BLANK;
  if (!isPerf && line.charCodeAt(at) !== DASH) return -1;
  const begin = isPerf ? endOfBlanks(line, at) : at + 1;
  let end = endOfDigits(line, begin);
  if (end === begin) return -1;
  if (isPerf && line.charCodeAt(end) === SLASH) end = endOfDigits(line, end + 1);
  return line.charCodeAt(end) === BLANK ? end : -1;
}

/** `(    573) ` or `(-------) `, where they are. */
function endOfTgid(line: string, begin: number): number {
  if (line.charCodeAt(begin) !== OPEN_ROUND) return begin;
  let at = begin + 1;
  for (let code = line.charCodeAt(at); isDigit(code) || code === BLANK || code === DASH; code = line.charCodeAt(at))
    at++;
  return line.charCodeAt(at) === CLOSE_ROUND ? endOfBlanks(line, at + 1) : begin;
}

/** `d.s51 `, absent with the option noirq-info; their letters grow with every kernel, but none begins with a digit. */
function endOfFlags(line: string, begin: number): number {
  if (isDigit(line.charCodeAt(begin))) return begin;
  let at = begin;
  while (at < begin + MAX_FLAGS && line.charCodeAt(at) > BLANK && line.charCodeAt(at) !== OPEN_ROUND) at++;
  return endOfBlanks(line, at);
}

/** `12.345678` or `12345`, before a colon. */
function endOfStamp(line: string, begin: number): number {
  let end = endOfDigits(line, begin);
  if (end === begin) return -1;
  if (line.charCodeAt(end) === DOT) end = endOfDigits(line, end + 1);
  return line.charCodeAt(end) === COLON ? end : -1;
}

/** perf's period, a number before the name. */
function endOfPeriod(line: string, begin: number): number {
  const end = endOfDigits(line, begin);
  return line.charCodeAt(end) === BLANK ? endOfBlanks(line, end) : begin;
}

/** At the colon behind a word; -1 where there is none. */
function endOfName(line: string, begin: number): number {
  let at = begin;
  for (let code = line.charCodeAt(at); code > BLANK; code = line.charCodeAt(++at)) {
    if (code === COLON) return at > begin ? at : -1;
  }
  return -1;
}
