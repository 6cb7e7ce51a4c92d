/** Entry of the command: finds the command, parses its flags, runs it, and turns errors into words and exit codes. */

import { exitCodeOf, LosslogError, messageOf } from '../base/errors.ts';
import { escapeText } from '../base/escape.ts';
import { didYouMean, nearest } from '../base/suggest.ts';
import { wallFromMs } from '../base/time.ts';
import type { Command } from './command.ts';
import { commands } from './commands.ts';
import { parseFlags } from './flag.ts';
import { Output } from './output.ts';

const HELP = ['--help', '-h'];

/** @returns the exit code. */
async function run(argv: readonly string[], output: Output): Promise<number> {
  const [first, ...rest] = argv;
  if (first === undefined) throw new LosslogError('USAGE', 'no command given', { hint: 'losslog --help lists them' });
  if (HELP.includes(first)) return say(output, (await import('./help.ts')).overview(commands));
  if (first === '--version') return say(output, `losslog ${(await import('../recorder/version.ts')).version()}\n`);
  const command = commandNamed(first);
  if (asksForHelp(rest)) return say(output, (await import('./help.ts')).commandHelp(command));
  const { values, words } = parseFlags(command.flags, rest, { now: wallFromMs(Date.now()) });
  checkWords(command, words);
  return command.run(values, output, words);
}

function say(output: Output, text: string): 0 {
  output.write(text);
  return 0;
}

function commandNamed(name: string): Command {
  const command = commands.find((candidate) => candidate.name === name);
  if (command) return command;
  const names = commands.map((candidate) => candidate.name);
  if (name.startsWith('-')) {
    throw new LosslogError('USAGE', `${name} stands where the command should`, {
      hint: 'losslog --help lists the commands',
    });
  }
  throw new LosslogError('USAGE', `there is no command "${name}"`, { hint: didYouMean(name, names) });
}

/** Before the end of flags, wherever it stands: people add it to what they have typed. */
function asksForHelp(words: readonly string[]): boolean {
  const end = words.indexOf('--');
  return words.slice(0, end < 0 ? undefined : end).some((word) => HELP.includes(word));
}

/** @throws USAGE when they are not what the command takes. */
function checkWords({ name, argument, flags }: Command, words: readonly string[]): void {
  const [word, extra] = words;
  const unexpected = argument?.several ? undefined : argument ? extra : word;
  if (unexpected !== undefined) {
    const flag = nearest(
      `--${unexpected}`,
      Object.keys(flags).map((flagName) => `--${flagName}`),
    );
    const hint = flag ? `did you mean ${flag}?` : `losslog ${name} --help tells its flags`;
    throw new LosslogError('USAGE', `${name} does not take "${unexpected}"`, { hint });
  }
  if (!argument) return;
  const choices = argument.choices?.();
  if (word === undefined && argument.required) {
    const hint = choices ? `one of ${choices.join(', ')}` : argument.doc;
    throw new LosslogError('USAGE', `${name} needs ${argument.placeholder}`, { hint });
  }
  if (word !== undefined && choices && !choices.includes(word)) {
    throw new LosslogError('USAGE', `"${word}" is not ${argument.doc}`, { hint: didYouMean(word, choices) });
  }
}

/** One line, the hint on a second; the stack of what was not foreseen with LOSSLOG_DEBUG=1. */
function report(error: unknown): void {
  const message = escapeText(messageOf(error).replaceAll('\n', ' '));
  process.stderr.write(`losslog: ${message}\n`);
  if (error instanceof LosslogError && error.hint !== undefined) {
    process.stderr.write(`  hint: ${escapeText(error.hint)}\n`);
  }
  if (process.env.LOSSLOG_DEBUG === '1' && error instanceof Error) process.stderr.write(`${error.stack}\n`);
}

async function main(): Promise<void> {
  process.stderr.on('error', () => {}); // Nobody listens: no reason to end a recording.
  process.on('uncaughtException', (error) => {
    report(error);
    process.exit(exitCodeOf(error));
  });
  const output = new Output(process.stdout, process.env, (error) => {
    if (error.code === 'EPIPE') process.exit(0);
    report(error);
    process.exit(1);
  });
  try {
    process.exitCode = await run(process.argv.slice(2), output);
  } catch (error) {
    report(error);
    process.exitCode = exitCodeOf(error);
  }
}

void main();
