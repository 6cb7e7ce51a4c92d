/** Types as C writes them, from BTF. */

import { LosslogError } from '../base/errors.ts';
import { type Btf, BtfKind } from './btf.ts';

const KEYWORDS: Readonly<Record<number, string>> = {
  [BtfKind.Struct]: 'struct ',
  [BtfKind.Union]: 'union ',
  [BtfKind.Enum]: 'enum ',
  [BtfKind.Enum64]: 'enum ',
};
const QUALIFIERS: Readonly<Record<number, string>> = {
  [BtfKind.Const]: 'const ',
  [BtfKind.Volatile]: 'volatile ',
  [BtfKind.Restrict]: 'restrict ',
};
/** Types in one declaration. A function with many parameters has some forty; damaged BTF goes in circles. */
const MAX_TYPES = 1000;

/**
 * A declaration without its semicolon: `struct sk_buff *next`, `char cb[48]`, `int (*fn)(struct sock *, int)`.
 * @param name of what is declared; empty for the type alone
 * @throws DECODE when the type refers to itself
 */
export function declaration(btf: Btf, typeId: number, name = ''): string {
  return new Declaration(btf, typeId).of(typeId, name).trimEnd();
}

class Declaration {
  readonly #btf: Btf;
  readonly #whole: number;
  #types = 0;

  constructor(btf: Btf, whole: number) {
    this.#btf = btf;
    this.#whole = whole;
  }

  of(typeId: number, name: string): string {
    if (++this.#types > MAX_TYPES) throw new LosslogError('DECODE', `BTF type ${this.#whole} refers to itself`);
    const kind = this.#btf.kindOf(typeId);
    switch (kind) {
      case BtfKind.Ptr:
        return this.#pointer(this.#btf.referredBy(typeId), name);
      case BtfKind.Array:
        return this.of(this.#btf.elementOf(typeId) as number, `${name}[${this.#btf.arrayLength(typeId)}]`);
      case BtfKind.Const:
      case BtfKind.Volatile:
      case BtfKind.Restrict:
        return this.#qualified(QUALIFIERS[kind] as string, this.#btf.referredBy(typeId), name);
      case BtfKind.TypeTag:
        return this.of(this.#btf.referredBy(typeId), `__${this.#btf.nameOf(typeId)} ${name}`);
      case BtfKind.FuncProto:
        return this.#function(typeId, name);
      default:
        return this.#named(typeId, name);
    }
  }

  #pointer(target: number, name: string): string {
    const kind = this.#btf.kindOf(target);
    return this.of(target, kind === BtfKind.Array || kind === BtfKind.FuncProto ? `(*${name})` : `*${name}`);
  }

  #qualified(qualifier: string, target: number, name: string): string {
    const isOfPointer = this.#btf.kindOf(target) === BtfKind.Ptr;
    return isOfPointer ? this.of(target, qualifier + name) : qualifier + this.of(target, name);
  }

  #function(typeId: number, name: string): string {
    const { parameters, returns } = this.#btf.signature(typeId);
    const list = parameters.map((parameter) =>
      parameter.typeId === 0 ? '...' : this.of(parameter.typeId, parameter.name),
    );
    return this.of(returns, `${name}(${list.map((text) => text.trimEnd()).join(', ') || 'void'})`);
  }

  #named(typeId: number, name: string): string {
    const keyword = KEYWORDS[this.#btf.kindOf(typeId)] ?? this.#forwardKeyword(typeId);
    return `${keyword}${this.#btf.nameOf(typeId) || '{…}'} ${name}`;
  }

  #forwardKeyword(typeId: number): string {
    if (this.#btf.kindOf(typeId) !== BtfKind.Fwd) return '';
    return this.#btf.isUnionForward(typeId) ? 'union ' : 'struct ';
  }
}
