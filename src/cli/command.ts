/** A command: what parsing, help and completion derive from. */

import type { FlagTable, ValuesOf } from './flag.ts';
import type { Output } from './output.ts';

export interface Example {
  line: string;
  /** What it is good for, without a full stop. */
  doc: string;
}

/** The words that a command may take. */
export interface Argument {
  placeholder: string;
  doc: string;
  /** The words it can be; any word, when absent. */
  choices?: () => readonly string[];
  required: boolean;
  /** Further words may follow. */
  several?: true;
}

export interface Command<F extends FlagTable = FlagTable> {
  name: string;
  /** One line, without a full stop. */
  summary: string;
  /** More to know, a paragraph each. */
  about?: readonly string[];
  argument?: Argument;
  flags: F;
  examples: readonly Example[];
  /** @returns the exit code. */
  run(values: ValuesOf<F>, output: Output, words: readonly string[]): Promise<number>;
}

/** Checks `run` against the command's own flags, and forgets their types so that commands can stand in one table. */
export function defineCommand<F extends FlagTable>(command: Command<F>): Command {
  return command as unknown as Command;
}
