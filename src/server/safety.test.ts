/** What the server refuses, and what it withstands. */

import assert from 'node:assert/strict';
import { chmodSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { temporaryDirectory } from '../store/temporary-store.test-util.ts';
import { Access } from './access.ts';
import { endpoints } from './endpoints.ts';
import { Site } from './serving.test-util.ts';
import { readOrMakeToken } from './token.ts';

/** Sends bytes as they are and returns everything that comes until the server hangs up. */
function raw(site: Site, bytes: string | Uint8Array): Promise<string> {
  const { address, port } = site.serving.listen;
  return new Promise((resolve) => {
    let answer = '';
    const socket = connect({ host: address, port }, () => socket.end(bytes));
    socket.setEncoding('latin1');
    socket.on('data', (piece: string) => {
      answer += piece;
    });
    socket.on('error', () => undefined);
    socket.on('close', () => resolve(answer));
  });
}

const errorOf = (body: Buffer): string => JSON.parse(String(body)).error.code;

test('every answer forbids what a page could be used for', async (t) => {
  const site = await Site.start(t, []);
  for (const path of ['/', '/api/v1/status', '/nothing', '/metrics']) {
    const { headers } = await site.ask(path);
    assert.match(String(headers['content-security-policy']), /^default-src 'none'; script-src 'self';/);
    assert.ok(!String(headers['content-security-policy']).includes('unsafe'));
    assert.equal(headers['x-content-type-options'], 'nosniff');
    assert.equal(headers['cross-origin-resource-policy'], 'same-origin');
    assert.equal(headers['access-control-allow-origin'], undefined);
  }
});

test('only GET and HEAD, and no body', async (t) => {
  const site = await Site.start(t, []);
  for (const method of ['POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'TRACE']) {
    const { status, headers } = await site.ask('/api/v1/status', { method });
    assert.deepEqual([status, headers.allow], [405, 'GET, HEAD'], method);
  }
  const head = await site.ask('/api/v1/status', { method: 'HEAD' });
  assert.deepEqual([head.status, head.body.length], [200, 0]);
  assert.match(
    await raw(site, 'GET /api/v1/status HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\nhello'),
    / 413 /,
  );
  assert.match(
    await raw(site, 'POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n'),
    / 405 /,
  );
});

test('another name of this host, and pages of other sites', async (t) => {
  const site = await Site.start(t, []);
  const status = async (headers: Record<string, string>) => (await site.ask('/api/v1/status', { headers })).status;
  for (const host of ['localhost:1', 'LOCALHOST', '127.0.0.1', '[::1]:80', '10.0.0.1', hostname(), 'x.localhost']) {
    assert.equal(await status({ Host: host }), 200, host);
  }
  for (const host of ['evil.example', 'localhost.evil.example', '127.0.0.1.nip.io', '127.0.0.1@evil', 'a b']) {
    assert.equal(await status({ Host: host }), 421, host);
  }
  assert.equal(await status({ 'Sec-Fetch-Site': 'cross-site', 'Sec-Fetch-Mode': 'no-cors' }), 403);
  assert.equal(await status({ 'Sec-Fetch-Site': 'cross-site', 'Sec-Fetch-Mode': 'navigate' }), 200);
  assert.equal(await status({ 'Sec-Fetch-Site': 'same-origin', 'Sec-Fetch-Mode': 'cors' }), 200);
});

test('with a token: by header, or by a link that works once', async (t) => {
  const site = await Site.start(t, [], { token: true });
  const { file, link } = site.serving.token ?? assert.fail();
  assert.equal(statSync(file).mode & 0o777, 0o600);
  const token = readFileSync(file, 'utf8').trim();
  const status = async (headers: Record<string, string>, path = '/api/v1/status') =>
    (await site.ask(path, { headers })).status;
  assert.equal(await status({}), 401);
  assert.equal(await status({}, '/metrics'), 401);
  assert.equal(await status({ Authorization: `Bearer ${token}x` }), 401);
  assert.equal(await status({ Authorization: `Bearer ${token}` }), 200);
  assert.equal(await status({ Authorization: `Bearer ${token}`, Host: 'metrics.example' }), 200);

  const path = link.slice(site.serving.url.length);
  assert.equal((await site.ask(path, { method: 'HEAD' })).headers['set-cookie'], undefined);
  const cookie = (await site.ask(path)).headers['set-cookie']?.[0] ?? assert.fail();
  assert.match(cookie, /^losslog=[\w-]{43}; Path=\/; HttpOnly; SameSite=Strict; Max-Age=604800$/);
  const [pair = ''] = cookie.split(';');
  assert.equal(await status({ Cookie: `a=b; ${pair}` }), 200);
  assert.equal(await status({ Cookie: `${pair}x` }), 401);
  assert.equal(await status({ Cookie: pair, Host: 'evil.example' }), 421);
  assert.equal(await status({}, path), 401, 'the link has been used');
  assert.equal(await status({ Cookie: pair }, '/api/v1/login-link'), 403);
  const another = await site.json('/api/v1/login-link', { headers: { Authorization: `Bearer ${token}` } });
  assert.equal(await status({}, another.path), 200);
});

test('any address but loopback needs the token', async (t) => {
  const site = await Site.start(t, [], { listen: { address: '0.0.0.0', port: 0 } });
  assert.equal((await site.ask('/api/v1/status')).status, 401);
  assert.equal((await site.ask('/api/v1/live')).status, 401);
  const { file, link } = site.serving.token ?? assert.fail();
  assert.ok(link.startsWith(`http://${hostname()}:`));
  const headers = { Authorization: `Bearer ${readFileSync(file, 'utf8').trim()}` };
  assert.equal((await site.ask('/api/v1/status', { headers })).status, 200);
});

test('a link grows old', () => {
  const access = new Access('token');
  const code = access.makeLink(0).split('=')[1] as string;
  assert.throws(() => access.redeem(code, 16 * 60_000), { status: 401 });
  assert.throws(() => access.redeem('', 0), { status: 401 });
});

test('a token that others can read, or that is none, is refused', (t) => {
  const file = join(temporaryDirectory(t), 'token');
  const token = readOrMakeToken(file);
  assert.equal(readOrMakeToken(file), token);
  chmodSync(file, 0o640);
  assert.throws(() => readOrMakeToken(file), { code: 'NOT_PERMITTED', hint: `run: chmod 600 ${file}` });
  writeFileSync(file, 'short\n');
  chmodSync(file, 0o600);
  assert.throws(() => readOrMakeToken(file), { code: 'FILE' });
  assert.throws(() => readOrMakeToken('/proc/nothing/token'), { code: 'FILE' });
});

test('no path leaves the page', async (t) => {
  const site = await Site.start(t, []);
  const { file } = { file: 'package.json' };
  for (const path of [
    `/../../${file}`,
    `/..%2f..%2f${file}`,
    `/assets/../../../${file}`,
    '//etc/passwd',
    '/%00',
    '/.',
  ]) {
    const { status, body } = await site.ask(path);
    assert.equal(status, 404, path);
    assert.equal(errorOf(body), 'NOT_FOUND');
  }
});

test('what is no HTTP is told so and cut off', async (t) => {
  const site = await Site.start(t, []);
  for (const bytes of [
    '\x16\x03\x01\x02\x00',
    'hello\r\n\r\n',
    'GET\r\n\r\n',
    `GET / HTTP/1.1\r\nHost: a\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`,
  ]) {
    const answer = await raw(site, bytes);
    assert.match(answer, /^HTTP\/1\.1 4\d\d /);
    assert.doesNotMatch(answer, /node_modules|\.ts:\d|\n\s+at /);
  }
  assert.match(
    await raw(site, 'GET http://evil.example/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n'),
    / 400 /,
  );
  assert.match(
    await raw(site, 'GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n'),
    / 400 /,
  );
  assert.equal((await site.ask('/api/v1/status')).status, 200);
});

const hostile = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 60 }),
  fc.constantFrom(
    '0',
    '-1',
    '1e999',
    '9'.repeat(30),
    'NaN',
    '%',
    '%00',
    '\u0000',
    '../..',
    "' OR 1=1 --",
    '__proto__',
    'constructor',
  ),
  fc.constantFrom(
    '2026-11-22T20:00:00Z',
    '1795377600000000000',
    '9223372036854775807',
    '10.0.0.0/0',
    '::/0',
    'netns',
    'drop',
  ),
);

test('fuzzed requests are answered with what they are worth, and never with a trace', async (t) => {
  const site = await Site.start(t, []);
  const names = [...new Set(endpoints.flatMap(({ parameters }) => Object.keys(parameters)))];
  const query = fc.array(fc.tuple(fc.oneof(fc.constantFrom(...names), hostile), hostile), { maxLength: 5 });
  const paths = fc.oneof(
    fc.constantFrom(...endpoints.map(({ path }) => path), '/api/v1/live/', '/login', '/metrics'),
    hostile,
  );
  await fc.assert(
    fc.asyncProperty(paths, query, fc.boolean(), async (path, pairs, asLines) => {
      const target = `/${encodeURI(path.toWellFormed()).replace(/^\//, '')}?${new URLSearchParams(pairs)}`;
      const { status, body, headers } = await site.ask(target.replaceAll('#', '%23'), {
        headers: asLines ? { Accept: 'application/x-ndjson' } : {},
      });
      assert.ok([200, 400, 404, 503].includes(status), `${status} ${target} ${body}`);
      assert.doesNotMatch(String(body), /node_modules|\.ts:\d|\n\s+at /, target);
      if (status !== 200 && headers['content-type']?.includes('json')) assert.ok(errorOf(body).length > 0);
    }),
    { numRuns: 300 },
  );
  assert.deepEqual(site.talk, []);
  assert.equal((await site.ask('/api/v1/status')).status, 200);
});

test('fuzzed bytes do not end the server', async (t) => {
  const site = await Site.start(t, []);
  const lines = fc.array(
    fc.oneof(hostile, fc.constantFrom('GET / HTTP/1.1', 'Host: localhost', 'Content-Length: -1')),
    { maxLength: 6 },
  );
  await fc.assert(
    fc.asyncProperty(lines, async (parts) => {
      const answer = await raw(site, `${parts.join('\r\n')}\r\n\r\n`);
      assert.doesNotMatch(answer, /node_modules|\.ts:\d|\n\s+at /);
    }),
    { numRuns: 150 },
  );
  assert.deepEqual(site.talk, []);
  assert.equal((await site.ask('/api/v1/status')).status, 200);
});
