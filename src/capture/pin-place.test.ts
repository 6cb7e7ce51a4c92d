import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { pinName, realStore } from './pin-place.ts';

test('a store has one name, by whatever path, before and after it is made', (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'losslog-place-'));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  symlinkSync(dir, `${dir}/link`);
  const before = realStore(join(dir, 'link', 'deep', 'store'));
  assert.equal(before, join(realStore(dir), 'deep/store'));
  mkdirSync(join(dir, 'deep/store'), { recursive: true });
  assert.equal(realStore(join(dir, 'link/deep/store/')), before);
});

test('names are what bpffs takes, to be read, and different for different stores', () => {
  assert.match(pinName('/var/lib/losslog'), /^var-lib-losslog-[0-9a-f]{8}$/);
  const names = ['/a/b', '/a-b', '/a.b', `/${'x'.repeat(300)}/1`, `/${'x'.repeat(300)}/2`, '/'].map(pinName);
  assert.equal(new Set(names).size, names.length);
  for (const name of names) assert.match(name, /^[A-Za-z0-9-]{1,60}$/);
});
