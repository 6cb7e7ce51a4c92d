/** A trace log, read piece by piece in bounded memory. */

import { decodeLine, type Endian, type LogEvent } from './events.ts';
import { BadField } from './fields.ts';
import { parseLostLine, parseTraceLine, stampNs } from './line.ts';

/** Events that the kernel could not write between two lines of a CPU. */
export interface LostEvents {
  readonly count: number | undefined;
  /** Stamps of the neighbouring lines, ns; undefined at the ends of a log and where stamps are no times. */
  readonly fromNs: bigint | undefined;
  readonly untilNs: bigint | undefined;
}

export interface TraceLogHandlers {
  /** @param atNs the stamp in ns; undefined where it is no time since boot */
  onEvent(event: LogEvent, atNs: bigint | undefined): void;
  onLost(lost: LostEvents): void;
  /** A line that should be an event and cannot be read. @param line its number, from 1 */
  onBroken(line: number, why: string): void;
}

/** No line of ftrace is as long: a page holds an event. */
const MAX_LINE = 65_536;
/** What a line of interest holds somewhere; the others are skipped at the price of a search. */
const RELEVANT = /tcp_|kfree_skb|skb_drop|EVENTS|_LOST/;
const LOSING = /EVENTS|_LOST/;
/** CPU and time of any line. */
const STAMP = /\[(\d+)\] +\S* *(\d+\.\d+): /;
/** Names of our events, where their text follows. */
const OURS =
  /(?:^|[\s:])(?:tcp_retransmit(?:_skb|_synack)?|tcp_(?:send|receive)_reset|kfree_skb|tcp_drop|skb_drop)(?:: .*\w=| port=)/;

export class TraceLogReader {
  readonly #endian: Endian;
  readonly #handlers: TraceLogHandlers;
  /** The beginning of a line whose end has not come yet. */
  #rest = '';
  #isTooLong = false;
  #lines = 0;
  #foreign = 0;
  /** The last line of each CPU, by the digits of the CPU, and of any. Read only when events are lost. */
  readonly #last = new Map<string | undefined, string>();
  readonly #lost: { cpu: number | undefined; count: number | undefined; fromNs: bigint | undefined }[] = [];

  constructor(endian: Endian, handlers: TraceLogHandlers) {
    this.#endian = endian;
    this.#handlers = handlers;
  }

  get lines(): number {
    return this.#lines;
  }

  /** Lines that are no event of ours: headers, other events, other tracers. */
  get foreign(): number {
    return this.#foreign;
  }

  /** Takes the next bytes. Bytes are read as Latin-1: nothing that is taken from a line is beyond ASCII. */
  push(chunk: Buffer): void {
    const text = this.#rest + chunk.toString('latin1');
    let begin = 0;
    for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n', begin)) {
      this.#line(text.slice(begin, end));
      begin = end + 1;
    }
    this.#rest = text.slice(begin);
    if (this.#rest.length <= MAX_LINE) return;
    this.#rest = '';
    this.#isTooLong = true;
  }

  /** Takes what is left as the last line. */
  end(): void {
    if (this.#rest !== '' || this.#isTooLong) this.#line(this.#rest);
    this.#rest = '';
    for (const { count, fromNs } of this.#lost) this.#handlers.onLost({ count, fromNs, untilNs: undefined });
    this.#lost.length = 0;
  }

  #line(line: string): void {
    this.#lines++;
    if (this.#isTooLong || line.length > MAX_LINE) {
      this.#isTooLong = false;
      this.#handlers.onBroken(this.#lines, `it is longer than ${MAX_LINE} characters`);
    } else if (RELEVANT.test(line)) this.#take(line.endsWith('\r') ? line.slice(0, -1) : line);
    else this.#foreign++;
    this.#noteStamp(line);
  }

  #take(line: string): void {
    if (LOSING.test(line)) {
      const lost = parseLostLine(line);
      if (lost) {
        this.#lost.push({ ...lost, fromNs: this.#lastNs(lost.cpu) });
        return;
      }
    }
    const parsed = parseTraceLine(line);
    const atNs = parsed && stampNs(parsed.stamp);
    try {
      const event = parsed && decodeLine(parsed, this.#endian);
      if (event) this.#handlers.onEvent(event, atNs);
      else if (!parsed && OURS.test(line)) throw new BadField('its task, CPU or time stamp cannot be read');
      else this.#foreign++;
    } catch (error) {
      if (!(error instanceof BadField)) throw error;
      this.#handlers.onBroken(this.#lines, error.message);
    }
  }

  #noteStamp(line: string): void {
    const open = line.indexOf('[');
    if (open < 0) return;
    this.#last.set(line.slice(open + 1, line.indexOf(']', open)), line);
    this.#last.set(undefined, line);
    const match = this.#lost.length > 0 ? STAMP.exec(line) : null;
    if (match) this.#endLost(Number(match[1]), stampNs(match[2] as string));
  }

  /** ftrace prints a CPU with three digits, trace-cmd and perf too. */
  #lastNs(cpu: number | undefined): bigint | undefined {
    const line = this.#last.get(cpu === undefined ? undefined : String(cpu).padStart(3, '0'));
    const stamp = STAMP.exec(line ?? '')?.[2];
    return stamp === undefined ? undefined : stampNs(stamp);
  }

  /** A stamp of a CPU ends the stretch in which it lost events. */
  #endLost(cpu: number, untilNs: bigint | undefined): void {
    for (let i = this.#lost.length - 1; i >= 0; i--) {
      const lost = this.#lost[i];
      if (!lost || (lost.cpu !== undefined && lost.cpu !== cpu)) continue;
      this.#lost.splice(i, 1);
      this.#handlers.onLost({ count: lost.count, fromNs: lost.fromNs, untilNs });
    }
  }
}
