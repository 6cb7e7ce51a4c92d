/**
 * Events by the text they were made of: in a log most texts occur again, and to look one up takes a third of the time that
 * decoding it does. Where they do not (every line of another connection) it gives way.
 */

import { decodeLine } from './events.ts';
import type { TraceLine } from './line.ts';
import type { Endian, LogEvent } from './log-event.ts';
import { ownText } from './text-memo.ts';

const MAX_EVENTS = 4096;
/** Above that, hostile: the kernel's own texts have some 250 characters. */
const MAX_TEXT = 512;
/** Of so many look-ups so many must hit, else the next ones are left out. */
const WINDOW = 2048;
const MIN_HITS = 512;
const PAUSE = 32_768;

export class EventMemo {
  readonly #endian: Endian;
  readonly #byName = new Map<string, Map<string, LogEvent>>();
  #size = 0;
  #asked = 0;
  #hits = 0;
  #paused = 0;
  #isAgain = false;

  constructor(endian: Endian) {
    this.#endian = endian;
  }

  /** Whether the last event was handed out before. */
  get isAgain(): boolean {
    return this.#isAgain;
  }

  /**
   * As {@link decodeLine}. The event is shared by all lines of equal text: not to be changed.
   * @throws BadField
   */
  eventOf(line: TraceLine): LogEvent | undefined {
    this.#isAgain = false;
    if (this.#isPaused()) return decodeLine(line, this.#endian);
    const key = keyOf(line.text);
    const known = this.#byName.get(line.name)?.get(key);
    if (known) {
      this.#hits++;
      this.#isAgain = true;
      return known;
    }
    const event = decodeLine(line, this.#endian);
    if (event && key.length <= MAX_TEXT) this.#learn(line.name, key, event);
    return event;
  }

  #isPaused(): boolean {
    if (this.#paused > 0) return this.#paused-- > 0;
    if (++this.#asked < WINDOW) return false;
    if (this.#hits < MIN_HITS) this.#paused = PAUSE;
    this.#asked = 0;
    this.#hits = 0;
    return false;
  }

  #learn(name: string, key: string, event: LogEvent): void {
    if (++this.#size > MAX_EVENTS) {
      this.#byName.clear();
      this.#size = 1;
    }
    const events = this.#byName.get(name);
    if (events) events.set(ownText(key), event);
    else this.#byName.set(ownText(name), new Map([[ownText(key), event]]));
  }
}

const BLANK = ' ';
const POINTERS = ['skbaddr=', 'skaddr=', 'rx_sk='];

/** The text without the pointers at its begin, which no event holds and which are others in each line. */
function keyOf(text: string): string {
  let begin = 0;
  for (const pointer of POINTERS) {
    if (!text.startsWith(pointer, begin)) continue;
    const blank = text.indexOf(BLANK, begin);
    if (blank < 0) return text;
    begin = blank + 1;
  }
  return begin === 0 ? text : text.slice(begin);
}
