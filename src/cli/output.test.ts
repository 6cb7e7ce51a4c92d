import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { test } from 'node:test';
import { Output, wantsColor } from './output.ts';

test('wantsColor', () => {
  const cases: [NodeJS.ProcessEnv, boolean, boolean][] = [
    [{}, true, true],
    [{}, false, false],
    [{ TERM: 'dumb' }, true, false],
    [{ NO_COLOR: '1' }, true, false],
    [{ NO_COLOR: '' }, true, true],
    [{ FORCE_COLOR: '1' }, false, true],
    [{ FORCE_COLOR: '0' }, true, false],
    [{ FORCE_COLOR: '1', NO_COLOR: '1' }, false, true],
  ];
  for (const [env, isTty, color] of cases) assert.equal(wantsColor(env, isTty), color, JSON.stringify([env, isTty]));
});

test('the width is that of the terminal, else COLUMNS, else unlimited', () => {
  const width = (columns: number | undefined, COLUMNS?: string): number => {
    const stream = Object.assign(new PassThrough(), columns === undefined ? {} : { columns });
    return new Output(stream, COLUMNS === undefined ? {} : { COLUMNS }, () => {}).width;
  };
  assert.equal(width(80, '200'), 80);
  assert.equal(width(undefined, '200'), 200);
  assert.equal(width(undefined), Number.POSITIVE_INFINITY);
  assert.equal(width(0, 'wide'), Number.POSITIVE_INFINITY);
});

test('writeAndWait waits for a slow reader, drained gives up in time', async () => {
  const stream = new PassThrough({ highWaterMark: 4 });
  const output = new Output(stream, {}, () => {});
  let done = false;
  const written = output.writeAndWait('more than four').then(() => {
    done = true;
  });
  assert.equal(await output.drained(1), false);
  assert.equal(done, false);
  assert.equal(String(stream.read()), 'more than four');
  await written;
  assert.equal(await output.drained(1000), true);
});

test('whoever asked last is told once that stdout is broken', async () => {
  const stream = new PassThrough();
  const told: string[] = [];
  const output = new Output(stream, {}, () => told.push('first'));
  output.whenBroken(({ code }) => told.push(code ?? ''));
  stream.emit('error', Object.assign(new Error('write EPIPE'), { code: 'EPIPE' }));
  stream.emit('error', Object.assign(new Error('write EPIPE'), { code: 'EPIPE' }));
  assert.deepEqual(told, ['EPIPE']);
  output.write('dropped');
  assert.equal(stream.read(), null);
  assert.equal(output.pendingBytes, 0);
});
