/** A trace log, read piece by piece in bounded memory. */

import { parseAlignedLine } from './aligned-line.ts';
import { EventMemo } from './event-memo.ts';
import { BadField } from './fields.ts';
import { parseTraceLine, type TraceLine } from './line.ts';
import type { Endian, LogEvent } from './log-event.ts';
import { parseLostLine } from './lost-line.ts';
import { type LostEvents, LostStretches } from './lost-stretches.ts';
import { Resends } from './own-probes.ts';
import { stampNs } from './stamp.ts';

export interface TraceLogHandlers {
  /**
   * @param event shared by lines of equal text: not to be changed
   * @param atNs the stamp in ns; undefined where it is no time
   * @param isAgain whether this very object came before
   */
  onEvent(event: LogEvent, atNs: bigint | undefined, isAgain: boolean): void;
  onLost(lost: LostEvents): void;
  /** A line that should be an event and cannot be read. @param line its number, from 1 */
  onBroken(line: number, why: string): void;
}

/** Twice what the kernel puts in a line (TRACE_SEQ_BUFFER_SIZE is 8 KiB). */
const MAX_LINE = 16_384;
const RETURN = 0x0d;
/** What a line of interest holds somewhere, where it is not laid out as most are; the others are skipped at the price of a search. */
const RELEVANT = /tcp_|kfree_skb|skb_drop|drop[ :]|EVENTS|_LOST|^LOST/;
const LOSING = /EVENTS|_LOST|^LOST/;
/** Names of our events, where their text follows. */
const OURS =
  /(?:^|[\s:])(?:tcp_retransmit(?:_skb|_synack)?|tcp_(?:send|receive)_reset|kfree_skb|tcp_drop|skb_drop)(?:: +(?:\(\S+\) +)?\w+=| port=)/;

export class TraceLogReader {
  readonly #events: EventMemo;
  readonly #handlers: TraceLogHandlers;
  readonly #lost: LostStretches;
  readonly #resends = new Resends();
  /** The beginning of a line whose end has not come yet. */
  #rest = '';
  #isTooLong = false;
  #lines = 0;
  #foreign = 0;

  constructor(endian: Endian, handlers: TraceLogHandlers) {
    this.#events = new EventMemo(endian);
    this.#handlers = handlers;
    this.#lost = new LostStretches((lost) => handlers.onLost(lost));
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
    const text = chunk.toString('latin1');
    let begin = 0;
    for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n', begin)) {
      if (this.#rest === '') this.#line(text, begin, end);
      else this.#completed(text.slice(0, end));
      begin = end + 1;
    }
    this.#rest += text.slice(begin);
    if (this.#rest.length <= MAX_LINE) return;
    this.#rest = '';
    this.#isTooLong = true;
  }

  /** Takes what is left as the last line. */
  end(): void {
    if (this.#rest !== '' || this.#isTooLong) this.#line(this.#rest, 0, this.#rest.length);
    this.#rest = '';
    this.#lost.end();
  }

  /** @param end of the line whose beginning came before */
  #completed(end: string): void {
    const line = this.#rest + end;
    this.#rest = '';
    this.#line(line, 0, line.length);
  }

  #line(text: string, begin: number, end: number): void {
    this.#lines++;
    if (this.#isTooLong || end - begin > MAX_LINE) {
      this.#isTooLong = false;
      this.#handlers.onBroken(this.#lines, `it is longer than ${MAX_LINE} characters`);
      return;
    }
    const trimmed = text.charCodeAt(end - 1) === RETURN ? end - 1 : end;
    const parsed = parseAlignedLine(text, begin, trimmed);
    if (parsed) {
      this.#event(parsed);
      return;
    }
    const line = text.slice(begin, trimmed);
    if (RELEVANT.test(line)) this.#unaligned(line);
    else this.#other(line);
  }

  #other(line: string): void {
    this.#foreign++;
    this.#lost.noteUnread(line);
  }

  /** A line of another layout, or one that is no event. */
  #unaligned(line: string): void {
    const lost = LOSING.test(line) ? parseLostLine(line) : undefined;
    if (lost) {
      this.#lost.add(lost);
      return;
    }
    const parsed = parseTraceLine(line);
    if (parsed) this.#event(parsed);
    else if (OURS.test(line)) this.#handlers.onBroken(this.#lines, 'its task, CPU or time stamp cannot be read');
    else this.#other(line);
  }

  #event(parsed: TraceLine): void {
    this.#lost.note(parsed);
    if (this.#resends.isToldBefore(parsed)) {
      this.#foreign++;
      return;
    }
    try {
      const event = this.#events.eventOf(parsed);
      if (event) this.#handlers.onEvent(event, stampNs(parsed), this.#events.isAgain);
      else this.#foreign++;
    } catch (error) {
      if (!(error instanceof BadField)) throw error;
      this.#handlers.onBroken(this.#lines, error.message);
    }
  }
}
