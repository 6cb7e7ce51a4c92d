/** `losslog convert` on the running kernel's own trace. */

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { openTracefs } from '../src/linux/tracefs-mount.ts';
import { requires } from './helpers/requires.ts';

const LOSSLOG = fileURLToPath(new URL('../bin/losslog', import.meta.url));

test('trace_pipe is read as it grows, and Ctrl-C ends in order', requires('root', 'ftrace'), async () => {
  const tracefs = openTracefs();
  // A mount that this process alone has is reached by the other through its descriptor.
  const root = tracefs.path.replace('/proc/self/', `/proc/${process.pid}/`);
  const instance = join(root, 'instances', `losslog-convert-test-${process.pid}`);
  mkdirSync(instance);
  try {
    // The default clock drifts away from the wall's in a long uptime.
    writeFileSync(join(instance, 'trace_clock'), 'mono');
    const before = Date.now();
    const child = spawn(LOSSLOG, ['convert', join(instance, 'trace_pipe'), '--json'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    writeFileSync(join(instance, 'trace_marker'), 'tcp_drop port=64288 dst=-932957242 state=2 reason=NO_SOCKET\n');
    const [printed] = (await once(child.stdout, 'data')) as [Buffer];
    child.kill('SIGINT');
    const [code] = (await once(child, 'close')) as [number];
    const { time, bootNs, ...told } = JSON.parse(String(printed)) as { time: string; bootNs: number };
    assert.equal(code, 130);
    assert.deepEqual(told, {
      kind: 'drop',
      family: 'ipv4',
      dst: '198.51.100.200',
      dport: 8443,
      reason: 'NO_SOCKET',
      class: 'loss',
      protocol: 'tcp',
    });
    assert.ok(bootNs > 0);
    assert.ok(Date.parse(time) >= before - 100 && Date.parse(time) <= Date.now() + 100, time);
  } finally {
    rmdirSync(instance);
    tracefs.close();
  }
});
