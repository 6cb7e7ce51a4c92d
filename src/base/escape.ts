/**
 * Text from outside (process, cgroup, device and namespace names) made safe for a terminal.
 *
 * Any process may name itself `\x1b]0;…` (prctl(2) PR_SET_NAME takes every byte but NUL), and a terminal obeys what it is sent.
 */

import { isAscii } from 'node:buffer';

/**
 * What a terminal may act on or what makes text look like other text: C0, DEL and C1 controls (Cc), bidirectional
 * overrides, zero-width characters and tags (Cf), lone surrogates (Cs), line and paragraph separators (Zl, Zp).
 */
const UNSAFE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;

/** The text with every unsafe character as `\xNN` (below 256) or `\u{N}`, hexadecimal. */
export function escapeText(text: string): string {
  if (isPrintableAscii(text)) return text;
  return text.replace(UNSAFE, (character) => {
    const code = character.codePointAt(0) as number;
    const hex = code.toString(16);
    return code < 0x100 ? `\\x${hex.padStart(2, '0')}` : `\\u{${hex}}`;
  });
}

/**
 * A line of JSON with the unsafe characters that `JSON.stringify` leaves in strings (DEL, C1, bidirectional overrides)
 * as `\uNNNN`. It parses to the same value.
 */
export function escapeJson(line: string): string {
  if (isPrintableAscii(line)) return line;
  return line.replace(UNSAFE, (character) =>
    character
      .split('')
      .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
      .join(''),
  );
}

/** The one ASCII character that JSON.stringify() leaves and a terminal may act on. */
const DEL = 0x7f;

/** Many lines of JSON, each with its newline, as bytes: as {@link escapeJson} does with one, in a fraction of the time. */
export function escapeJsonLines(lines: string): Buffer {
  const bytes = Buffer.from(lines);
  if (isAscii(bytes) && !bytes.includes(DEL)) return bytes;
  return Buffer.from(lines.split('\n').map(escapeJson).join('\n'));
}

/** East Asian Wide and Fullwidth blocks (Unicode TR 11) and pictographs that are shown as such. */
const WIDE =
  /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{20000}-\u{3fffd}\p{Emoji_Presentation}]/u;
const COMBINING = /\p{Mn}|\p{Me}/u;
const FIRST_PRINTABLE = 0x20;
const LAST_PRINTABLE = 0x7e;

/** Most names are, and a loop takes a third of what a regular expression does to find it out. */
export function isPrintableAscii(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code < FIRST_PRINTABLE || code > LAST_PRINTABLE) return false;
  }
  return true;
}

/** Columns that a terminal needs for text that has been escaped. */
export function displayWidth(text: string): number {
  if (isPrintableAscii(text)) return text.length;
  let width = 0;
  for (const character of text) width += COMBINING.test(character) ? 0 : WIDE.test(character) ? 2 : 1;
  return width;
}

/** The text, filled up with blanks to `width` columns. */
export function padTo(text: string, width: number): string {
  return text + ' '.repeat(Math.max(0, width - displayWidth(text)));
}
