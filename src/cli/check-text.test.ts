import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Check } from '../recorder/check.ts';
import { checkLines } from './check-text.ts';

test('a check, what follows and what to do', () => {
  const check: Check = {
    name: 'tracefs',
    state: 'limited',
    detail: 'not mounted',
    consequence: 'no list of tracepoints',
    remedy: 'mount -t tracefs tracefs /sys/kernel/tracing',
  };
  assert.deepEqual(checkLines(check, false), [
    'limited  tracefs: not mounted',
    '         no list of tracepoints',
    '         to mend it: mount -t tracefs tracefs /sys/kernel/tracing',
  ]);
  assert.deepEqual(checkLines({ name: 'BTF', state: 'ok', detail: '/sys/kernel/btf/vmlinux\n' }, true), [
    '\x1b[32mok     \x1b[0m  BTF: /sys/kernel/btf/vmlinux\\x0a',
  ]);
});
