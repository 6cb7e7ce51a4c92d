import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { LosslogError } from '../base/errors.ts';
import { Btf, BtfKind } from './btf.ts';
import { encodeBtf as encode, typeInfo as info } from './btf-sample.test-util.ts';
import { Elf } from './elf.ts';
import { readKernelBtf } from './kernel-btf.ts';

function sampleBytes(order: string): Uint8Array {
  const object = readFileSync(join(import.meta.dirname, `../../testdata/btf/sample.${order}.o`));
  return Elf.parse(object).bytesOf('.BTF') as Uint8Array;
}

for (const order of ['le', 'be']) {
  const btf = Btf.parse(sampleBytes(order));

  test(`members, nested and of anonymous structs and unions (${order})`, () => {
    const place = (path: string) => {
      const { byteOffset, bitOffset, bitSize, size } = btf.structMember('sample_record', path) ?? assert.fail(path);
      return [byteOffset, bitOffset, bitSize, size];
    };
    assert.deepEqual(place('boot_ns'), [0, 0, 64, 8]);
    assert.deepEqual(place('flow'), [8, 0, 288, 36]);
    assert.deepEqual(place('flow.dport'), [42, 0, 16, 2]);
    assert.deepEqual(place('seq'), [48, 0, 32, 4]);
    assert.deepEqual(place('high'), [50, 0, 16, 2]);
    assert.deepEqual(place('comm'), [52, 0, 256, 32]);
    assert.equal(btf.structMember('sample_record', 'flow.nothing'), undefined);
    assert.equal(btf.structMember('sample_record', 'boot_ns.nothing'), undefined);
    assert.equal(btf.structMember('no_struct', 'boot_ns'), undefined);
  });

  test(`bit fields, qualifiers, pointers, floats (${order})`, () => {
    const place = (path: string) => {
      const { byteOffset, bitOffset, bitSize, size } = btf.structMember('bits', path) ?? assert.fail(path);
      return [byteOffset, bitOffset, bitSize, size];
    };
    assert.deepEqual(place('first'), [0, 0, 3, 4]);
    assert.deepEqual(place('second'), [0, 3, 9, 4]);
    assert.deepEqual(place('nested.plain'), [2, 0, 16, 2]);
    assert.deepEqual(place('nested.inner'), [4, 0, 4, 1]);
    assert.deepEqual(place('pointer'), [8, 0, 64, 8]);
    assert.deepEqual(place('real'), [16, 0, 64, 8]);
  });

  test(`enums, functions and sections (${order})`, () => {
    assert.deepEqual(
      btf.enumValues('losslog_kind'),
      new Map([
        [0, 'KIND_RETRANSMIT'],
        [7, 'KIND_DROP'],
      ]),
    );
    assert.equal(btf.enumValues('no_enum').size, 0);
    assert.equal(btf.functionParameterCount('btf_trace_sample'), 3);
    assert.deepEqual(
      btf.functionParameters('btf_trace_sample')?.map((id) => btf.sizeOf(id)),
      [8, 8, 4],
    );
    assert.equal(btf.functionParameterCount('btf_trace_nothing'), undefined);
    assert.equal(btf.functionParameterCount('u32'), undefined);
    assert.equal(btf.hasFunction('sample_program'), true);
    assert.equal(btf.hasFunction('sample'), false);
    assert.deepEqual(
      btf.datasec('.rodata')?.map(({ name, size }) => [name, size]),
      [
        ['has_err', 1],
        ['forward_address', 8],
      ],
    );
    assert.equal(btf.datasec('.data'), undefined);
  });
}

test('a split blob goes on where its base ends', () => {
  const base = Btf.parse(
    encode('\0int\0base_enum\0ONE\0', [1, info(BtfKind.Int), 4, 32, 5, info(BtfKind.Enum, 1), 4, 15, 1]),
  );
  assert.equal(base.endId, 3);
  // Strings of a split blob begin at once, without the empty string of the base; 19 is the length of the base's strings.
  const split = Btf.parse(
    encode('holder\0member\0', [19, info(BtfKind.Struct, 2), 8, 26, 1, 0, 15, 2, 32, 1, info(BtfKind.Typedef), 3]),
    base,
  );
  assert.equal(split.findByName('holder', BtfKind.Struct), 3);
  assert.equal(split.findByName('int', BtfKind.Int), 1);
  assert.equal(split.findByName('int', BtfKind.Typedef), 4);
  assert.equal(base.findByName('int', BtfKind.Typedef), undefined);
  assert.deepEqual(
    split.members(3).map(({ name, typeId, bitOffset }) => [name, split.nameOf(typeId), bitOffset]),
    [
      ['member', 'int', 0],
      ['ONE', 'base_enum', 32],
    ],
  );
  assert.deepEqual(split.structMember('holder', 'ONE')?.byteOffset, 4);
  assert.deepEqual(split.enumValues('base_enum'), new Map([[1, 'ONE']]));
  assert.deepEqual([...split.ids(BtfKind.Enum)], []);
});

test('signed and 64-bit enums', () => {
  const btf = Btf.parse(
    encode('\0signed\0MINUS\0wide\0BIG\0LOW\0', [
      ...[1, info(BtfKind.Enum, 1, 1), 4, 8, 0xffff_ffff],
      ...[14, info(BtfKind.Enum64, 2), 8, 19, 0, 1, 23, 5, 0],
      ...[14, info(BtfKind.Enum64, 1, 1), 8, 23, 0xffff_fffe, 0xffff_ffff],
    ]),
  );
  assert.deepEqual(btf.enumValues('signed'), new Map([[-1, 'MINUS']]));
  assert.deepEqual(
    btf.enumValues('wide'),
    new Map([
      [0x1_0000_0000n, 'BIG'],
      [5n, 'LOW'],
    ]),
  );
  assert.deepEqual(btf.enumValues(3), new Map([[-2n, 'LOW']]));
});

test('a kind of the future is passed over when the layout section tells its size', () => {
  const types = [0, info(20, 2), 0, 11, 12, 13, 1, info(BtfKind.Int), 4, 32];
  const layout = Array.from({ length: 21 }, (_, kind) => (kind === 20 ? [4, 4, 0, 0] : [0, 0, 0, 0])).flat();
  assert.equal(Btf.parse(encode('\0int\0', types, layout)).findByName('int', BtfKind.Int), 2);
  assert.throws(() => Btf.parse(encode('\0int\0', types)), /BTF type 1 at byte 0 is of kind 20, which is unknown/);
});

test('a struct of more than 65535 members', () => {
  const count = 70_000;
  const members = new Array(3 * count).fill(0);
  const btf = Btf.parse(
    encode('\0big\0', [1, info(BtfKind.Struct, count), 4, ...members, 1, info(BtfKind.Int), 4, 32]),
  );
  assert.equal(btf.findByName('big', BtfKind.Int), 2);
});

test('damaged bytes give DECODE', () => {
  const whole = sampleBytes('le');
  const isDecode = (error: unknown): boolean => error instanceof LosslogError && error.code === 'DECODE';
  for (let length = 0; length < whole.length; length++) {
    assert.throws(() => Btf.parse(whole.subarray(0, length)), isDecode, `cut at ${length}`);
  }
  assert.throws(() => Btf.parse(Buffer.alloc(64)), /not BTF: magic 0x0/);
  const loop = Btf.parse(encode('\0a\0', [1, info(BtfKind.Typedef), 1]));
  assert.throws(() => loop.sizeOf(1), /refers to itself/);
  const dangling = Btf.parse(encode('\0a\0', [1, info(BtfKind.Typedef), 9]));
  assert.throws(() => dangling.sizeOf(1), /refers to type 9, which does not exist/);
});

test('the running kernel', { skip: !existsSync('/sys/kernel/btf/vmlinux') && 'this kernel has no BTF' }, () => {
  const btf = readKernelBtf();
  assert.equal(btf.nameOf(btf.findByName('sock', BtfKind.Struct) as number), 'sock');
  assert.deepEqual(btf.structMember('sock', '__sk_common.skc_daddr')?.byteOffset, 0);
  assert.equal(btf.structMember('inet_connection_sock', 'icsk_ca_state')?.bitSize, 5);
  assert.equal(btf.structMember('sk_buff', 'dev')?.size, 8);
  // TP_PROTO(skb, location[, reason[, rx_sk]]) and `void *data` before it.
  assert.ok((btf.functionParameterCount('btf_trace_kfree_skb') as number) >= 3);
  assert.ok(btf.enumValues('tcp_ca_state').size === 5);
});

test('a kernel without type information', () => {
  assert.throws(
    () => readKernelBtf('/nonexistent'),
    (error: unknown) => error instanceof LosslogError && error.code === 'NOT_SUPPORTED' && error.hint !== undefined,
  );
});
