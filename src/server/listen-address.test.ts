import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isLoopback, parseListen, urlOf } from './listen-address.ts';

test('addresses to listen on', () => {
  const cases: [string, string][] = [
    ['127.0.0.1:80', 'http://127.0.0.1:80'],
    ['127.0.0.1', 'http://127.0.0.1:7475'],
    ['localhost:81', 'http://127.0.0.1:81'],
    ['[::1]:82', 'http://[::1]:82'],
    ['::1', 'http://[::1]:7475'],
    [':83', 'http://alpha:83'],
    ['0.0.0.0:0', 'http://alpha:0'],
  ];
  for (const [text, url] of cases) assert.equal(urlOf(parseListen(text), 'alpha'), url, text);
  for (const text of ['', ':', '80', 'host:80', '1.2.3:80', '127.0.0.1:65536', '127.0.0.1:', '[::1']) {
    assert.throws(() => parseListen(text), { code: 'USAGE' }, text);
  }
});

test('loopback', () => {
  for (const text of ['127.0.0.1', '127.9.9.9', '::1', 'localhost:80']) assert.ok(isLoopback(parseListen(text)), text);
  for (const text of ['0.0.0.0', '::', ':80', '10.0.0.1', '::ffff:127.0.0.1']) {
    assert.ok(!isLoopback(parseListen(text)), text);
  }
});
