/** `key=value` pairs of an event's text. */

/** A key with what stands before its value; kfree_skb alone prints `reason: X`. */
export type Key = `${string}=` | 'reason: ';

const BLANK = 0x20;

/** Looked up when asked for: of most lines only a few are needed. Of two equal keys the first counts. */
export class TextFields {
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  /** The value up to the next blank, without a comma at its end. */
  get(key: Key): string | undefined {
    const text = this.#text;
    let at = text.indexOf(key);
    while (at > 0 && text.charCodeAt(at - 1) !== BLANK) at = text.indexOf(key, at + 1);
    if (at < 0) return undefined;
    const begin = at + key.length;
    const blank = text.indexOf(' ', begin);
    const end = blank < 0 ? text.length : blank;
    return text.slice(begin, end > begin && text[end - 1] === ',' ? end - 1 : end);
  }

  has(key: Key): boolean {
    return this.get(key) !== undefined;
  }
}

const ZERO = 0x30;
/** Digits that cannot leave the range of a number that is exact. */
const QUICK_DIGITS = 9;

/** A whole number in decimal or as `0x…`, in its range; undefined where it is absent. @throws BadField otherwise. */
export function integerOf(fields: TextFields, key: Key, min: number, max: number): number | undefined {
  const text = fields.get(key);
  if (text === undefined) return undefined;
  const value = digitsValue(text) ?? slowValue(text);
  if (!(value >= min && value <= max)) throw badField(key, text);
  return value;
}

/** By hand: trace logs hold millions of them. */
function digitsValue(text: string): number | undefined {
  if (text.length === 0 || text.length > QUICK_DIGITS) return undefined;
  let value = 0;
  for (let i = 0; i < text.length; i++) {
    const digit = text.charCodeAt(i) - ZERO;
    if (digit < 0 || digit > 9) return undefined;
    value = value * 10 + digit;
  }
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
