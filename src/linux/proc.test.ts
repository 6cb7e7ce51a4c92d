import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { bootNow } from './clock.ts';
import { findNetns } from './netns.ts';
import { listProcesses, processCgroup, processName, processSockets, processStart } from './proc.ts';

test('a process with an awkward name', (t) => {
  const root = mkdtempSync(join(tmpdir(), 'losslog-proc-'));
  t.after(() => rmSync(root, { recursive: true }));
  mkdirSync(join(root, 'proc/42'), { recursive: true });
  const stat = '42 (a) R (\n)b) S 1 42 42 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 123456 1000 20 18446744073709551615';
  writeFileSync(join(root, 'proc/42/comm'), 'a) R (\n)b\n');
  writeFileSync(join(root, 'proc/42/stat'), stat);
  writeFileSync(join(root, 'proc/42/cgroup'), '4:memory:/jobs/a\n0::/\n');
  assert.equal(processName(42, root), 'a) R (\n)b');
  assert.equal(processStart(42, root), 1_234_560_000_000n);
  assert.equal(processCgroup(42, root), '/jobs/a');
});

test('a process that is gone', () => {
  // Above the highest pid that the kernel gives (PID_MAX_LIMIT, include/linux/threads.h).
  const pid = 4 * 1024 * 1024 + 1;
  assert.equal(processName(pid), undefined);
  assert.equal(processStart(pid), undefined);
  assert.equal(processCgroup(pid), undefined);
});

test('this process', () => {
  assert.equal(processName(process.pid), readFileSync('/proc/self/comm', 'utf8').trimEnd());
  const age = Number(bootNow() - (processStart(process.pid) ?? 0n)) / 1e9;
  assert.ok(Math.abs(age - process.uptime()) < 2, `${age} ${process.uptime()}`);
});

test('processes that end while /proc is read', async () => {
  let gone = 0;
  while (gone === 0) {
    const forks = spawn('sh', ['-c', 'i=0; while [ $i -lt 500 ]; do true | true & i=$((i + 1)); done; wait']);
    for (let isOver = false; !isOver; isOver = forks.exitCode !== null) {
      for (const pid of listProcesses()) {
        const facts = [processName(pid), processStart(pid), processCgroup(pid)];
        assert.ok(Array.isArray(processSockets(pid)));
        if (facts.includes(undefined)) gone++;
      }
      for (const _ of findNetns()) await setImmediate();
    }
  }
});
