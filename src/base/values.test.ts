import assert from 'node:assert/strict';
import { test } from 'node:test';
import { choice, nonEmpty, parseContainer, parseLimit, parsePid, parsePort } from './values.ts';

test('numbers within their bounds', () => {
  assert.equal(parsePort('0'), 0);
  assert.equal(parsePort('65535'), 65_535);
  assert.equal(parsePid('4194304'), 4_194_304);
  assert.equal(parseLimit('0'), 0);
  const hint = 'give a whole number from 0 to 65535';
  for (const text of ['65536', '-1', '', '80.5', '0x50', 'http', '8e1', ' 80']) {
    assert.throws(() => parsePort(text), { code: 'USAGE', message: `"${text}" is not a port`, hint });
  }
  assert.throws(() => parsePid('0'), { code: 'USAGE' });
});

test('choices', () => {
  const parse = choice('cause', ['syn', 'syn-ack', 'rto', 'fast', 'tail-loss-probe']);
  assert.equal(parse('syn-ack'), 'syn-ack');
  assert.equal(parse('RTO'), 'rto');
  assert.throws(() => parse('tail-los-probe'), {
    code: 'USAGE',
    message: '"tail-los-probe" is not a cause',
    hint: 'did you mean tail-loss-probe?',
  });
});

test('texts', () => {
  assert.equal(nonEmpty(' '), ' ');
  assert.throws(() => nonEmpty(''), { code: 'USAGE' });
  assert.equal(parseContainer('3f2a'), '3f2a');
  assert.throws(() => parseContainer('3f2'), { code: 'USAGE', hint: 'give at least its first four characters' });
});
