/** Where fields of the kernel's structs lie: asked of type information, or read from what `losslog offset --json` wrote elsewhere. */

import { LosslogError } from '../base/errors.ts';
import type { Btf } from './btf.ts';
import { findAggregate, type MemberPlace, placeOf } from './btf-members.ts';

/** From the start of the struct, in the form in which C and kprobe_events name it: the unit that holds a bit field, and its bits. */
export interface FieldPlace {
  /** Bytes to the field; of a bit field, to the unit of `size` bytes that holds it. */
  readonly byteOffset: number;
  /** Bits from there to the first bit of a bit field (from the least significant on little-endian machines); else 0. */
  readonly bitOffset: number;
  readonly bitSize: number;
  /** Bytes of the declared type. */
  readonly size: number;
}

export interface FieldPlaces {
  /**
   * @param type `sock`, `struct sock`, `union tcp_cc_info` or the name of a typedef
   * @param path members joined by dots, with indexes: `__sk_common.skc_dport`, `cb[8]`
   * @returns undefined when there is no such type or field
   * @throws USAGE when the path is no path, or leads through a pointer
   */
  place(type: string, path: string): FieldPlace | undefined;
}

/** @param btf first the kernel's, then those of modules: the first that has the type answers */
export function placesOfBtf(...btf: readonly Btf[]): FieldPlaces {
  return {
    place(type, path) {
      try {
        for (const each of btf) {
          const id = findAggregate(each, type);
          if (id !== undefined) return fromMember(placeOf(each, id, path));
        }
        return undefined;
      } catch (error) {
        if (error instanceof LosslogError && error.code === 'NOT_FOUND') return undefined;
        throw error;
      }
    },
  };
}

const fromMember = ({ offset, size, bits }: MemberPlace): FieldPlace => ({
  byteOffset: offset,
  bitOffset: bits?.offset ?? 0,
  bitSize: bits?.size ?? size * 8,
  size,
});

/** Of which machine and kernel an offsets file tells; absent when its lines do not. */
export interface FileOffsets extends FieldPlaces {
  readonly arch?: string;
  /** As `uname -r` prints it. */
  readonly kernel?: string;
}

/**
 * Reads the lines of `losslog offset --json`. Lines of `--probe` are passed over.
 * @throws DECODE with the number of the line when one is not such a line, or is of another kernel than the lines before.
 */
export function parseOffsets(text: string): FileOffsets {
  const places = new Map<string, FieldPlace>();
  const origin: { arch?: string; kernel?: string } = {};
  for (const [index, line] of text.split('\n').entries()) {
    if (line.trim() === '') continue;
    const record = parseLine(line, index + 1);
    for (const key of ['arch', 'kernel'] as const) agree(origin, key, record[key], index + 1);
    if (record.function !== undefined) continue;
    places.set(
      keyOf(textOf(record, 'struct', index + 1), textOf(record, 'field', index + 1)),
      fromLine(record, index + 1),
    );
  }
  return { ...origin, place: (type, path) => places.get(keyOf(type, path)) };
}

type Line = Readonly<Record<string, unknown>>;

function parseLine(text: string, number: number): Line {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Line;
  } catch {}
  throw broken(number, 'is not a JSON object');
}

function agree(
  origin: { arch?: string; kernel?: string },
  key: 'arch' | 'kernel',
  value: unknown,
  number: number,
): void {
  if (value === undefined) return;
  if (typeof value !== 'string') throw broken(number, `has a ${key} that is no text`);
  origin[key] ??= value;
  if (origin[key] !== value) throw broken(number, `is of ${key} ${value}, those before of ${origin[key]}`);
}

function textOf(line: Line, name: string, number: number): string {
  const value = line[name];
  if (typeof value !== 'string' || value === '') throw broken(number, `has no "${name}"`);
  return value;
}

/** No struct of the kernel is near that size; beyond it the file is not what it claims to be. */
const LARGEST_BYTES = 2 ** 31 - 1;

function fromLine(line: Line, number: number): FieldPlace {
  const whole = (name: string, missing?: number): number => {
    const value = line[name] ?? missing;
    if (Number.isInteger(value) && (value as number) >= 0 && (value as number) <= LARGEST_BYTES) return value as number;
    throw broken(number, `has no "${name}" that is a number of ${name.startsWith('bit') ? 'bits' : 'bytes'}`);
  };
  const size = whole('size');
  return { byteOffset: whole('offset'), bitOffset: whole('bitOffset', 0), bitSize: whole('bitSize', size * 8), size };
}

function broken(number: number, what: string): LosslogError {
  return new LosslogError('DECODE', `line ${number} of the offsets ${what}`, {
    hint: 'give what losslog offset --json has written',
  });
}

/** The keyword is not part of a name: `struct sock` and `sock` are the same. */
const keyOf = (type: string, path: string): string =>
  `${type.replace(/^\s*(struct|union)\s+/, '').trim()} ${path.trim()}`;
