/** Help texts, made from the table of commands. */

import type { Command } from './command.ts';
import type { Flag } from './flag.ts';

const WIDTH = 80;

/** What `losslog --help` says. */
export function overview(commands: readonly Command[]): string {
  const rows = commands.map(({ name, summary }): Row => [name, summary]);
  return lines([
    'losslog: a flight recorder for lost packets',
    '',
    'Usage: losslog COMMAND [FLAGS]',
    '',
    'Commands:',
    ...table(rows),
    '',
    'Flags:',
    ...table([
      ['--help', 'this help; after a command, help on that'],
      ['--version', 'the version'],
    ]),
    '',
    'Exit codes: 0 done, 1 failed, 2 wrong use, 3 not permitted or not supported here.',
  ]);
}

/** What `losslog COMMAND --help` says. */
export function commandHelp(command: Command): string {
  const flags = Object.entries(command.flags);
  const argument = command.argument ? [` ${argumentText(command)}`] : [];
  const flagRows = flags.map(([name, flag]): Row => [flagText(name, flag), flag.doc]);
  const examples = command.examples.flatMap(({ line, doc }) => [`  ${line}`, `      ${doc}`]);
  return lines([
    `losslog ${command.name}: ${command.summary}`,
    '',
    `Usage: losslog ${command.name}${argument.join('')}${flags.length > 0 ? ' [FLAGS]' : ''}`,
    ...(command.about ?? []).flatMap((paragraph) => ['', ...wrap(paragraph, WIDTH)]),
    ...(command.argument ? ['', ...table([[command.argument.placeholder, command.argument.doc]])] : []),
    ...(flags.length > 0 ? ['', 'Flags:', ...table(flagRows)] : []),
    '',
    'Examples:',
    ...examples,
  ]);
}

function argumentText({ argument }: Command): string {
  const word = `${argument?.placeholder}${argument?.several ? ' …' : ''}`;
  return argument?.required ? word : `[${word}]`;
}

function flagText(name: string, flag: Flag): string {
  const dashed = flag.short === undefined ? `--${name}` : `-${flag.short}, --${name}`;
  if (flag.type === 'switch') return dashed;
  return flag.type === 'optional' ? `${dashed}[=${flag.placeholder}]` : `${dashed} ${flag.placeholder}`;
}

type Row = [name: string, doc: string];

function table(rows: readonly Row[]): string[] {
  const column = Math.max(...rows.map(([name]) => name.length)) + 4;
  return rows.flatMap(([name, doc]) =>
    wrap(doc, WIDTH - column).map((text, i) => (i === 0 ? `  ${name}` : '').padEnd(column) + text),
  );
}

/** Breaks at blanks; a word longer than the width stays whole. */
function wrap(text: string, width: number): string[] {
  const result: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      result.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...result, line];
}

const lines = (all: readonly string[]): string => `${all.join('\n')}\n`;
