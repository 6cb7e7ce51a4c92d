/** Whole numbers and strings of bytes one after the other: LEB128, seven bits a byte, the lowest first. */

import { LosslogError } from '../base/errors.ts';

const [BITS, MORE] = [0x7f, 0x80];
/** Numbers are at most 2^53. */
const MAX_BYTES = 8;

export const IPV4_BYTES = 4;
/** An address: its bytes, but IPv4 as a signed number of 32 bits, of which thousands take less. */
export type Address = Uint8Array | number;

export class PackedWriter {
  #buffer = new Uint8Array(1024);
  #length = 0;

  /** @param value not negative, at most Number.MAX_SAFE_INTEGER */
  addNumber(value: number): void {
    this.#reserve(MAX_BYTES);
    let rest = value;
    for (; rest > BITS; rest = Math.floor(rest / MORE)) this.#buffer[this.#length++] = MORE | (rest % MORE);
    this.#buffer[this.#length++] = rest;
  }

  addBytes(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#buffer.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  /** An address; none is one of no bytes. */
  addAddress(bytes: Uint8Array): void {
    this.addNumber(bytes.length);
    this.addBytes(bytes);
  }

  bytes(): Uint8Array {
    return this.#buffer.subarray(0, this.#length);
  }

  #reserve(count: number): void {
    if (this.#length + count <= this.#buffer.length) return;
    const larger = new Uint8Array(2 * (this.#length + count));
    larger.set(this.#buffer);
    this.#buffer = larger;
  }
}

/** Every method throws STORE where the bytes end too early. */
export class PackedReader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#bytes.length;
  }

  takeNumber(): number {
    let value = 0;
    let weight = 1;
    for (let i = 0; i < MAX_BYTES; i++) {
      const byte = this.#bytes[this.#at++] as number;
      if (byte < MORE) return value + byte * weight;
      value += (byte & BITS) * weight;
      weight *= MORE;
    }
    throw truncated();
  }

  takeAddress(): Address | undefined {
    const length = this.takeNumber();
    if (length === IPV4_BYTES) return this.#takeInt32();
    return length === 0 ? undefined : this.takeBytes(length);
  }

  /** Four bytes, the highest first, as a signed number: V8 keeps such ones without allocating. */
  #takeInt32(): number {
    const at = this.#at;
    const bytes = this.#bytes;
    if (at + IPV4_BYTES > bytes.length) throw truncated();
    this.#at = at + IPV4_BYTES;
    return (
      ((bytes[at] as number) << 24) |
      ((bytes[at + 1] as number) << 16) |
      ((bytes[at + 2] as number) << 8) |
      (bytes[at + 3] as number)
    );
  }

  takeBytes(length: number): Uint8Array {
    const end = this.#at + length;
    if (end > this.#bytes.length) throw truncated();
    const taken = this.#bytes.subarray(this.#at, end);
    this.#at = end;
    return taken;
  }
}

const truncated = (): LosslogError => new LosslogError('STORE', 'packed sums end too early');
