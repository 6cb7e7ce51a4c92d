import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { loadedModules } from './modules.ts';

test('a use count does not change it, a new module or address does', (t) => {
  const root = mkdtempSync(join(tmpdir(), 'losslog-modules-'));
  t.after(() => rmSync(root, { recursive: true }));
  mkdirSync(join(root, 'proc'));
  const read = (text: string): string => {
    writeFileSync(join(root, 'proc/modules'), text);
    return loadedModules(root);
  };
  const line = 'nf_tables 356352 0 - Live 0xffffffffc0a1b000\n';
  const before = read(line);
  assert.equal(before, 'nf_tables 0xffffffffc0a1b000\n');
  assert.equal(read('nf_tables 356352 2 nft_compat,nft_chain_nat, Live 0xffffffffc0a1b000 (E)\n'), before);
  assert.notEqual(read('nf_tables 356352 0 - Live 0xffffffffc0b1b000\n'), before);
  assert.notEqual(read(`${line}nft_compat 20480 0 - Live 0xffffffffc0c1b000\n`), before);
});

test('a kernel without modules has none', () => {
  assert.equal(loadedModules('/nonexistent'), '');
});
