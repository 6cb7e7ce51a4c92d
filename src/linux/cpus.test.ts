import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { possibleCpus } from './cpus.ts';

const cases: [string, number][] = [
  ['0\n', 1],
  ['0-7\n', 8],
  ['0-3,8-11\n', 12],
];

for (const [text, expected] of cases) {
  test(`possible CPUs of ${JSON.stringify(text)}`, (t) => {
    const root = mkdtempSync(join(tmpdir(), 'losslog-cpus-'));
    t.after(() => rmSync(root, { recursive: true }));
    mkdirSync(join(root, 'sys/devices/system/cpu'), { recursive: true });
    writeFileSync(join(root, 'sys/devices/system/cpu/possible'), text);
    assert.equal(possibleCpus(root), expected);
  });
}

test('this machine has at least one CPU', () => {
  assert.ok(possibleCpus() >= 1);
});
