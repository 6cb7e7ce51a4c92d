import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { effectiveCapabilities, missingCapabilities } from './capabilities.ts';

function rootWith(t: TestContext, status: string): string {
  const root = mkdtempSync(join(tmpdir(), 'losslog-capabilities-'));
  t.after(() => rmSync(root, { recursive: true }));
  mkdirSync(join(root, 'proc/self'), { recursive: true });
  writeFileSync(join(root, 'proc/self/status'), status);
  return root;
}

const statusOf = (mask: string): string => `Name:\tnode\nCapPrm:\t000001ffffffffff\nCapEff:\t${mask}\nCapBnd:\t0\n`;

test('the effective set by name', (t) => {
  assert.deepEqual(effectiveCapabilities(rootWith(t, statusOf('000000c000000000'))), new Set(['PERFMON', 'BPF']));
  assert.deepEqual(effectiveCapabilities(rootWith(t, statusOf('0000000000000000'))), new Set());
  assert.equal(effectiveCapabilities(rootWith(t, statusOf('000001ffffffffff'))).size, 41);
  assert.equal(effectiveCapabilities(rootWith(t, statusOf('ffffffffffffffff'))).size, 41);
});

test('what is missing', (t) => {
  const few = rootWith(t, statusOf('0000008400000000'));
  assert.deepEqual(missingCapabilities(['BPF', 'PERFMON', 'SYSLOG'], few), ['PERFMON']);
  const admin = rootWith(t, statusOf('0000000000200000'));
  assert.deepEqual(missingCapabilities(['BPF', 'PERFMON', 'SYSLOG'], admin), ['SYSLOG']);
});

test('a status without the line', (t) => {
  assert.throws(() => effectiveCapabilities(rootWith(t, 'Name:\tnode\n')), /has no line CapEff/);
});

test('this process', () => {
  const mask = /^CapEff:\s*([0-9a-f]+)$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? '';
  const bits = BigInt(`0x${mask}`).toString(2).replaceAll('0', '');
  assert.equal(effectiveCapabilities().size, bits.length);
});
