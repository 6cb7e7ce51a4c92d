import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { LosslogError } from '../base/errors.ts';
import { Elf } from './elf.ts';

const sample = (order: string): Uint8Array =>
  readFileSync(join(import.meta.dirname, `../../testdata/btf/sample.${order}.o`));

for (const order of ['le', 'be']) {
  test(`sections and symbols of an object (${order})`, () => {
    const elf = Elf.parse(sample(order));
    const bss = elf.section('.bss');
    assert.equal(bss?.size, 304);
    assert.equal(elf.bytesOf('.bss'), undefined);
    assert.deepEqual(Buffer.from(elf.bytesOf('license') as Uint8Array).toString(), 'GPL\0');
    const total = elf.symbols().find((symbol) => symbol.name === 'total');
    assert.deepEqual(total, { name: 'total', sectionIndex: bss?.index, value: 256, size: 4 });
    assert.equal(elf.bytesOf('.nothing'), undefined);
  });
}

test('an object that is cut anywhere gives DECODE', () => {
  const whole = sample('le');
  for (let length = 0; length < whole.length; length++) {
    assert.throws(
      () => Elf.parse(whole.subarray(0, length)),
      (error: unknown) => error instanceof LosslogError && error.code === 'DECODE',
      `cut at ${length}`,
    );
  }
});

test('what is no ELF file is told apart', () => {
  assert.throws(() => Elf.parse(Buffer.alloc(64)), /not an ELF file/);
  const elf32 = Buffer.from(sample('le'));
  elf32[4] = 1;
  assert.throws(() => Elf.parse(elf32), /not a 64-bit ELF file/);
});
