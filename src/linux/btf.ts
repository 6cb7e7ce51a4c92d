/** Questions to BTF, the type information of the running kernel (`/sys/kernel/btf/*`) or of a BPF object (section `.BTF`). */

import { LosslogError } from '../base/errors.ts';
import { BtfKind, type BtfSection, flagOfInfo, kindOfInfo, parseBtfSection, vlenOfInfo } from './btf-section.ts';

export { BtfKind };

/** A member of a struct or union as its type declares it. */
export interface BtfMember {
  /** Empty for an anonymous struct or union. */
  readonly name: string;
  readonly typeId: number;
  readonly bitOffset: number;
  /** Bits of a bit field; 0 for any other member. */
  readonly bitfieldSize: number;
}

/** Where a member lies, from the start of the struct that was asked about. */
export interface BtfFieldPlace {
  readonly byteOffset: number;
  /** Bits from `byteOffset` to the first bit of a bit field (counted as the kernel's byte order does); else 0. */
  readonly bitOffset: number;
  readonly bitSize: number;
  /** Bytes of the declared type. */
  readonly size: number;
  readonly typeId: number;
}

export interface BtfVariable {
  readonly name: string;
  readonly typeId: number;
  /** Bytes from the start of the section. Zero in an object that was compiled but not linked: there the symbol table tells. */
  readonly offset: number;
  readonly size: number;
}

const AGGREGATES = [BtfKind.Struct, BtfKind.Union];
const ENUMS = [BtfKind.Enum, BtfKind.Enum64];
const MODIFIERS: readonly number[] = [
  BtfKind.Typedef,
  BtfKind.Volatile,
  BtfKind.Const,
  BtfKind.Restrict,
  BtfKind.TypeTag,
];
/** Kernels and BPF objects that losslog meets are 64-bit. */
const POINTER_BYTES = 8;

export class Btf {
  readonly #section: BtfSection;
  readonly #base: Btf | undefined;
  /** Id of the first type of this blob; 0 is `void`. */
  readonly firstId: number;
  /** One more than the highest id, those of the base included. */
  readonly endId: number;
  /** Offsets of strings count on from the last string of the base. */
  readonly #stringsStart: number;
  readonly #stringsEnd: number;

  /**
   * @param base What a split BTF builds on: that of `vmlinux` for the BTF of a module.
   * @throws DECODE when the bytes are not BTF or hold a kind of unknown size.
   */
  static parse(bytes: Uint8Array, base?: Btf): Btf {
    return new Btf(parseBtfSection(bytes), base);
  }

  private constructor(section: BtfSection, base: Btf | undefined) {
    this.#section = section;
    this.#base = base;
    this.firstId = base?.endId ?? 1;
    this.endId = this.firstId + section.starts.length;
    this.#stringsStart = base ? base.#stringsEnd : 0;
    this.#stringsEnd = this.#stringsStart + section.strings.length;
  }

  /** Id of the first type of that name and kind, those of the base last; undefined when there is none. */
  findByName(name: string, kind: number | readonly number[]): number | undefined {
    const kinds = typeof kind === 'number' ? [kind] : kind;
    for (const nameOffset of this.#nameOffsets(name)) {
      const { words, starts } = this.#section;
      for (let i = 0; i < starts.length; i++) {
        const at = starts[i] as number;
        if (words[at] === nameOffset && kinds.includes(kindOfInfo(words[at + 1] as number))) return this.firstId + i;
      }
    }
    return this.#base?.findByName(name, kinds);
  }

  /** Ids of all types of one kind in this blob, without those of the base. */
  *ids(kind: number): Generator<number> {
    const { words, starts } = this.#section;
    for (let i = 0; i < starts.length; i++) {
      if (kindOfInfo(words[(starts[i] as number) + 1] as number) === kind) yield this.firstId + i;
    }
  }

  /** Kind of a type; 0 for `void`. */
  kindOf(id: number): number {
    return id === 0 ? 0 : kindOfInfo(this.#word(id, 1));
  }

  /** Name of a type; empty when it has none. */
  nameOf(id: number): string {
    return id === 0 ? 'void' : this.#string(this.#word(id, 0));
  }

  /** The type behind typedefs, const, volatile, restrict and type tags. */
  resolve(id: number): number {
    let at = id;
    // No chain in valid BTF is longer (MAX_RESOLVE_DEPTH in tools/lib/bpf/btf.c); a loop in damaged BTF ends here.
    for (let depth = 0; depth < 32; depth++) {
      if (!MODIFIERS.includes(this.kindOf(at))) return at;
      at = this.#word(at, 2);
    }
    throw new LosslogError('DECODE', `BTF type ${id} refers to itself`);
  }

  /** Bytes of a type; 0 for `void`, functions and forward declarations. */
  sizeOf(id: number): number {
    const at = this.resolve(id);
    switch (this.kindOf(at)) {
      case BtfKind.Int:
      case BtfKind.Struct:
      case BtfKind.Union:
      case BtfKind.Enum:
      case BtfKind.Enum64:
      case BtfKind.Float:
      case BtfKind.Datasec:
        return this.#word(at, 2);
      case BtfKind.Ptr:
        return POINTER_BYTES;
      case BtfKind.Array:
        return this.#word(at, 5) * this.sizeOf(this.#word(at, 3));
      case BtfKind.Var:
        return this.sizeOf(this.#word(at, 2));
      default:
        return 0;
    }
  }

  /** Type of the elements of an array, a dimension at a time; undefined when the type is no array. */
  elementOf(id: number): number | undefined {
    const at = this.resolve(id);
    return this.kindOf(at) === BtfKind.Array ? this.#word(at, 3) : undefined;
  }

  /** What a pointer points to; `void` (0) when the type is no pointer. */
  targetOf(id: number): number {
    const at = this.resolve(id);
    return this.kindOf(at) === BtfKind.Ptr ? this.#word(at, 2) : 0;
  }

  /** Members of a struct or union in the order of their declaration. */
  members(id: number): BtfMember[] {
    const info = this.#word(id, 1);
    return Array.from({ length: vlenOfInfo(info) }, (_, i) => {
      const offset = this.#word(id, 5 + 3 * i);
      return {
        name: this.#string(this.#word(id, 3 + 3 * i)),
        typeId: this.#word(id, 4 + 3 * i),
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
      member = id === undefined ? undefined : this.#findMember(this.resolve(id), name);
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
    const info = this.#word(id, 1);
    const wide = this.kindOf(id) === BtfKind.Enum64;
    for (let i = 0; i < vlenOfInfo(info); i++) {
      const at = 3 + i * (wide ? 3 : 2);
      const value = this.#enumerator(id, at + 1, wide, flagOfInfo(info));
      if (!values.has(value)) values.set(value, this.#string(this.#word(id, at)));
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
    return Array.from({ length: vlenOfInfo(this.#word(proto, 1)) }, (_, i) => this.#word(proto, 4 + 2 * i));
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
    return Array.from({ length: vlenOfInfo(this.#word(id, 1)) }, (_, i) => {
      const variable = this.#word(id, 3 + 3 * i);
      return {
        name: this.nameOf(variable),
        typeId: this.#word(variable, 2),
        offset: this.#word(id, 4 + 3 * i),
        size: this.#word(id, 5 + 3 * i),
      };
    });
  }

  #findMember(id: number, name: string): BtfMember | undefined {
    if (!(AGGREGATES as number[]).includes(this.kindOf(id))) return undefined;
    for (const member of this.members(id)) {
      if (member.name === name) return member;
      if (member.name !== '') continue;
      const inner = this.#findMember(this.resolve(member.typeId), name);
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
    const low = this.#word(id, at);
    if (!wide) return signed ? low | 0 : low;
    const value = BigInt(low) | (BigInt(this.#word(id, at + 1)) << 32n);
    return signed ? BigInt.asIntN(64, value) : value;
  }

  /** The `offset`-th 32-bit word of a type, counted from its `struct btf_type`. */
  #word(id: number, offset: number): number {
    if (this.#base && id < this.firstId) return this.#base.#word(id, offset);
    const start = this.#section.starts[id - this.firstId];
    const word = start === undefined ? undefined : this.#section.words[start + offset];
    if (word === undefined) throw new LosslogError('DECODE', `BTF refers to type ${id}, which does not exist`);
    return word;
  }

  #string(offset: number): string {
    const start = offset - this.#stringsStart;
    if (this.#base && start < 0) return this.#base.#string(offset);
    const end = this.#section.strings.indexOf(0, start);
    if (end < 0) throw new LosslogError('DECODE', `BTF refers to a string at ${offset}, which does not exist`);
    return this.#section.strings.toString('latin1', start, end);
  }

  /** Offsets at which a string of this name begins, those in the base included, since split BTF shares its strings. */
  *#nameOffsets(name: string): Generator<number> {
    if (this.#base) yield* this.#base.#nameOffsets(name);
    const { strings } = this.#section;
    const pattern = Buffer.from(`${name}\0`, 'latin1');
    for (let at = strings.indexOf(pattern); at >= 0; at = strings.indexOf(pattern, at + 1)) {
      if (at === 0 || strings[at - 1] === 0) yield this.#stringsStart + at;
    }
  }
}
