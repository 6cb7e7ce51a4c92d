import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { LosslogError } from '../base/errors.ts';
import { Btf } from '../linux/btf.ts';
import { Elf } from '../linux/elf.ts';
import { attempt } from './check.ts';
import { jitChecks, lockdownChecks, lockedMemoryChecks, storeCheck, tracefsCheck } from './host-checks.ts';
import { kernelChecks } from './kernel-checks.ts';

function rootWith(t: TestContext, files: Record<string, string>): string {
  const root = mkdtempSync(join(tmpdir(), 'losslog-doctor-'));
  t.after(() => rmSync(root, { recursive: true }));
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(join(root, dirname(path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  return root;
}

/** Types of a program that knows no tracepoint and no BPF: to the checks, a kernel that lacks everything. */
const bare = Btf.parse(
  Elf.parse(readFileSync(join(import.meta.dirname, '../../testdata/btf/sample.le.o'))).bytesOf('.BTF') as Uint8Array,
);

test('what is thrown is the finding, its hint the remedy', () => {
  assert.deepEqual(
    attempt('BTF', 'missing', () => '/sys/kernel/btf'),
    { name: 'BTF', state: 'ok', detail: '/sys/kernel/btf' },
  );
  const fail = (): never => {
    throw new LosslogError('NOT_PERMITTED', 'hidden', { hint: 'run as root' });
  };
  assert.deepEqual(attempt('symbols', 'limited', fail, 'no names'), {
    name: 'symbols',
    state: 'limited',
    detail: 'hidden',
    consequence: 'no names',
    remedy: 'run as root',
  });
});

test('a kernel that lacks everything', () => {
  const checks = kernelChecks(bare);
  const [, features, ...others] = checks;
  assert.deepEqual(features, {
    name: 'BPF',
    state: 'missing',
    detail:
      'this kernel lacks BPF_MAP_TYPE_RINGBUF, BPF_FUNC_ringbuf_reserve, BPF_FUNC_ktime_get_boot_ns, BPF_FUNC_seq_write',
    remedy: 'Linux 5.8 or newer',
  });
  assert.deepEqual(
    others.map(({ name, state }) => `${state} ${name}`),
    [
      'limited tcp_retransmit_skb',
      'limited tcp_retransmit_synack',
      'limited kfree_skb',
      'limited tcp_send_reset',
      'limited tcp_receive_reset',
      'limited inet_sock_set_state',
      'limited err of tcp_retransmit_skb',
      'limited reason of kfree_skb',
      'limited rx_sk of kfree_skb',
      'limited reason of tcp_send_reset',
      'limited bpf_get_socket_cookie()',
      'limited connection tracking',
    ],
  );
  for (const { consequence, remedy } of others) assert.ok(consequence && remedy);
});

test('locked memory bounds BPF on old kernels', (t) => {
  const limits = (hard: string): string =>
    `Max locked memory         65536                ${hard}               bytes     \n`;
  const status = (mask: string): string => `CapEff:\t${mask}\n`;
  const states = (hard: string, mask: string): string[] => {
    const root = rootWith(t, { 'proc/self/limits': limits(hard), 'proc/self/status': status(mask) });
    return lockedMemoryChecks(bare, root).map(({ state }) => state);
  };
  assert.deepEqual(states('65536', '000000c000000000'), ['missing']);
  assert.deepEqual(states('65536', '000000c001000000'), ['ok']);
  assert.deepEqual(states('unlimited', '000000c000000000'), ['ok']);
});

test('lockdown, JIT and tracefs are told only where they matter', (t) => {
  const strict = rootWith(t, {
    'sys/kernel/security/lockdown': 'none integrity [confidentiality]\n',
    'proc/sys/net/core/bpf_jit_enable': '0\n',
    'sys/kernel/tracing/events/enable': '0\n',
  });
  const states = (root: string): string[] =>
    [...lockdownChecks(root), ...jitChecks(root)].map(({ name, state }) => `${state} ${name}`);
  assert.deepEqual(states(strict), ['missing lockdown', 'limited BPF JIT']);
  assert.equal(tracefsCheck(strict).detail, join(strict, 'sys/kernel/tracing'));
  const mild = rootWith(t, {
    'sys/kernel/security/lockdown': 'none [integrity] confidentiality\n',
    'proc/sys/net/core/bpf_jit_enable': '1\n',
  });
  assert.deepEqual(states(mild), []);
  assert.deepEqual(states(rootWith(t, {})), []);
  assert.deepEqual(tracefsCheck(mild), {
    name: 'tracefs',
    state: 'ok',
    detail: 'tracefs is not mounted; recording does not need it',
  });
});

test('the store is looked at and not made', (t) => {
  const root = rootWith(t, { file: '' });
  const dir = join(root, 'a/b/store');
  const { state, detail } = storeCheck(dir);
  assert.match(detail, /^\/.*\/a\/b\/store, \d+ MiB free$/);
  assert.notEqual(state, 'missing');
  assert.equal(existsSync(join(root, 'a')), false);
  const file = storeCheck(join(root, 'file/store'));
  assert.equal(file.state, 'missing');
  assert.equal(file.detail, `cannot write to ${join(root, 'file')}: it is not a directory`);
});
