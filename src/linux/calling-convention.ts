/** Where a function finds its arguments, in the syntax of kprobe_events (Documentation/trace/kprobetrace.rst). */

import type { Architecture } from './architecture.ts';
import { type Btf, BtfKind } from './btf.ts';
import { declaration } from './btf-c.ts';

interface Convention {
  /** Registers of the first arguments, of 64 bits each, by their names in kprobe_events. */
  readonly registers: readonly string[];
  /** Bytes from the stack pointer at the entry of the function to the first argument on the stack. */
  readonly stackOffset: number;
}

/**
 * x86_64: System V ABI 3.2.3; at the entry the return address lies on the stack. arm64: AAPCS64 6.8.2. Names of registers:
 * regoffset_table in arch/x86/kernel/ptrace.c and arch/arm64/kernel/ptrace.c.
 */
const CONVENTIONS: Readonly<Record<Architecture, Convention>> = {
  x86_64: { registers: ['di', 'si', 'dx', 'cx', 'r8', 'r9'], stackOffset: 8 },
  arm64: { registers: ['x0', 'x1', 'x2', 'x3', 'x4', 'x5', 'x6', 'x7'], stackOffset: 0 },
};

/** Of this machine; undefined where losslog does not know its convention. */
export function architectureOf(nodeArch: string = process.arch): Architecture | undefined {
  return nodeArch === 'x64' ? 'x86_64' : nodeArch === 'arm64' ? 'arm64' : undefined;
}

/** The register of the n-th argument of 64 bits or less, from 0: `%di`. Undefined where it lies on the stack. */
export function argumentRegister(architecture: Architecture, index: number): string | undefined {
  const register = CONVENTIONS[architecture].registers[index];
  return register === undefined ? undefined : `%${register}`;
}

export interface ArgumentPlace {
  /** `%di`, `+8($stack)`; undefined where the convention splits the value or it depends on more than its type. */
  readonly place: string | undefined;
  readonly name: string;
  readonly declaration: string;
}

const WORD = 8;

/** Arguments of a function by its signature. Behind one that is passed in two registers or in memory no place is told. */
export function argumentPlaces(btf: Btf, functionId: number, architecture: Architecture): ArgumentPlace[] {
  const { registers, stackOffset } = CONVENTIONS[architecture];
  let next: number | undefined = 0;
  return btf.signature(btf.referredBy(functionId)).parameters.map(({ name, typeId }) => {
    const told = { name, declaration: declaration(btf, typeId, name) };
    if (next === undefined || !isOneWord(btf, typeId)) {
      next = undefined;
      return { place: undefined, ...told };
    }
    const at = next++;
    const onStack = `+${stackOffset + WORD * (at - registers.length)}($stack)`;
    return { place: at < registers.length ? `%${registers[at]}` : onStack, ...told };
  });
}

/** An integer, enum or pointer; a struct passed by value, a float or a 128-bit integer is not. */
function isOneWord(btf: Btf, typeId: number): boolean {
  const type = btf.resolve(typeId);
  const scalars: readonly number[] = [BtfKind.Int, BtfKind.Ptr, BtfKind.Enum, BtfKind.Enum64];
  return scalars.includes(btf.kindOf(type)) && btf.sizeOf(type) <= WORD;
}
