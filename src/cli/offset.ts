/** `losslog offset`. */

import { readFileSync } from 'node:fs';
import { errnoOf, LosslogError, messageOf } from '../base/errors.ts';
import { escapeJson, padTo } from '../base/escape.ts';
import { nearest } from '../base/suggest.ts';
import { neededFields } from '../capture/tracefs/kprobe-definitions.ts';
import type { Architecture } from '../linux/architecture.ts';
import { readBootIdentity } from '../linux/boot.ts';
import { Btf, BtfKind } from '../linux/btf.ts';
import { declaration } from '../linux/btf-c.ts';
import { findAggregate, listMembers, type MemberPlace, placeOf } from '../linux/btf-members.ts';
import { architectureOf, argumentPlaces } from '../linux/calling-convention.ts';
import { Elf } from '../linux/elf.ts';
import { readKernelBtf, readModuleBtfs } from '../linux/kernel-btf.ts';
import type { Output } from './output.ts';

interface Values {
  btf?: string;
  kprobe?: true;
  probe?: string;
  arch?: Architecture;
  json?: true;
}

/** Types of the kernel first, then those of its modules. */
interface Types {
  readonly kernel: Btf;
  /** `uname -r`; undefined for BTF from a file. */
  readonly release: string | undefined;
  modules(): readonly Btf[];
}

/** Prints where the fields lie, then where the arguments of the probed function are. */
export async function offset(values: Values, output: Output, words: readonly string[]): Promise<number> {
  const [type, ...fields] = words;
  if (type === undefined && values.probe === undefined && !values.kprobe) {
    throw new LosslogError('USAGE', 'offset needs a TYPE or --probe FUNCTION', {
      hint: "losslog offset 'struct sock' __sk_common.skc_dport",
    });
  }
  const types = values.btf === undefined ? kernelTypes() : fileTypes(values.btf);
  const lines = [
    ...(type === undefined ? [] : typeLines(types, type, fields, values)),
    ...(values.probe === undefined ? [] : probeLines(types, values.probe, values)),
    ...(values.kprobe ? kprobeLines(types, values) : []),
  ];
  await output.writeAndWait(`${lines.join('\n')}\n`);
  return 0;
}

function kernelTypes(): Types {
  const kernel = readKernelBtf();
  return { kernel, release: readBootIdentity().kernelRelease, modules: () => readModuleBtfs(kernel) };
}

function fileTypes(path: string): Types {
  const bytes = readFile(path);
  const isElf = bytes.length > 4 && bytes.readUInt32BE(0) === 0x7f454c46;
  const section = isElf ? Elf.parse(bytes).bytesOf('.BTF') : bytes;
  if (!section)
    throw new LosslogError('DECODE', `${path} has no section .BTF`, {
      hint: 'compile it with type information, or give raw BTF',
    });
  return { kernel: Btf.parse(section), release: undefined, modules: () => [] };
}

function readFile(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (cause) {
    const code = errnoOf(cause) === 'ENOENT' ? 'NOT_FOUND' : 'FILE';
    throw new LosslogError(code, `cannot read ${path}: ${messageOf(cause)}`, {
      hint: 'give a file of BTF with --btf FILE',
      cause,
    });
  }
}

interface Found {
  readonly btf: Btf;
  readonly id: number;
}

function find({ kernel, modules }: Types, look: (btf: Btf) => number | undefined): Found | undefined {
  const id = look(kernel);
  if (id !== undefined) return { btf: kernel, id };
  for (const btf of modules()) {
    const inModule = look(btf);
    if (inModule !== undefined) return { btf, id: inModule };
  }
  return undefined;
}

function typeLines(types: Types, type: string, fields: readonly string[], { json }: Values): string[] {
  const found = find(types, (btf) => findAggregate(btf, type));
  if (!found)
    throw unknownName(
      `there is no ${/^(struct|union) /.test(type) ? type : `struct or union "${type}"`}`,
      type.replace(/^\w+ /, ''),
      types,
      [BtfKind.Struct, BtfKind.Union],
    );
  const { btf, id } = found;
  const named = declaration(btf, id);
  const places = fields.length === 0 ? listMembers(btf, id) : fields.map((field) => requirePlace(found, field));
  if (json) return places.map((place) => jsonLine(types, found, named, place));
  const rows = places.map((place) => [...numbers(place), place.declaration]);
  return [
    `${named}: ${btf.sizeOf(id)} bytes${types.release === undefined ? '' : `, Linux ${types.release}`}`,
    ...table(['offset', 'bits', 'size', 'member'], rows),
  ];
}

/** What the source kprobe asks for, as far as this kernel has it. */
function kprobeLines(types: Types, values: Values): string[] {
  const byType = Map.groupBy(neededFields(), ({ type }) => `struct ${type}`);
  return [...byType].flatMap(([type, needed]) => {
    const found = find(types, (btf) => findAggregate(btf, type));
    const fields = found ? needed.map(({ path }) => path).filter((path) => hasField(found, path)) : [];
    return fields.length === 0 ? [] : typeLines(types, type, fields, values);
  });
}

function hasField({ btf, id }: Found, path: string): boolean {
  try {
    placeOf(btf, id, path);
    return true;
  } catch (error) {
    if (error instanceof LosslogError && error.code === 'NOT_FOUND') return false;
    throw error;
  }
}

function requirePlace({ btf, id }: Found, field: string): MemberPlace {
  try {
    return placeOf(btf, id, field);
  } catch (error) {
    if (!(error instanceof LosslogError) || error.code !== 'NOT_FOUND') throw error;
    const near = nearest(
      field,
      listMembers(btf, id).map(({ path }) => path),
    );
    throw new LosslogError('NOT_FOUND', error.message, {
      hint: near === undefined ? 'without FIELD every member is listed' : `did you mean ${near}?`,
    });
  }
}

function jsonLine({ release }: Types, { btf }: Found, struct: string, place: MemberPlace): string {
  const { path, offset: at, size, bits, typeId } = place;
  return escapeJson(
    JSON.stringify({
      struct,
      field: path,
      offset: at,
      size,
      ...(bits ? { bitOffset: bits.offset, bitSize: bits.size } : {}),
      type: declaration(btf, typeId),
      ...(release === undefined ? {} : { kernel: release, arch: architectureOf() }),
    }),
  );
}

const numbers = ({ offset: at, size, bits }: MemberPlace): string[] => [
  String(at),
  bits ? `${bits.offset}-${bits.offset + bits.size - 1}` : '',
  String(size),
];

function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const all = [head, ...rows];
  const widths = head.map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0)));
  return all.map((row) =>
    row
      .map((cell, i) => (i === row.length - 1 ? cell : padTo(' '.repeat((widths[i] ?? 0) - cell.length) + cell, 0)))
      .join('  '),
  );
}

function probeLines(types: Types, name: string, { arch, json }: Values): string[] {
  const architecture = arch ?? architectureOf();
  if (!architecture)
    throw new LosslogError('USAGE', `the registers of ${process.arch} are not known`, {
      hint: 'give --arch x86_64 or arm64',
    });
  const found = find(types, (btf) => btf.findByName(name, BtfKind.Func));
  if (!found) throw unknownName(`there is no function "${name}"`, name, types, [BtfKind.Func]);
  const { btf, id } = found;
  const places = argumentPlaces(btf, id, architecture);
  if (json) {
    return places.map(({ place, name: argument, declaration: text }, index) =>
      escapeJson(
        JSON.stringify({
          function: name,
          argument,
          index,
          ...(place === undefined ? {} : { place }),
          declaration: text,
          arch: architecture,
        }),
      ),
    );
  }
  const title = declaration(btf, btf.referredBy(id), name);
  const rows = places.map(({ place, declaration: text }) => [place ?? '?', text]);
  return [`${title}; ${architecture}`, ...table(['place', 'argument'], rows)];
}

function unknownName(message: string, name: string, types: Types, kinds: readonly number[]): LosslogError {
  const names = [types.kernel, ...types.modules()].flatMap((btf) =>
    kinds.flatMap((kind) => Array.from(btf.ids(kind), (id) => btf.nameOf(id))),
  );
  const near = nearest(name, new Set(names));
  return new LosslogError('NOT_FOUND', message, {
    hint: near === undefined ? 'bpftool btf dump lists what there is' : `did you mean ${near}?`,
  });
}
