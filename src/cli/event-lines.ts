/** Lines of converted events. Events come by the million, many of them the same object: what is behind the time is made once. */

import type { WallNs } from '../base/time.ts';
import type { LogEvent } from '../capture/trace-log/log-event.ts';
import { jsonFields, jsonTimes } from '../event/json.ts';
import { dimmed, formatBehindTime, formatTime, type TextOptions } from '../event/text.ts';

/** What follows the time, and how many columns the time had. */
interface Tail {
  readonly text: string;
  readonly timeWidth: number;
}

export class EventLines {
  readonly #options: TextOptions | undefined;
  readonly #tails = new WeakMap<LogEvent, Tail>();

  /** @param options undefined for JSON */
  constructor(options: TextOptions | undefined) {
    this.#options = options;
  }

  /** One line, with its newline. @param isAgain whether this event came before, and so may come again */
  line(event: LogEvent, time: WallNs | undefined, bootNs: bigint | undefined, isAgain: boolean): string {
    const options = this.#options;
    const begin = options ? formatTime(time, bootNs, options) : jsonTimes(time, bootNs);
    const tail = isAgain ? this.#knownTail(event, begin.length) : this.#tail(event, begin.length);
    return (options ? dimmed(begin, options.color) : `{${begin}`) + tail;
  }

  #knownTail(event: LogEvent, timeWidth: number): string {
    const known = this.#tails.get(event);
    if (known && (known.timeWidth === timeWidth || !this.#options)) return known.text;
    const text = flat(this.#tail(event, timeWidth));
    this.#tails.set(event, { text, timeWidth });
    return text;
  }

  #tail(event: LogEvent, timeWidth: number): string {
    return this.#options ? `${formatBehindTime(event, timeWidth, this.#options)}\n` : `${jsonFields(event)}}\n`;
  }
}

/** The same text in one piece: one that was put together is a tree of pieces, which each use would walk. */
const flat = (text: string): string => Buffer.from(text).toString();
