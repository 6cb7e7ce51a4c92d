/** Damaged type information and formats: a clear error, or an answer; never a hang, a crash or memory without bound. */

import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { LosslogError } from '../base/errors.ts';
import { Btf, BtfKind } from './btf.ts';
import { declaration } from './btf-c.ts';
import { listMembers, placeOf } from './btf-members.ts';
import { encodeBtf, typeInfo } from './btf-sample.test-util.ts';
import { argumentPlaces } from './calling-convention.ts';
import { Elf } from './elf.ts';
import { parseOffsets } from './field-offsets.ts';
import { parseEventFormat } from './tracefs.ts';

const object = readFileSync(join(import.meta.dirname, '../../testdata/btf/sample.le.o'));
const sample = Elf.parse(object).bytesOf('.BTF') as Uint8Array;
const BTF_KINDS = Object.values(BtfKind);

/** Everything that is asked of BTF, of every type in it. */
function askEverything(bytes: Uint8Array): void {
  const btf = Btf.parse(bytes);
  for (let id = 1; id < btf.endId; id++) {
    tolerate(() => declaration(btf, id, 'name'));
    tolerate(() => btf.sizeOf(id));
    tolerate(() => void btf.enumValues(btf.nameOf(id)));
    const kind = btf.kindOf(id);
    if (kind === BtfKind.Struct || kind === BtfKind.Union) {
      tolerate(() => listMembers(btf, id));
      tolerate(() => placeOf(btf, id, 'nested.inner'));
      tolerate(() => btf.structMember(id, 'flow.dport'));
    }
    if (kind === BtfKind.Func) {
      for (const arch of ['x86_64', 'arm64'] as const) tolerate(() => argumentPlaces(btf, id, arch));
    }
  }
}

/** Lets pass only what a person can be told. */
function tolerate(ask: () => unknown): void {
  try {
    ask();
  } catch (error) {
    if (!(error instanceof LosslogError) || error.code === 'INTERNAL') throw error;
    assert.ok(!['', undefined].includes(error.message));
  }
}

const damage = fc.array(fc.tuple(fc.nat(sample.length - 1), fc.nat(255)), { minLength: 1, maxLength: 6 });

test('BTF with some bytes changed', () => {
  fc.assert(
    fc.property(damage, fc.nat(sample.length), (changes, length) => {
      const bytes = Uint8Array.from(sample);
      for (const [at, value] of changes) bytes[at] = value;
      tolerate(() => askEverything(bytes));
      tolerate(() => askEverything(bytes.subarray(0, length)));
    }),
    { numRuns: 2000 },
  );
});

/** Types whose ids and names may be anything near: loops, dangling references, any nesting. */
const anyType = fc.record({
  kind: fc.constantFrom(...BTF_KINDS),
  vlen: fc.nat(4),
  flag: fc.nat(1),
  words: fc.array(fc.oneof(fc.nat(12), fc.constantFrom(0, 0xffff_ffff, 0x8000_0000)), { minLength: 20, maxLength: 20 }),
});
const WORDS_ONCE: Partial<Record<number, number>> = { 1: 1, 3: 3, 14: 1, 17: 1 };
const WORDS_EACH: Partial<Record<number, number>> = { 4: 3, 5: 3, 6: 2, 13: 2, 15: 3, 19: 3 };

test('BTF of well-formed types that refer to anything', () => {
  fc.assert(
    fc.property(fc.array(anyType, { minLength: 1, maxLength: 12 }), (types) => {
      const words = types.flatMap(({ kind, vlen, flag, words: [name = 0, size = 0, ...rest] }) => [
        name,
        typeInfo(kind, vlen, flag),
        size,
        ...rest.slice(0, (WORDS_ONCE[kind] ?? 0) + vlen * (WORDS_EACH[kind] ?? 0)),
      ]);
      tolerate(() => askEverything(encodeBtf('\0a\0nested\0inner\0', words)));
    }),
    { numRuns: 3000 },
  );
});

const decodes = (ask: () => unknown, message: RegExp): void =>
  assert.throws(
    ask,
    (error: unknown) => error instanceof LosslogError && error.code === 'DECODE' && message.test(error.message),
  );

test('anonymous structs within one another twice over, thirty levels deep, are not walked 2^30 times', () => {
  const words = Array.from({ length: 30 }, (_, i) => [
    ...[0, typeInfo(BtfKind.Struct, 2), 8],
    ...[0, i + 2, 0, 0, i + 2, 32],
  ]).flat();
  const btf = Btf.parse(
    encodeBtf('\0a\0', [...words, 0, typeInfo(BtfKind.Struct, 1), 4, 1, 32, 0, 1, typeInfo(BtfKind.Int), 4, 32]),
  );
  assert.equal(btf.structMember(1, 'b'), undefined);
  assert.equal(btf.structMember(1, 'a')?.byteOffset, 0);
  decodes(() => listMembers(btf, 1), /BTF type 1 has more than \d+ members/);
});

test('types that hold themselves', () => {
  const loop = Btf.parse(
    encodeBtf('\0a\0', [
      ...[0, typeInfo(BtfKind.Struct, 1), 8, 0, 1, 0],
      ...[0, typeInfo(BtfKind.Array), 0, 2, 2, 3],
      ...[0, typeInfo(BtfKind.Ptr), 3],
      ...[0, typeInfo(BtfKind.Ptr), 5],
      ...[0, typeInfo(BtfKind.FuncProto, 2), 4, 0, 4, 0, 4],
    ]),
  );
  assert.equal(loop.structMember(1, 'a'), undefined);
  decodes(() => listMembers(loop, 1), /BTF type 1 /);
  decodes(() => loop.sizeOf(2), /BTF type 2 refers to itself/);
  decodes(() => declaration(loop, 2, 'x'), /BTF type \d+ /);
  decodes(() => declaration(loop, 3, 'x'), /BTF type \d+ /);
  decodes(() => declaration(loop, 4, 'x'), /BTF type \d+ /);
});

test('an array of more bytes than there can be', () => {
  const types = Array.from({ length: 3 }, (_, i) => [0, typeInfo(BtfKind.Array), 0, i + 2, 4, 0xffff_ffff]).flat();
  const btf = Btf.parse(encodeBtf('\0', [...types, 0, typeInfo(BtfKind.Int), 4, 32]));
  decodes(() => btf.sizeOf(1), /BTF type \d is larger than/);
});

test('counts beyond the end are told with their place', () => {
  decodes(
    () => Btf.parse(encodeBtf('\0', [0, typeInfo(BtfKind.Struct, 0xff_ffff), 8])),
    /BTF type 1 at byte 0 is cut short/,
  );
  decodes(
    () => Btf.parse(encodeBtf('\0', [0, typeInfo(BtfKind.Int), 4, 32, 0, typeInfo(99), 4])),
    /BTF type 2 at byte 16 is of kind 99, which is unknown/,
  );
});

const VMLINUX = '/sys/kernel/btf/vmlinux';

test('the type information of this kernel, damaged', { skip: !existsSync(VMLINUX) && 'this kernel has no BTF' }, () => {
  const whole = readFileSync(VMLINUX);
  const changes = fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { minLength: 1, maxLength: 200 });
  fc.assert(
    fc.property(changes, (pairs) => {
      const bytes = Buffer.from(whole);
      for (const [at, value] of pairs) bytes[at] = value;
      tolerate(() => {
        const btf = Btf.parse(bytes);
        for (const name of ['sock', 'tcp_sock', 'sk_buff']) {
          const id = btf.findByName(name, BtfKind.Struct);
          if (id !== undefined) tolerate(() => listMembers(btf, id));
        }
      });
      const cut = (pairs[0] as [number, number])[0];
      tolerate(() => Btf.parse(whole.subarray(0, cut)));
    }),
    { numRuns: 12 },
  );
});

const FORMAT = `name: tcp_probe
ID: 2281
format:
\tfield:unsigned short common_type;\toffset:0;\tsize:2;\tsigned:0;

\tfield:__u8 saddr[sizeof(struct sockaddr_in6)];\toffset:8;\tsize:28;\tsigned:0;

print fmt: "saddr=%pISpc", REC->saddr
`;

test('formats of events with text changed', () => {
  const edit = fc.tuple(
    fc.nat(FORMAT.length),
    fc.nat(20),
    fc.oneof(fc.string(), fc.constantFrom('field:', ';', '\n', '\0')),
  );
  fc.assert(
    fc.property(edit, ([at, length, text]) =>
      tolerate(() => parseEventFormat(FORMAT.slice(0, at) + text + FORMAT.slice(at + length))),
    ),
    { numRuns: 3000 },
  );
  decodes(() => parseEventFormat(FORMAT.replace('size:28', 'size:x')), /line 6 of the format of tcp_probe/);
});

test('a format of one endless line is read in linear time', () => {
  const long = `name: a\nID: 1\nformat:\n\tfield:${'a'.repeat(2_000_000)}\n`;
  decodes(() => parseEventFormat(long), /line 4 of the format of a/);
  decodes(() => parseEventFormat(`name: a\nID: 1\nformat:\n\tfield:${'a '.repeat(1_000_000)};`), /line 4/);
});

test('offsets with text changed', () => {
  const line = '{"struct":"struct sock","field":"sk_uid","offset":492,"size":4,"type":"kuid_t","arch":"x86_64"}\n';
  fc.assert(
    fc.property(fc.nat(line.length), fc.nat(8), fc.string(), (at, length, text) =>
      tolerate(() => parseOffsets(line.slice(0, at) + text + line.slice(at + length))),
    ),
    { numRuns: 2000 },
  );
});
