/** `key=value` pairs of an event's text. */

/** A key with what stands before its value; kfree_skb alone prints `reason: X`. */
export type Key = `${string}=` | 'reason: ';

const BLANK = 0x20;
const MINUS = 0x2d;
const ZERO = 0x30;
/** So many digits are an exact number. */
const EXACT_DIGITS = 15;

/** Looked up when asked for: of most lines only a few are needed. Of two equal keys the first counts. */
export class TextFields {
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  /** The value up to the next blank, without a comma at its end. */
  get(key: Key): string | undefined {
    const begin = this.#beginOf(key);
    if (begin < 0) return undefined;
    const text = this.#text;
    const blank = text.indexOf(' ', begin);
    const end = blank < 0 ? text.length : blank;
    return text.slice(begin, end > begin && text[end - 1] === ',' ? end - 1 : end);
  }

  has(key: Key): boolean {
    return this.#beginOf(key) >= 0;
  }

  /** The value where it is a decimal number, read in place since trace logs hold millions; undefined where it is absent, else NaN. */
  decimal(key: Key): number | undefined {
    const begin = this.#beginOf(key);
    if (begin < 0) return undefined;
    const text = this.#text;
    const isNegative = text.charCodeAt(begin) === MINUS;
    const first = isNegative ? begin + 1 : begin;
    let value = 0;
    let at = first;
    for (let digit = text.charCodeAt(at) - ZERO; digit >= 0 && digit <= 9; digit = text.charCodeAt(++at) - ZERO)
      value = value * 10 + digit;
    const isWhole = at === text.length || text.charCodeAt(at) === BLANK;
    if (!isWhole || at === first || at - first > EXACT_DIGITS) return Number.NaN;
    return isNegative ? -value : value;
  }

  #beginOf(key: Key): number {
    const text = this.#text;
    let at = text.indexOf(key);
    while (at > 0 && text.charCodeAt(at - 1) !== BLANK) at = text.indexOf(key, at + 1);
    return at < 0 ? -1 : at + key.length;
  }
}

/** A whole number in decimal or as `0x…`, in its range; undefined where it is absent. @throws BadField otherwise. */
export function integerOf(fields: TextFields, key: Key, min: number, max: number): number | undefined {
  const decimal = fields.decimal(key);
  if (decimal === undefined) return undefined;
  const value = Number.isNaN(decimal) ? slowValue(fields.get(key) ?? '') : decimal;
  if (!(value >= min && value <= max)) throw badField(key, fields.get(key) ?? '');
  return value;
}

const slowValue = (text: string): number =>
  /^(?:-?\d{1,20}|0x[0-9a-f]{1,16})$/i.test(text) ? Number(text) : Number.NaN;

/** A field of a line that should be of losslog's kind cannot be read; the line is broken. */
export class BadField extends Error {}

export const badField = (key: Key, text: string): BadField => new BadField(`${nameOf(key)} is "${text}"`);

export function required<T>(value: T | undefined, key: Key): T {
  if (value === undefined) throw new BadField(`${nameOf(key)} is missing`);
  return value;
}

const nameOf = (key: Key): string => key.slice(0, key.indexOf(key.includes('=') ? '=' : ':'));
