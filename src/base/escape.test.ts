import assert from 'node:assert/strict';
import { test } from 'node:test';
import { displayWidth, escapeJson, escapeJsonLines, escapeText, padTo } from './escape.ts';

test('escapeText shows what a terminal would obey', () => {
  const cases: [string, string][] = [
    ['nginx: worker', 'nginx: worker'],
    ['Bücher-日本', 'Bücher-日本'],
    ['\x1b[2Jevil', '\\x1b[2Jevil'],
    ['a\nb\tc\rd\x07', 'a\\x0ab\\x09c\\x0dd\\x07'],
    ['\x7f\x9b31m', '\\x7f\\x9b31m'],
    ['abc\u202etxt.exe', 'abc\\u{202e}txt.exe'],
    ['a\u200bb\ufeff', 'a\\u{200b}b\\u{feff}'],
    ['\ud800x', '\\u{d800}x'],
    ['\u{e0041}', '\\u{e0041}'],
    ['l\u2028p\u2029', 'l\\u{2028}p\\u{2029}'],
    ['system-getty\\x2dfoo', 'system-getty\\x2dfoo'],
  ];
  for (const [text, expected] of cases) assert.equal(escapeText(text), expected);
});

test('escapeJson keeps the value', () => {
  const value = { process: '\x1b[31m\x9b\u202e\u{e0041}\ud800"日' };
  const line = escapeJson(JSON.stringify(value));
  assert.equal(line, '{"process":"\\u001b[31m\\u009b\\u202e\\udb40\\udc41\\ud800\\"日"}');
  assert.deepEqual(JSON.parse(line), value);
});

test('escapeJsonLines does with every line what escapeJson does', () => {
  const lines = [{ a: 1 }, { process: '\x7f' }, { process: 'é\u202e' }].map((value) => JSON.stringify(value));
  for (const some of [[], lines.slice(0, 1), lines.slice(0, 2), lines]) {
    const text = some.map((line) => `${line}\n`).join('');
    assert.equal(escapeJsonLines(text).toString(), some.map((line) => `${escapeJson(line)}\n`).join(''));
  }
});

test('displayWidth and padTo count columns, not code units', () => {
  assert.equal(displayWidth('nginx'), 5);
  assert.equal(displayWidth('日本'), 4);
  assert.equal(displayWidth('é'.normalize('NFD')), 1);
  assert.equal(displayWidth('🚀'), 2);
  assert.equal(padTo('日', 4), '日  ');
  assert.equal(padTo('too long', 3), 'too long');
});
