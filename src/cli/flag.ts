/** Flags of a command: the table that describes them, and the one parser of command lines. */

import { LosslogError } from '../base/errors.ts';
import { didYouMean } from '../base/suggest.ts';
import type { WallNs } from '../base/time.ts';

export interface ParseContext {
  /** The moment of the call; relative times count from it. */
  now: WallNs;
}

interface Documented {
  /** One line, without a full stop. */
  doc: string;
  /** One letter: `o` for `-o`. */
  short?: string;
}

interface Valued<T> extends Documented {
  /** How the value is written in help: `DIR`. */
  placeholder: string;
  /** @throws USAGE when the text is no such value. */
  parse(text: string, context: ParseContext): T;
  /** All values there are, when they can be listed. */
  choices?: readonly string[];
}

export interface SwitchFlag extends Documented {
  type: 'switch';
}
export interface ValueFlag<T> extends Valued<T> {
  type: 'value';
  required?: true;
}
/** May be given several times. */
export interface ListFlag<T> extends Valued<T> {
  type: 'list';
}
/** `--print` or `--print=json`; the value is never a word of its own. */
export interface OptionalFlag<T> extends Valued<T> {
  type: 'optional';
  whenBare: T;
}

export type Flag = SwitchFlag | ValueFlag<unknown> | ListFlag<unknown> | OptionalFlag<unknown>;
export type FlagTable = Readonly<Record<string, Flag>>;

type FlagValue<F extends Flag> = F extends SwitchFlag
  ? true
  : F extends ListFlag<infer T>
    ? readonly T[]
    : F extends ValueFlag<infer T> | OptionalFlag<infer T>
      ? T
      : never;

type RequiredFlags<F extends FlagTable> = { [N in keyof F]: F[N] extends { required: true } ? N : never }[keyof F];

/** What was given, by the name of the flag without its dashes. */
export type ValuesOf<F extends FlagTable> = { [N in RequiredFlags<F>]: FlagValue<F[N]> } & {
  [N in Exclude<keyof F, RequiredFlags<F>>]?: FlagValue<F[N]>;
};

export interface ParsedLine<F extends FlagTable> {
  values: ValuesOf<F>;
  /** The words that belong to no flag. */
  words: string[];
}

/** Reads the words after the command's name. @throws USAGE, its message naming the flag. */
export function parseFlags<F extends FlagTable>(
  flags: F,
  argv: readonly string[],
  context: ParseContext,
): ParsedLine<F> {
  const values: Record<string, unknown> = {};
  const words: string[] = [];
  for (let i = 0; i < argv.length; i++) {
    const word = longForm(flags, argv[i] as string);
    if (word === '--') {
      words.push(...argv.slice(i + 1));
      break;
    }
    if (!word.startsWith('-') || word === '-') words.push(word);
    else if (takesNextWord(flags, word)) take(flags, `${word}=${nextWord(word, argv[++i])}`, values, context);
    else take(flags, word, values, context);
  }
  requireFlags(flags, values);
  return { values: values as ValuesOf<F>, words };
}

/** `--output` for `-o`. */
function longForm(flags: FlagTable, word: string): string {
  const found = /^-[a-z]$/.test(word) && Object.entries(flags).find(([, { short }]) => short === word[1]);
  return found ? `--${found[0]}` : word;
}

function takesNextWord(flags: FlagTable, word: string): boolean {
  const type = word.startsWith('--') ? flagNamed(flags, word.slice(2))?.type : undefined;
  return type === 'value' || type === 'list';
}

function nextWord(word: string, next: string | undefined): string {
  if (next === undefined || next.startsWith('--')) {
    throw new LosslogError('USAGE', `${word} needs a value`, { hint: `write ${word} VALUE or ${word}=VALUE` });
  }
  return next;
}

/** Takes one `--name` or `--name=value`. */
function take(flags: FlagTable, word: string, values: Record<string, unknown>, context: ParseContext): void {
  const equals = word.indexOf('=');
  const name = word.slice(2, equals < 0 ? undefined : equals);
  const text = equals < 0 ? undefined : word.slice(equals + 1);
  const flag = word.startsWith('--') ? flagNamed(flags, name) : undefined;
  if (!flag) throw unknownFlag(flags, equals < 0 ? word : word.slice(0, equals));
  if (flag.type === 'switch') {
    if (text !== undefined) throw new LosslogError('USAGE', `--${name} takes no value`);
    values[name] = true;
  } else if (flag.type === 'optional' && text === undefined) values[name] = flag.whenBare;
  else {
    const value = parseValue(name, flag, text as string, context);
    values[name] = flag.type === 'list' ? [...((values[name] as unknown[] | undefined) ?? []), value] : value;
  }
}

function parseValue(name: string, flag: Valued<unknown>, text: string, context: ParseContext): unknown {
  try {
    return flag.parse(text, context);
  } catch (error) {
    if (!(error instanceof LosslogError)) throw error;
    const details = error.hint === undefined ? {} : { hint: error.hint };
    throw new LosslogError(error.code, `--${name}: ${error.message}`, { ...details, cause: error });
  }
}

function unknownFlag(flags: FlagTable, word: string): LosslogError {
  const names = Object.keys(flags).map((name) => `--${name}`);
  return new LosslogError('USAGE', `there is no flag ${word}`, { hint: didYouMean(word, [...names, '--help']) });
}

function requireFlags(flags: FlagTable, values: Readonly<Record<string, unknown>>): void {
  for (const [name, flag] of Object.entries(flags)) {
    if (flag.type !== 'value' || !flag.required || values[name] !== undefined) continue;
    const list = flag.choices ? `: one of ${flag.choices.join(', ')}` : '';
    throw new LosslogError('USAGE', `--${name} is missing`, { hint: `give --${name} ${flag.placeholder}${list}` });
  }
}

const flagNamed = (flags: FlagTable, name: string): Flag | undefined =>
  Object.hasOwn(flags, name) ? flags[name] : undefined;
