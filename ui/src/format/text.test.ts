import assert from 'node:assert/strict';
import { test } from 'node:test';
import { endpointText, plural, shortCount, visible } from './text.ts';

test('what cannot be seen is written out', () => {
  assert.equal(visible('a\u001b[31m\n\u202eb\u{e0041}\ud800<i>'), 'a\\x1b[31m\\x0a\\u202eb\\u{e0041}\\ud800<i>');
  assert.equal(visible('größe 名前'), 'größe 名前');
});

test('counts have five characters at most', () => {
  const texts = [0, 9999, 10_000, 99_949, 99_950, 1_234_567, 5e9].map(shortCount);
  assert.deepEqual(texts, ['0', '9,999', '10.0k', '99.9k', '100k', '1.2M', '5.0G']);
  assert.equal(plural(1, 'drop'), '1 drop');
  assert.equal(plural(1200, 'drop'), '1,200 drops');
});

test('an endpoint of IPv6 has brackets', () => {
  assert.equal(endpointText('10.0.0.1', 443), '10.0.0.1:443');
  assert.equal(endpointText('2001:db8::1', 443), '[2001:db8::1]:443');
  assert.equal(endpointText(undefined, undefined), '?');
});
