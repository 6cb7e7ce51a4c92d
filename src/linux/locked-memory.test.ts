import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { lockedMemoryLimit } from './locked-memory.ts';

test('the hard limit', (t) => {
  const root = mkdtempSync(join(tmpdir(), 'losslog-limits-'));
  t.after(() => rmSync(root, { recursive: true }));
  mkdirSync(join(root, 'proc/self'), { recursive: true });
  const limits = join(root, 'proc/self/limits');
  const head = 'Limit                     Soft Limit           Hard Limit           Units     \n';
  writeFileSync(limits, `${head}Max locked memory         65536                131072               bytes     \n`);
  assert.equal(lockedMemoryLimit(root), 131_072);
  writeFileSync(limits, `${head}Max locked memory         65536                unlimited            bytes     \n`);
  assert.equal(lockedMemoryLimit(root), Number.POSITIVE_INFINITY);
  writeFileSync(limits, head);
  assert.throws(() => lockedMemoryLimit(root), /no limit of locked memory/);
});

test('this process, as the shell tells it', () => {
  const { stdout } = spawnSync('sh', ['-c', 'ulimit -H -l'], { encoding: 'utf8' });
  const kilobytes = stdout.trim();
  assert.equal(lockedMemoryLimit(), kilobytes === 'unlimited' ? Number.POSITIVE_INFINITY : Number(kilobytes) * 1024);
});
