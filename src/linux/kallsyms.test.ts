import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { LosslogError } from '../base/errors.ts';
import { Kallsyms } from './kallsyms.ts';

const text = `0000000000000000 A fixed_percpu_data
ffffffff81000000 T _stext
ffffffff81000000 T _text
ffffffff81000040 t early_setup
ffffffff81000100 W weak_default
ffffffff81000180 D some_data
ffffffff81ffffff T last_of_vmlinux
ffffffffc0201000 t nft_do_chain\t[nf_tables]
ffffffffc0101000 t br_forward\t[bridge]
ffffffffc0101200 r br_table\t[bridge]
ffff800080010000 t arm_text
`;

test('an address becomes symbol+offset', () => {
  const symbols = Kallsyms.parse(text);
  assert.equal(symbols.size, 8);
  assert.equal(symbols.lookup(0xffffffff81000050n), 'early_setup+0x10');
  assert.equal(symbols.lookup(0xffffffff81000040n), 'early_setup+0x0');
  assert.equal(symbols.lookup(0xffffffff8100003fn), '_stext+0x3f');
  assert.equal(symbols.lookup(0xffffffff81000190n), 'weak_default+0x90');
  assert.equal(symbols.lookup(0xffffffff81ffffffn), 'last_of_vmlinux+0x0');
  assert.equal(symbols.lookup(0xffff80008001001an), 'arm_text+0x1a');
});

test('symbols of modules, which come in no order', () => {
  const symbols = Kallsyms.parse(text);
  assert.equal(symbols.lookup(0xffffffffc020101an), 'nft_do_chain+0x1a [nf_tables]');
  assert.equal(symbols.lookup(0xffffffffc0101004n), 'br_forward+0x4 [bridge]');
});

test('an address in no function has no name', () => {
  const symbols = Kallsyms.parse(text);
  assert.equal(symbols.lookup(0x1000n), undefined);
  assert.equal(symbols.lookup(0n), undefined);
  assert.equal(symbols.lookup(0xffffffff90000000n), undefined);
  assert.equal(symbols.lookup(0xffffffffffffffffn), undefined);
});

test('the address of a function', () => {
  const symbols = Kallsyms.parse(text);
  assert.equal(symbols.addressOf('early_setup'), 0xffffffff81000040n);
  assert.equal(symbols.addressOf('arm_text'), 0xffff800080010000n);
  assert.equal(symbols.addressOf('nft_do_chain'), 0xffffffffc0201000n);
  assert.equal(symbols.addressOf('early'), undefined);
  assert.equal(symbols.addressOf('some_data'), undefined);
});

test('hidden addresses are told with what to do', () => {
  const hidden = text.replace(/^[0-9a-f]{16}/gm, '0000000000000000');
  assert.throws(
    () => Kallsyms.parse(hidden),
    (error: unknown) =>
      error instanceof LosslogError && error.code === 'NOT_PERMITTED' && /kernel\.kptr_restrict/.test(error.hint ?? ''),
  );
});

test('a file is read through a buffer smaller than it, and columns grow', (t) => {
  const root = mkdtempSync(join(tmpdir(), 'losslog-kallsyms-'));
  t.after(() => rmSync(root, { recursive: true }));
  mkdirSync(join(root, 'proc'));
  const count = 300_000;
  const start = 0xffffffff80000000n;
  const lines = Array.from({ length: count }, (_, i) => {
    return `${(start + BigInt(i) * 16n).toString(16)} t a_function_with_a_long_name_${i}\n`;
  });
  writeFileSync(join(root, 'proc/kallsyms'), lines.join(''));
  const symbols = Kallsyms.read(root);
  assert.equal(symbols.size, count);
  for (const i of [0, 1, 1337, 262_143, 262_144, count - 1]) {
    assert.equal(symbols.lookup(start + BigInt(i) * 16n + 3n), `a_function_with_a_long_name_${i}+0x3`);
  }
  assert.equal(symbols.addressOf(`a_function_with_a_long_name_${count - 1}`), start + BigInt(count - 1) * 16n);
});

test('a host without kallsyms', () => {
  assert.throws(
    () => Kallsyms.read('/nonexistent'),
    (error: unknown) => error instanceof LosslogError && error.code === 'NOT_SUPPORTED',
  );
});

test('the running kernel', (t) => {
  const line = /^([0-9a-f]{16}) [tT] (tcp_v4_rcv)$/m.exec(readFileSync('/proc/kallsyms', 'utf8'));
  if (!line || /^0+$/.test(line[1] as string)) return t.skip('addresses are hidden from this user');
  const symbols = Kallsyms.read();
  const address = BigInt(`0x${line[1]}`);
  assert.equal(symbols.addressOf('tcp_v4_rcv'), address);
  assert.equal(symbols.lookup(address + 26n), 'tcp_v4_rcv+0x1a');
});
