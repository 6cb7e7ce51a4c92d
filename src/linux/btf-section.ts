/**
 * The bytes of a BTF blob: header, an index of where each type begins, and its strings.
 *
 * Format: Documentation/bpf/btf.rst, include/uapi/linux/btf.h. In the headers of Linux 7.2 `vlen` has 24 bits and `kind` 7; the bits
 * added were zero before, so that one reading serves all kernels. There is a layout section too, with the size of each kind.
 */

import { LosslogError } from '../base/errors.ts';

export const BtfKind = {
  Int: 1,
  Ptr: 2,
  Array: 3,
  Struct: 4,
  Union: 5,
  Enum: 6,
  Fwd: 7,
  Typedef: 8,
  Volatile: 9,
  Const: 10,
  Restrict: 11,
  Func: 12,
  FuncProto: 13,
  Var: 14,
  Datasec: 15,
  Float: 16,
  DeclTag: 17,
  TypeTag: 18,
  Enum64: 19,
} as const;

const MAGIC = 0xeb9f;
const MAGIC_SWAPPED = 0x9feb;
/** `struct btf_type`: name_off, info, size or type. */
const TYPE_WORDS = 3;
/** Words that follow `struct btf_type`, per kind: once, and for each of `vlen` elements. */
const WORDS_ONCE = [0, 1, 0, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 1, 0, 0];
const WORDS_EACH = [0, 0, 0, 0, 3, 3, 2, 0, 0, 0, 0, 0, 0, 2, 0, 3, 0, 0, 0, 3];

export interface BtfSection {
  /** The type section as 32-bit words in host byte order; every part of it is a multiple of 32 bits. */
  readonly words: Uint32Array;
  /** For the type with the n-th id of this blob, the index in `words` of its `struct btf_type`. */
  readonly starts: Uint32Array;
  /** The string section: strings that end in NUL. */
  readonly strings: Buffer;
}

export const kindOfInfo = (info: number): number => (info >>> 24) & 0x7f;
export const vlenOfInfo = (info: number): number => info & 0xff_ffff;
export const flagOfInfo = (info: number): boolean => info >>> 31 === 1;

/**
 * @param firstId id of the first type, for what is said of a broken one
 * @throws DECODE when the bytes are not BTF, are cut short, or hold a kind of unknown size
 */
export function parseBtfSection(bytes: Uint8Array, firstId = 1): BtfSection {
  if (bytes.length < 24) throw new LosslogError('DECODE', `BTF of ${bytes.length} bytes has no header`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const littleEndian = isLittleEndian(view.getUint16(0, true));
  if (view.getUint8(2) !== 1) throw new LosslogError('DECODE', `BTF of version ${view.getUint8(2)} is unknown`);
  const headerBytes = view.getUint32(4, littleEndian);
  if (headerBytes < 24 || headerBytes > bytes.length) throw new LosslogError('DECODE', 'the BTF header is cut short');
  const part = (field: number): Uint8Array => {
    const start = headerBytes + view.getUint32(field, littleEndian);
    const end = start + view.getUint32(field + 4, littleEndian);
    if (end > bytes.length) throw new LosslogError('DECODE', `BTF is cut short: ${bytes.length} of ${end} bytes`);
    return bytes.subarray(start, end);
  };
  const words = toWords(part(8), littleEndian);
  const strings = part(16);
  const layout = headerBytes >= 32 ? part(24) : new Uint8Array(0);
  return {
    words,
    starts: indexTypes(words, layout, firstId),
    strings: Buffer.from(strings.buffer, strings.byteOffset, strings.length),
  };
}

function isLittleEndian(magicReadAsLittle: number): boolean {
  if (magicReadAsLittle === MAGIC) return true;
  if (magicReadAsLittle === MAGIC_SWAPPED) return false;
  throw new LosslogError('DECODE', `not BTF: magic 0x${magicReadAsLittle.toString(16)}`, {
    hint: 'give raw BTF like /sys/kernel/btf/vmlinux, or an ELF file with a section .BTF',
  });
}

const HOST_LITTLE_ENDIAN = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;

function toWords(bytes: Uint8Array, littleEndian: boolean): Uint32Array {
  const swap = littleEndian !== HOST_LITTLE_ENDIAN;
  const aligned = swap || bytes.byteOffset % 4 !== 0 ? Uint8Array.from(bytes) : bytes;
  const length = aligned.length - (aligned.length % 4);
  if (swap) Buffer.from(aligned.buffer, aligned.byteOffset, length).swap32();
  return new Uint32Array(aligned.buffer, aligned.byteOffset, length / 4);
}

function indexTypes(words: Uint32Array, layout: Uint8Array, firstId: number): Uint32Array {
  const { once, each } = wordsPerKind(layout);
  const starts = new Uint32Array(Math.floor(words.length / TYPE_WORDS));
  let count = 0;
  let at = 0;
  while (at + TYPE_WORDS <= words.length) {
    const info = words[at + 1] as number;
    const kind = kindOfInfo(info);
    const fixed = once[kind];
    const name = `BTF type ${firstId + count} at byte ${4 * at}`;
    if (fixed === undefined || kind === 0) {
      throw new LosslogError('DECODE', `${name} is of kind ${kind}, which is unknown`);
    }
    starts[count++] = at;
    at += TYPE_WORDS + fixed + (each[kind] as number) * vlenOfInfo(info);
    if (!(at <= words.length)) throw new LosslogError('DECODE', `${name} is cut short`);
  }
  if (at !== words.length) throw new LosslogError('DECODE', `the BTF type at byte ${4 * at} is cut short`);
  return starts.slice(0, count);
}

/** Our own table, and for kinds beyond it what the layout section (`struct btf_layout`: u8 info_sz, u8 elem_sz, u16 flags) says. */
function wordsPerKind(layout: Uint8Array): { once: number[]; each: number[] } {
  const once = [...WORDS_ONCE];
  const each = [...WORDS_EACH];
  for (let kind = once.length; 4 * kind + 4 <= layout.length; kind++) {
    once.push(Math.ceil((layout[4 * kind] as number) / 4));
    each.push(Math.ceil((layout[4 * kind + 1] as number) / 4));
  }
  return { once, each };
}
