/** Prints events while they are recorded, without ever holding the recorder up. */

import { escapeJson } from '../base/escape.ts';
import { toJson } from '../event/json.ts';
import type { Event } from '../event/kinds.ts';
import { formatEvent } from '../event/text.ts';
import type { Output } from './output.ts';
import type { PrintForm } from './record-flags.ts';

/** Lines a second that a person can still follow in the corner of an eye. Drops have half, so that a storm of them hides nothing else. */
const LINES_A_SECOND = 200;
/** What a slow reader of stdout may be behind: some ten thousand lines. */
const MAX_PENDING_BYTES = 4 * 1024 * 1024;

export interface LivePrinterOptions {
  form: PrintForm;
  /** Benign drops too. */
  all: boolean;
  /** The local day on which it began; lines of later days show their date. */
  day: string;
  /** Told once a second how many lines were left out, when there were any. */
  onLeftOut(count: number): void;
}

export class LivePrinter {
  readonly #output: Output;
  readonly #options: LivePrinterOptions;
  readonly #limited: boolean;
  #drops = 0;
  #others = 0;
  #leftOut = 0;

  constructor(output: Output, options: LivePrinterOptions) {
    this.#output = output;
    this.#options = options;
    this.#limited = options.form === 'text' || output.isTty;
  }

  print(events: readonly Event[]): void {
    let text = '';
    for (const event of events) {
      if (!this.#options.all && isBenignDrop(event)) continue;
      if (this.#hasRoom(event, text.length)) text += `${this.#line(event)}\n`;
      else this.#leftOut++;
    }
    if (text !== '') this.#output.write(text);
  }

  /** To be called once a second: says what was left out and begins a new second. */
  tick(): void {
    this.#drops = 0;
    this.#others = 0;
    if (this.#leftOut > 0) this.#options.onLeftOut(this.#leftOut);
    this.#leftOut = 0;
  }

  #hasRoom(event: Event, queued: number): boolean {
    if (this.#output.pendingBytes + queued > MAX_PENDING_BYTES) return false;
    if (!this.#limited) return true;
    return (event.kind === 'drop' ? ++this.#drops : ++this.#others) <= LINES_A_SECOND / 2;
  }

  #line(event: Event): string {
    if (this.#options.form === 'json') return escapeJson(toJson(event));
    const { width, color } = this.#output;
    return formatEvent(event, { width, color, hiddenDay: this.#options.day });
  }
}

/** Of one, or of several that were counted. */
const isBenignDrop = (event: Event): boolean =>
  (event.kind === 'drop' || event.kind === 'summary') && event.class === 'benign';
