import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { lockdownMode } from './lockdown.ts';

test('the mode in brackets; none without the file', (t) => {
  const root = mkdtempSync(join(tmpdir(), 'losslog-lockdown-'));
  t.after(() => rmSync(root, { recursive: true }));
  assert.equal(lockdownMode(root), 'none');
  mkdirSync(join(root, 'sys/kernel/security'), { recursive: true });
  writeFileSync(join(root, 'sys/kernel/security/lockdown'), 'none integrity [confidentiality]\n');
  assert.equal(lockdownMode(root), 'confidentiality');
  writeFileSync(join(root, 'sys/kernel/security/lockdown'), '[none] integrity confidentiality\n');
  assert.equal(lockdownMode(root), 'none');
});
