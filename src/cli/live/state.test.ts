import assert from 'node:assert/strict';
import { test } from 'node:test';
import { initialSettings, pressed, type Settings } from './state.ts';

const first = initialSettings('peer', false);

function after(...keys: string[]): Settings {
  let settings = first;
  for (const key of keys) {
    const next = pressed(settings, key);
    if (next === 'quit') assert.fail(`${JSON.stringify(key)} quits`);
    settings = next;
  }
  return settings;
}

test('keys change what is counted, sorted and shown', () => {
  assert.equal(after('2').by, 'process');
  assert.equal(after('\t').by, 'process');
  assert.equal(after('\x1b[C', '\x1b[D').by, 'peer');
  assert.equal(after('\x1b[Z').by, 'location');
  assert.deepEqual([after('s').sort, after('s', 's', 's', 's').sort], ['segments', 'all']);
  assert.deepEqual([after('+').window, after(...'+++++++').window, after('-', '-', '-').window], [2, 4, 0]);
  assert.deepEqual([after('p').isPaused, after(' ', 'p').isPaused, after('a').all], [true, false, true]);
  assert.equal(after('9', 'x', '\x1b[A').by, 'peer');
});

test('a search is typed, kept or forgotten; keys are letters meanwhile', () => {
  assert.deepEqual([after('/', 'q', 'x', '\x7f', '1').search, after('/', 'q').isTyping], ['q1', true]);
  assert.deepEqual([after('/', 'a', '\r').search, after('/', 'a', '\r').isTyping], ['a', false]);
  assert.equal(after('/', 'a', '\x1b').search, '');
});

test('what leaves', () => {
  for (const key of ['q', '\x1b', '\x03']) assert.equal(pressed(first, key), 'quit');
  assert.equal(after('?').showsHelp, true);
  assert.equal(after('?', 'q').showsHelp, false);
  assert.equal(pressed(after('/'), '\x03'), 'quit');
});
