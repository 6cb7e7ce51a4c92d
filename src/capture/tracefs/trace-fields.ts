/** The fields of one event in ftrace's buffer, read where its format says. */

import type { TraceField } from '../../linux/tracefs.ts';

/** Values of an event by the names of its fields; undefined where the event does not have them. */
export interface FieldValues {
  /** A number of up to 32 bits. */
  number(name: string): number | undefined;
  /** A number or pointer of 64 bits. */
  u64(name: string): bigint | undefined;
  /** As they lie in the memory of the machine; may not be kept. */
  bytes(name: string): Buffer | undefined;
  /** A string that is not empty. */
  text(name: string): string | undefined;
}

export class TraceFields implements FieldValues {
  readonly #fields: ReadonlyMap<string, TraceField>;
  #bytes: Buffer = Buffer.alloc(0);
  #offset = 0;
  #length = 0;

  constructor(fields: readonly TraceField[]) {
    this.#fields = new Map(fields.map((field) => [field.name, field]));
  }

  /** Points at the event that begins at `offset` and has `length` bytes. */
  at(bytes: Buffer, offset: number, length: number): this {
    this.#bytes = bytes;
    this.#offset = offset;
    this.#length = length;
    return this;
  }

  has(name: string): boolean {
    return this.#fields.has(name);
  }

  /** A number of up to 32 bits; undefined when this kernel has no such field. */
  number(name: string): number | undefined {
    const field = this.#fields.get(name);
    if (!field || field.size > 4 || !this.#holds(field)) return undefined;
    const at = this.#offset + field.offset;
    return field.signed ? this.#bytes.readIntLE(at, field.size) : this.#bytes.readUIntLE(at, field.size);
  }

  /** A number or pointer of 64 bits. */
  u64(name: string): bigint | undefined {
    const field = this.#fields.get(name);
    if (field?.size !== 8 || !this.#holds(field)) return undefined;
    return this.#bytes.readBigUInt64LE(this.#offset + field.offset);
  }

  /** An array, not copied: valid until the next event. */
  bytes(name: string): Buffer | undefined {
    const field = this.#fields.get(name);
    if (!field || !this.#holds(field)) return undefined;
    return this.#bytes.subarray(this.#offset + field.offset, this.#offset + field.offset + field.size);
  }

  /** A string (`__data_loc char[]`: its offset in the event in the lower 16 bits, its length above); undefined when it is empty. */
  text(name: string): string | undefined {
    const field = this.#fields.get(name);
    if (field?.size !== 4 || !this.#holds(field)) return undefined;
    const where = this.#bytes.readUInt32LE(this.#offset + field.offset);
    const [at, length] = [where & 0xffff, where >>> 16];
    if (at + length > this.#length) return undefined;
    const text = this.#bytes.toString('utf8', this.#offset + at, this.#offset + at + length);
    const value = text.split('\0', 1)[0] as string;
    return value === '' || value === '(fault)' ? undefined : value;
  }

  #holds({ offset, size }: TraceField): boolean {
    return offset + size <= this.#length;
  }
}
