/** Values of flags that are numbers or words of a list. */

import { LosslogError } from './errors.ts';
import { didYouMean } from './suggest.ts';

/** A parser of whole numbers from `min` to `max`. @throws USAGE for anything else. */
export function integer(what: string, min: number, max: number): (text: string) => number {
  return (text) => {
    const value = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
    if (!(value >= min && value <= max)) {
      throw new LosslogError('USAGE', `"${text}" is not a ${what}`, {
        hint: `give a whole number from ${min} to ${max}`,
      });
    }
    return value;
  };
}

/** The highest pid that Linux can be told to use (PID_MAX_LIMIT on 64 bits). */
const MAX_PID = 4_194_304;

export const parsePort = integer('port', 0, 65_535);
export const parsePid = integer('process id', 1, MAX_PID);
export const parseLimit = integer('limit', 0, 1_000_000_000);

/** A parser of one word of a list, without regard to case. @throws USAGE with the nearest word as the hint. */
export function choice<T extends string>(what: string, choices: readonly T[]): (text: string) => T {
  return (text) => {
    const found = choices.find((word) => word === text.toLowerCase());
    if (found === undefined) {
      const article = /^[aeiou]/.test(what) ? 'an' : 'a';
      throw new LosslogError('USAGE', `"${text}" is not ${article} ${what}`, { hint: didYouMean(text, choices) });
    }
    return found;
  };
}

/** Any text but the empty one. */
export function nonEmpty(text: string): string {
  if (text === '') throw new LosslogError('USAGE', 'the value is empty');
  return text;
}

/** A container id, or the beginning of one. @throws USAGE below four characters, which would match by chance. */
export function parseContainer(text: string): string {
  if (text.length < 4) {
    throw new LosslogError('USAGE', `"${text}" is too short for a container id`, {
      hint: 'give at least its first four characters',
    });
  }
  return text;
}
