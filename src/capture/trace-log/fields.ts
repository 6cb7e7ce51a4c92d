/** `key=value` pairs of an event's text. */

export type TextFields = ReadonlyMap<string, string>;

/** Words without `=` are left out; of two equal keys the last counts. `reason: X` of kfree_skb counts as `reason=X`. */
export function parseFields(text: string): TextFields {
  const fields = new Map<string, string>();
  // By hand: this is half of the time that a line takes.
  for (let begin = 0; begin < text.length; ) {
    const blank = text.indexOf(' ', begin);
    const end = blank < 0 ? text.length : blank;
    const equals = text.indexOf('=', begin);
    if (equals > begin && equals < end)
      fields.set(text.slice(begin, equals), withoutComma(text.slice(equals + 1, end)));
    begin = end + 1;
  }
  const reason = text.indexOf(' reason: ');
  if (reason >= 0) fields.set('reason', text.slice(reason + ' reason: '.length).split(' ', 1)[0] as string);
  return fields;
}

const withoutComma = (value: string): string => (value.endsWith(',') ? value.slice(0, -1) : value);

/** A whole number in decimal or as `0x…`, in its range; undefined where it is absent. @throws BadField otherwise. */
export function integerOf(fields: TextFields, key: string, min: number, max: number): number | undefined {
  const text = fields.get(key);
  if (text === undefined) return undefined;
  const value = /^(?:-?\d{1,20}|0x[0-9a-f]{1,16})$/i.test(text) ? Number(text) : Number.NaN;
  if (!(value >= min && value <= max)) throw new BadField(`${key} is "${text}"`);
  return value;
}

/** A field of a line that should be of losslog's kind cannot be read; the line is broken. */
export class BadField extends Error {}
