/** What was made of a text, kept since the texts of a log repeat: addresses, reasons, places. */

const MAX_TEXTS = 4096;

export class TextMemo<T> {
  readonly #make: (text: string) => T | undefined;
  readonly #made = new Map<string, T | undefined>();

  constructor(make: (text: string) => T | undefined) {
    this.#make = make;
  }

  of(text: string): T | undefined {
    const made = this.#made.get(text);
    return made === undefined && !this.#made.has(text) ? this.#learn(ownText(text)) : made;
  }

  #learn(text: string): T | undefined {
    const made = this.#make(text);
    if (this.#made.size >= MAX_TEXTS) this.#made.clear();
    this.#made.set(text, made);
    return made;
  }
}

/** A copy: a piece of a longer text keeps the whole of it in memory. */
export const ownText = (text: string): string => Buffer.from(text, 'latin1').toString('latin1');
