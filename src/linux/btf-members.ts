/** Where the members of a struct lie, as a person names them: `__sk_common.skc_dport`, `cb[8]`, `icsk_ca_state`. */

import { LosslogError } from '../base/errors.ts';
import { type Btf, BtfKind, type BtfMember } from './btf.ts';
import { declaration } from './btf-c.ts';

const AGGREGATES: readonly number[] = [BtfKind.Struct, BtfKind.Union];
/** Anonymous members within one another, and members of one struct; beyond them BTF is damaged. */
const MAX_DEPTH = 32;
const MAX_MEMBERS = 100_000;

export interface MemberPlace {
  /** From the struct: `__sk_common.skc_dport`. */
  readonly path: string;
  /** Bytes from the start of the struct; of a bit field to the unit of its declared type that holds it, as pahole counts. */
  readonly offset: number;
  /** Bytes of the declared type. */
  readonly size: number;
  /** Of a bit field: bits from `offset` to its first bit, as the byte order of the kernel counts them, and how many it has. */
  readonly bits?: { readonly offset: number; readonly size: number };
  readonly typeId: number;
  /** As C declares it, with its path for its name. */
  readonly declaration: string;
}

/** Id of `struct NAME`, `union NAME`, or of NAME: a struct, a union or a typedef of one. */
export function findAggregate(btf: Btf, text: string): number | undefined {
  const [, keyword, name = ''] = /^(?:(struct|union)\s+)?(\w+)$/.exec(text.trim()) ?? [];
  if (keyword === 'struct') return btf.findByName(name, BtfKind.Struct);
  if (keyword === 'union') return btf.findByName(name, BtfKind.Union);
  const found = btf.findByName(name, AGGREGATES);
  if (found !== undefined) return found;
  const typedef = btf.findByName(name, BtfKind.Typedef);
  const target = typedef === undefined ? undefined : btf.resolve(typedef);
  return target !== undefined && isAggregate(btf, target) ? target : undefined;
}

const isAggregate = (btf: Btf, id: number): boolean => AGGREGATES.includes(btf.kindOf(id));

/** A step of a path: a member, then elements of it. */
const STEP = /^([A-Za-z_]\w*)((?:\[\d+\])*)$/;

/**
 * Where a member lies that a path names.
 * @throws USAGE for a path that is none, leads through a pointer or past the end of an array; NOT_FOUND for a member that is not there
 */
export function placeOf(btf: Btf, typeId: number, path: string): MemberPlace {
  let type = typeId;
  let bits = 0;
  let bitfieldSize = 0;
  let walked = '';
  for (const step of path.split('.')) {
    const [, name, indexes = ''] = STEP.exec(step) ?? [];
    if (name === undefined) throw notAPath(path);
    const member = requireMember(btf, type, name, walked);
    const element = elementOf(btf, member, indexes);
    bits += member.bitOffset + element.bits;
    type = element.typeId;
    bitfieldSize = member.bitfieldSize;
    walked = walked === '' ? step : `${walked}.${step}`;
  }
  return place(btf, bits, type, bitfieldSize, path);
}

const notAPath = (path: string): LosslogError =>
  usage(`"${path}" is not a path of members`, 'write it like __sk_common.skc_dport or cb[8]');

function requireMember(btf: Btf, typeId: number, name: string, walked: string): BtfMember {
  const type = btf.resolve(typeId);
  if (btf.kindOf(type) === BtfKind.Ptr) {
    const target = declaration(btf, btf.targetOf(type));
    throw usage(
      `${walked} is a pointer, which an offset cannot follow`,
      `ask for ${walked}, then for '${target}' ${name}`,
    );
  }
  const member = btf.findMember(type, name);
  if (member) return member;
  throw new LosslogError('NOT_FOUND', `${declaration(btf, type)} has no member "${name}"`);
}

function elementOf(btf: Btf, member: BtfMember, indexes: string): { bits: number; typeId: number } {
  let bits = 0;
  let typeId = member.typeId;
  for (const [, digits] of indexes.matchAll(/\[(\d+)\]/g)) {
    const element = btf.elementOf(typeId);
    const told = `it is declared ${declaration(btf, member.typeId, member.name)}`;
    if (element === undefined) throw usage(`${member.name}${indexes} is no element of an array`, told);
    const length = btf.arrayLength(typeId);
    // A flexible array, which ends a struct, has as many elements as there is room for; its length is 0.
    if (length > 0 && Number(digits) >= length) throw usage(`${member.name}${indexes} lies past the end`, told);
    bits += Number(digits) * btf.sizeOf(element) * 8;
    typeId = element;
  }
  return { bits, typeId };
}

/**
 * All members in the order of their declaration. Those of anonymous structs and unions stand in their place; those of a member
 * whose struct has no name follow it, by a path, since nobody could ask for them otherwise.
 * @throws DECODE when there are more than any struct has
 */
export function listMembers(btf: Btf, typeId: number): MemberPlace[] {
  const places: MemberPlace[] = [];
  let visited = 0;
  const list = (id: number, bits: number, prefix: string, depth: number): void => {
    for (const member of btf.members(id)) {
      const at = bits + member.bitOffset;
      const path = prefix + member.name;
      if (member.name !== '') places.push(place(btf, at, member.typeId, member.bitfieldSize, path));
      if (++visited > MAX_MEMBERS || depth > MAX_DEPTH) {
        throw new LosslogError('DECODE', `BTF type ${typeId} has more than ${MAX_MEMBERS} members or holds itself`);
      }
      const inner = btf.resolve(member.typeId);
      if (!isAggregate(btf, inner) || (member.name !== '' && btf.nameOf(member.typeId) !== '')) continue;
      list(inner, at, member.name === '' ? prefix : `${path}.`, depth + 1);
    }
  };
  list(typeId, 0, '', 0);
  return places;
}

function place(btf: Btf, bits: number, typeId: number, bitfieldSize: number, path: string): MemberPlace {
  const size = btf.sizeOf(typeId);
  const declared = declaration(btf, typeId, path);
  if (bitfieldSize === 0) return { path, offset: Math.floor(bits / 8), size, typeId, declaration: declared };
  const unit = unitOf(bits, size, bitfieldSize);
  return {
    path,
    offset: unit,
    size,
    bits: { offset: bits - 8 * unit, size: bitfieldSize },
    typeId,
    declaration: `${declared}:${bitfieldSize}`,
  };
}

/** The byte at which the unit of a bit field begins. In a packed struct it may lie across two units; then it is that of its first bit. */
function unitOf(bits: number, size: number, bitfieldSize: number): number {
  const unitBits = 8 * Math.max(1, size);
  const start = Math.floor(bits / unitBits) * unitBits;
  return bits + bitfieldSize <= start + unitBits ? start / 8 : Math.floor(bits / 8);
}

const usage = (message: string, hint: string): LosslogError => new LosslogError('USAGE', message, { hint });
