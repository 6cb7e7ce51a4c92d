import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, beforeEach, describe, test } from 'node:test';

describe('a checkout is run by its bundle', () => {
  const folder = mkdtempSync(join(tmpdir(), 'losslog-checkout-'));
  const path = (file: string): string => join(folder, file);
  const write = (file: string, text: string): void => {
    mkdirSync(dirname(path(file)), { recursive: true });
    writeFileSync(path(file), text);
  };
  const run = (): string =>
    execFileSync(process.execPath, [path('scripts/run-checkout.cjs')], { encoding: 'utf8' }).trim();

  after(() => rmSync(folder, { recursive: true }));
  beforeEach(() => {
    write('package.json', '{ "type": "module" }');
    write('src/cli/main.ts', 'console.log("sources" as string);');
    write('src/base/time.ts', 'export {};');
    write('build/program/main.cjs', 'console.log("bundle");');
    const files = ['src/cli/main.ts', 'src/base/time.ts'].map((file) => {
      const { mtimeMs, size } = statSync(path(file));
      return [file, [mtimeMs, size]];
    });
    write('build/program/sources.json', JSON.stringify(Object.fromEntries(files)));
    write('scripts/run-checkout.cjs', readFileSync(join(import.meta.dirname, 'run-checkout.cjs'), 'utf8'));
  });

  test('while the sources are those that it was made of', () => assert.equal(run(), 'bundle'));

  test('not where one was edited', () => {
    write('src/base/time.ts', 'export {}; ');
    assert.equal(run(), 'sources');
  });

  test('not where one is of another time, be it an earlier one', () => {
    utimesSync(path('src/base/time.ts'), 1e9, 1e9);
    assert.equal(run(), 'sources');
  });

  test('not where one is gone', () => {
    rmSync(path('src/base/time.ts'));
    assert.equal(run(), 'sources');
  });

  test('not where there is none', () => {
    rmSync(path('build'), { recursive: true });
    assert.equal(run(), 'sources');
  });
});
