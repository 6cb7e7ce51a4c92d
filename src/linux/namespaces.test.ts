import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readlinkSync } from 'node:fs';
import { test } from 'node:test';
import { isInInitialNamespace } from './namespaces.ts';

test('the namespaces of this process', () => {
  assert.equal(isInInitialNamespace('pid'), readlinkSync('/proc/self/ns/pid') === 'pid:[4026531836]');
  assert.equal(isInInitialNamespace('user'), readlinkSync('/proc/self/ns/user') === 'user:[4026531837]');
});

test('a user namespace of its own', (t) => {
  const script = `const { isInInitialNamespace } = await import(${JSON.stringify(new URL('./namespaces.ts', import.meta.url))});
    console.log(isInInitialNamespace('user'), isInInitialNamespace('pid'));`;
  const args = ['-Urpf', '--mount-proc', process.execPath, '--input-type=module', '-e', script];
  const { status, stdout, stderr } = spawnSync('unshare', args, { encoding: 'utf8', timeout: 30_000 });
  if (status !== 0 && stderr.startsWith('unshare:')) t.skip(`not allowed here: ${stderr.trim()}`);
  else assert.equal(stdout, 'false false\n', stderr);
});
