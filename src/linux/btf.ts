/** Questions to BTF, the type information of the running kernel (`/sys/kernel/btf/*`) or of a BPF object (section `.BTF`). */

import { LosslogError } from '../base/errors.ts';
import { BtfReader } from './btf-reader.ts';
import { BtfKind, type BtfSection, flagOfInfo, parseBtfSection, vlenOfInfo } from './btf-section.ts';
import type { BtfFieldPlace, BtfMember, BtfSignature, BtfVariable } from './btf-types.ts';

export type { BtfFieldPlace, BtfMember, BtfSignature, BtfVariable };
export { BtfKind };

const AGGREGATES = [BtfKind.Struct, BtfKind.Union];
const ENUMS = [BtfKind.Enum, BtfKind.Enum64];
const MODIFIERS: readonly number[] = [
  BtfKind.Typedef,
  BtfKind.Volatile,
  BtfKind.Const,
  BtfKind.Restrict,
  BtfKind.TypeTag,
];
/** Names of the types that are as wide as a pointer, as libbpf's determine_ptr_size() has them; compilers differ. */
const LONG = ['long', 'long int', 'unsigned long', 'long unsigned int', 'int long', 'int long unsigned'];
const DEFAULT_POINTER_BYTES = 8;
/** No chain in valid BTF is longer (MAX_RESOLVE_DEPTH in tools/lib/bpf/btf.c); a loop in damaged BTF ends here. */
const MAX_DEPTH = 32;

export class Btf extends BtfReader {
  readonly #base: Btf | undefined;
  #pointerBytes: number | undefined;

  /**
   * @param base What a split BTF builds on: that of `vmlinux` for the BTF of a module.
   * @throws DECODE when the bytes are not BTF or hold a kind of unknown size.
   */
  static parse(bytes: Uint8Array, base?: Btf): Btf {
    return new Btf(parseBtfSection(bytes, base?.endId), base);
  }

  private constructor(section: BtfSection, base: Btf | undefined) {
    super(section, base);
    this.#base = base;
  }

  /** The type behind typedefs, const, volatile, restrict and type tags. */
  resolve(id: number): number {
    let at = id;
    for (let depth = 0; depth < MAX_DEPTH; depth++) {
      if (!MODIFIERS.includes(this.kindOf(at))) return at;
      at = this.word(at, 2);
    }
    throw new LosslogError('DECODE', `BTF type ${id} refers to itself`);
  }

  /** Bytes of a type; 0 for `void`, functions and forward declarations. @param depth of arrays within arrays so far */
  sizeOf(id: number, depth = 0): number {
    if (depth > MAX_DEPTH) throw new LosslogError('DECODE', `BTF type ${id} refers to itself`);
    const at = this.resolve(id);
    switch (this.kindOf(at)) {
      case BtfKind.Int:
      case BtfKind.Struct:
      case BtfKind.Union:
      case BtfKind.Enum:
      case BtfKind.Enum64:
      case BtfKind.Float:
      case BtfKind.Datasec:
        return this.word(at, 2);
      case BtfKind.Ptr:
        return this.pointerBytes;
      case BtfKind.Array:
        return this.#bounded(id, this.word(at, 5) * this.sizeOf(this.word(at, 3), depth + 1));
      case BtfKind.Var:
        return this.sizeOf(this.word(at, 2), depth + 1);
      default:
        return 0;
    }
  }

  /** Bytes of a pointer: those of `long` where the types know it, else 8. */
  get pointerBytes(): number {
    this.#pointerBytes ??= this.#base?.pointerBytes ?? this.#bytesOfLong() ?? DEFAULT_POINTER_BYTES;
    return this.#pointerBytes;
  }

  #bytesOfLong(): number | undefined {
    const ids = LONG.map((name) => this.findByName(name, BtfKind.Int));
    const sizes = ids.map((id) => (id === undefined ? undefined : this.word(id, 2)));
    return sizes.find((size) => size === 4 || size === 8);
  }

  #bounded(id: number, size: number): number {
    if (Number.isSafeInteger(size)) return size;
    throw new LosslogError('DECODE', `BTF type ${id} is larger than any memory`);
  }

  /** Type of the elements of an array, a dimension at a time; undefined when the type is no array. */
  elementOf(id: number): number | undefined {
    const at = this.resolve(id);
    return this.kindOf(at) === BtfKind.Array ? this.word(at, 3) : undefined;
  }

  /** How many elements an array has; 0 when the type is no array, and for a flexible one. */
  arrayLength(id: number): number {
    const at = this.resolve(id);
    return this.kindOf(at) === BtfKind.Array ? this.word(at, 5) : 0;
  }

  /** What a pointer, a typedef, a qualifier or a function refers to, one step. */
  referredBy(id: number): number {
    return this.word(id, 2);
  }

  /** Whether a forward declaration is of a union. */
  isUnionForward(id: number): boolean {
    return flagOfInfo(this.word(id, 1));
  }

  /** Parameters and result of a function prototype. */
  signature(protoId: number): BtfSignature {
    if (this.kindOf(protoId) !== BtfKind.FuncProto) {
      throw new LosslogError('DECODE', `BTF type ${protoId} is no function prototype`);
    }
    const parameters = Array.from({ length: vlenOfInfo(this.word(protoId, 1)) }, (_, i) => ({
      name: this.string(this.word(protoId, 3 + 2 * i)),
      typeId: this.word(protoId, 4 + 2 * i),
    }));
    return { parameters, returns: this.word(protoId, 2) };
  }

  /** What a pointer points to; `void` (0) when the type is no pointer. */
  targetOf(id: number): number {
    const at = this.resolve(id);
    return this.kindOf(at) === BtfKind.Ptr ? this.word(at, 2) : 0;
  }

  /** Members of a struct or union in the order of their declaration. */
  members(id: number): BtfMember[] {
    const info = this.word(id, 1);
    return Array.from({ length: vlenOfInfo(info) }, (_, i) => {
      const offset = this.word(id, 5 + 3 * i);
      return {
        name: this.string(this.word(id, 3 + 3 * i)),
        typeId: this.word(id, 4 + 3 * i),
        bitOffset: flagOfInfo(info) ? offset & 0xff_ffff : offset,
        bitfieldSize: flagOfInfo(info) ? offset >>> 24 : 0,
      };
    });
  }

  /**
   * Where a member lies. Members of anonymous structs and unions count as members of what holds them, as in C.
   * @param type Name of a struct or union, or its id.
   * @param path A member, or members joined by dots: `__sk_common.skc_state`.
   * @returns undefined when there is no such struct or member.
   */
  structMember(type: string | number, path: string): BtfFieldPlace | undefined {
    let id = typeof type === 'string' ? this.findByName(type, AGGREGATES) : type;
    let bits = 0;
    let member: BtfMember | undefined;
    for (const name of path.split('.')) {
      member = id === undefined ? undefined : this.findMember(this.resolve(id), name);
      if (!member) return undefined;
      bits += member.bitOffset;
      id = member.typeId;
    }
    return member && this.#place(member, bits);
  }

  /** Names of an enum by value (bigint for a 64-bit enum); empty when there is no such enum. Of equal values the first stays. */
  enumValues(type: string | number): Map<number | bigint, string> {
    const id = typeof type === 'string' ? this.findByName(type, ENUMS) : type;
    const values = new Map<number | bigint, string>();
    if (id === undefined) return values;
    const info = this.word(id, 1);
    const wide = this.kindOf(id) === BtfKind.Enum64;
    for (let i = 0; i < vlenOfInfo(info); i++) {
      const at = 3 + i * (wide ? 3 : 2);
      const value = this.#enumerator(id, at + 1, wide, flagOfInfo(info));
      if (!values.has(value)) values.set(value, this.string(this.word(id, at)));
    }
    return values;
  }

  /**
   * Types of the parameters of the function that a typedef points to; undefined when there is no such typedef.
   * `btf_trace_NAME` exists for each tracepoint; its first parameter is `void *data`, then come those of TP_PROTO.
   */
  functionParameters(typedefName: string): number[] | undefined {
    const typedef = this.findByName(typedefName, BtfKind.Typedef);
    if (typedef === undefined) return undefined;
    const proto = this.resolve(this.targetOf(typedef));
    if (this.kindOf(proto) !== BtfKind.FuncProto) return undefined;
    return this.signature(proto).parameters.map(({ typeId }) => typeId);
  }

  /** How many parameters {@link functionParameters} has. */
  functionParameterCount(typedefName: string): number | undefined {
    return this.functionParameters(typedefName)?.length;
  }

  /** Whether a function of that name can be attached to with fentry. */
  hasFunction(name: string): boolean {
    return this.findByName(name, BtfKind.Func) !== undefined;
  }

  /** Variables of a section (`.rodata`, `.bss`); undefined when there is no such section. */
  datasec(name: string): BtfVariable[] | undefined {
    const id = this.findByName(name, BtfKind.Datasec);
    if (id === undefined) return undefined;
    return Array.from({ length: vlenOfInfo(this.word(id, 1)) }, (_, i) => {
      const variable = this.word(id, 3 + 3 * i);
      return {
        name: this.nameOf(variable),
        typeId: this.word(variable, 2),
        offset: this.word(id, 4 + 3 * i),
        size: this.word(id, 5 + 3 * i),
      };
    });
  }

  /**
   * A member of a struct or union, its place counted from there, also where it lies in an anonymous member, as in C.
   * @param sought anonymous types that were looked into: one is enough, and damaged BTF may nest without end
   */
  findMember(id: number, name: string, sought = new Set<number>()): BtfMember | undefined {
    if (sought.has(id) || !(AGGREGATES as number[]).includes(this.kindOf(id))) return undefined;
    sought.add(id);
    for (const member of this.members(id)) {
      if (member.name === name) return member;
      if (member.name !== '') continue;
      const inner = this.findMember(this.resolve(member.typeId), name, sought);
      if (inner) return { ...inner, bitOffset: member.bitOffset + inner.bitOffset };
    }
    return undefined;
  }

  #place(member: BtfMember, bits: number): BtfFieldPlace {
    const size = this.sizeOf(member.typeId);
    return {
      byteOffset: Math.floor(bits / 8),
      bitOffset: bits % 8,
      bitSize: member.bitfieldSize || size * 8,
      size,
      typeId: member.typeId,
    };
  }

  #enumerator(id: number, at: number, wide: boolean, signed: boolean): number | bigint {
    const low = this.word(id, at);
    if (!wide) return signed ? low | 0 : low;
    const value = BigInt(low) | (BigInt(this.word(id, at + 1)) << 32n);
    return signed ? BigInt.asIntN(64, value) : value;
  }
}
