/** A check of `losslog doctor` as text. */

import { escapeText } from '../base/escape.ts';
import type { Check } from '../recorder/check.ts';

const SGR = { ok: '32', limited: '33', missing: '1;31' } as const;
const INDENT = ' '.repeat('missing  '.length);

/** The state, the name and what was found; below it, where there is any, what follows from it and how to mend it. */
export function checkLines({ name, state, detail, consequence, remedy }: Check, color: boolean): string[] {
  const word = state.padEnd('missing'.length);
  const head = `${color ? `\x1b[${SGR[state]}m${word}\x1b[0m` : word}  ${escapeText(name)}: ${escapeText(detail)}`;
  const below = [consequence, remedy === undefined ? undefined : `to mend it: ${remedy}`];
  return [head, ...below.filter((text) => text !== undefined).map((text) => INDENT + escapeText(text))];
}
