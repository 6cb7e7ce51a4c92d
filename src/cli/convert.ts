/** `losslog convert`. */

import { escapeJsonLines } from '../base/escape.ts';
import type { WallNs } from '../base/time.ts';
import { lostCoverage, timed, wallAt } from '../capture/trace-log/clock.ts';
import type { Endian } from '../capture/trace-log/log-event.ts';
import { TraceLogReader } from '../capture/trace-log/reader.ts';
import { toJson } from '../event/json.ts';
import type { Event, UntimedEvent } from '../event/kinds.ts';
import { formatEvent, type TextOptions } from '../event/text.ts';
import { ConvertedStore } from './converted-store.ts';
import { EventLines } from './event-lines.ts';
import { LogClock } from './log-clock.ts';
import { openLog, readError, requireText } from './log-source.ts';
import { type Output, talk } from './output.ts';
import { Progress } from './progress.ts';

interface Values {
  json?: true;
  'boot-time'?: WallNs;
  store?: string;
  endian?: Endian;
}

/** Broken lines told one by one; the rest is counted. */
const TOLD = 10;
const INTERRUPTED = 130;

/** Reads the log to its end, or to Ctrl-C. */
export async function convert(values: Values, output: Output, file: string): Promise<number> {
  const conversion = new Conversion(values, output, file);
  const stop = new AbortController();
  const onInterrupt = (): void => stop.abort();
  process.once('SIGINT', onInterrupt);
  try {
    await conversion.run(stop.signal);
  } finally {
    process.off('SIGINT', onInterrupt);
    conversion.close();
  }
  return stop.signal.aborted ? INTERRUPTED : 0;
}

class Conversion {
  readonly #values: Values;
  readonly #output: Output;
  readonly #file: string;
  readonly #reader: TraceLogReader;
  readonly #lines: EventLines;
  readonly #clock: LogClock;
  readonly #progress = new Progress();
  readonly #store: ConvertedStore | undefined;
  /** What is still to be written. */
  #text = '';
  #events = 0;
  #broken = 0;
  /** Stretches in which events were lost, those of them whose number the kernel did not know, and the sum of the others. */
  #stretches = 0;
  #uncounted = 0;
  #lost = 0;

  constructor(values: Values, output: Output, file: string) {
    this.#values = values;
    this.#output = output;
    this.#file = file;
    this.#clock = new LogClock(file, values['boot-time']);
    this.#store = values.store === undefined ? undefined : new ConvertedStore(values.store, file);
    this.#lines = new EventLines(values.json ? undefined : this.#textOptions());
    this.#reader = new TraceLogReader(values.endian ?? 'little', {
      onEvent: (event, atNs, isAgain) => {
        this.#events++;
        const time = wallAt(this.#clock.bootedAt(atNs), atNs);
        if (this.#store) this.#keep(timed(event, time, atNs));
        else this.#text += this.#lines.line(event, time, atNs, isAgain);
      },
      onLost: (lost) => {
        this.#stretches++;
        this.#lost += lost.count ?? 0;
        if (lost.count === undefined) this.#uncounted++;
        const coverage = lostCoverage(lost, this.#clock.bootedAt(lost.untilNs ?? lost.fromNs));
        if (this.#store) this.#keep(coverage);
        else this.#text += this.#lineOf(coverage);
      },
      onBroken: (line, why) => {
        if (++this.#broken <= TOLD) talk(`line ${line}: ${why}`);
      },
    });
  }

  /** Reads everything. @throws NOT_FOUND, NOT_PERMITTED, FILE */
  async run(signal: AbortSignal): Promise<void> {
    try {
      await this.#read(signal);
    } catch (error) {
      if (!signal.aborted) throw readError(this.#file, error);
    } finally {
      this.#progress.clear();
    }
    if (!signal.aborted) this.#reader.end();
    await this.#flush();
    await this.#store?.finish();
    for (const line of [this.#clock.remark, this.#summary()]) if (line !== undefined) talk(line);
  }

  close(): void {
    this.#store?.close();
  }

  async #read(signal: AbortSignal): Promise<void> {
    const source = openLog(this.#file, signal);
    for await (const piece of source.pieces) {
      if (this.#reader.lines === 0) requireText(piece, this.#file);
      this.#reader.push(piece);
      await this.#flush();
      this.#progress.show(source.share(), `${this.#reader.lines} lines`);
      if (signal.aborted) break;
    }
  }

  #keep(event: Event | UntimedEvent): void {
    if (event.time === undefined) throw this.#clock.storeError;
    this.#store?.write(event);
  }

  #lineOf(event: Event | UntimedEvent): string {
    return `${this.#values.json ? toJson(event) : formatEvent(event, this.#textOptions())}\n`;
  }

  #textOptions(): TextOptions {
    return { width: this.#output.width, color: this.#output.color };
  }

  async #flush(): Promise<void> {
    if (this.#text === '') return;
    const text = this.#text;
    this.#text = '';
    await this.#output.writeAndWait(this.#values.json ? escapeJsonLines(text) : text);
  }

  #summary(): string {
    const { lines, foreign } = this.#reader;
    const parts = [`${counted(this.#events, 'event')} in ${counted(lines, 'line')}`];
    if (foreign > 0) parts.push(`${counted(foreign, 'other line')} skipped`);
    if (this.#broken > 0) parts.push(`${this.#broken} broken`);
    if (this.#stretches > 0) {
      const known = this.#lost > 0 ? `${this.#lost}${this.#uncounted > 0 ? ' and more' : ''}` : 'how many is not known';
      parts.push(`the trace buffer lost events in ${counted(this.#stretches, 'place')} (${known})`);
    }
    return parts.join('; ');
  }
}

const counted = (count: number, what: string): string => `${count} ${what}${count === 1 ? '' : 's'}`;
