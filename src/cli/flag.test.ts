import assert from 'node:assert/strict';
import { test } from 'node:test';
import { wallNs } from '../base/time.ts';
import { choice, parsePort } from '../base/values.ts';
import { type FlagTable, parseFlags } from './flag.ts';

const flags = {
  json: { type: 'switch', doc: 'd' },
  'no-drops': { type: 'switch', doc: 'd' },
  port: { type: 'value', placeholder: 'N', doc: 'd', parse: parsePort },
  netns: { type: 'list', placeholder: 'NAME', doc: 'd', parse: String },
  print: {
    type: 'optional',
    placeholder: 'FORM',
    doc: 'd',
    parse: choice('form', ['text', 'json']),
    whenBare: 'text' as const,
  },
  since: { type: 'value', placeholder: 'T', doc: 'd', parse: (text: string, { now }: { now: bigint }) => [text, now] },
} as const satisfies FlagTable;

const parse = (...argv: string[]) => parseFlags(flags, argv, { now: wallNs(7n) });

test('every way to write a flag', () => {
  assert.deepEqual(parse(), { values: {}, words: [] });
  assert.deepEqual(parse('--json', '--no-drops').values, { json: true, 'no-drops': true });
  assert.deepEqual(parse('--port', '80').values, { port: 80 });
  assert.deepEqual(parse('--port=80', '--port=443').values, { port: 443 });
  assert.deepEqual(parse('--netns', 'a', '--netns=b=c').values, { netns: ['a', 'b=c'] });
  assert.deepEqual(parse('--print').values, { print: 'text' });
  assert.deepEqual(parse('--print=json').values, { print: 'json' });
  assert.deepEqual(parse('--since', '-2h').values, { since: ['-2h', 7n] });
});

test('words', () => {
  assert.deepEqual(parse('a', '--print', 'json', '-', '--', '--json'), {
    values: { print: 'text' },
    words: ['a', 'json', '-', '--json'],
  });
});

test('mistakes name the flag and say what was meant', () => {
  const cases: [string[], string, string | undefined][] = [
    [['--prot', '80'], 'there is no flag --prot', 'did you mean --port?'],
    [['--prot=80'], 'there is no flag --prot', 'did you mean --port?'],
    [['-x'], 'there is no flag -x', 'one of --json, --no-drops, --port, --netns, --print, --since, --help'],
    [['--constructor'], 'there is no flag --constructor', undefined],
    [['--json=1'], '--json takes no value', undefined],
    [['--port'], '--port needs a value', 'write --port VALUE or --port=VALUE'],
    [['--port', '--json'], '--port needs a value', 'write --port VALUE or --port=VALUE'],
    [['--port', '99999'], '--port: "99999" is not a port', 'give a whole number from 0 to 65535'],
    [['--print=jsno'], '--print: "jsno" is not a form', 'did you mean json?'],
  ];
  for (const [argv, message, hint] of cases) {
    assert.throws(() => parse(...argv), { code: 'USAGE', message, ...(hint === undefined ? {} : { hint }) });
  }
});

test('a required flag', () => {
  const by = {
    by: {
      type: 'value',
      required: true,
      placeholder: 'DIM',
      doc: 'd',
      parse: choice<'a' | 'b'>('dimension', ['a', 'b']),
      choices: ['a', 'b'],
    },
  } as const satisfies FlagTable;
  const dimension: 'a' | 'b' = parseFlags(by, ['--by', 'b'], { now: wallNs(0n) }).values.by;
  assert.equal(dimension, 'b');
  assert.throws(() => parseFlags(by, [], { now: wallNs(0n) }), {
    code: 'USAGE',
    message: '--by is missing',
    hint: 'give --by DIM: one of a, b',
  });
});

test('a letter stands for its flag', () => {
  const table = { output: { type: 'value', short: 'o', placeholder: 'FILE', doc: '', parse: String } } as const;
  assert.equal(parseFlags(table, ['-o', 'x'], { now: wallNs(0n) }).values.output, 'x');
  assert.throws(() => parseFlags(table, ['-x', 'y'], { now: wallNs(0n) }), { code: 'USAGE' });
  assert.throws(() => parseFlags(table, ['-o'], { now: wallNs(0n) }), {
    code: 'USAGE',
    message: '--output needs a value',
  });
});
