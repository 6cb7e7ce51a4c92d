/** Numbers for addresses, as they are given. Outside of the heap: of a slice they may be some hundred thousand, and the thread that seals has 32 MB. */

/** An address and how long it is. */
const ENTRY = 17;
const FIRST_SIZE = 1024;

export class Addresses {
  /** By number: the length, then the bytes. */
  #entries = new Uint8Array(FIRST_SIZE * ENTRY);
  /** Where a hash leads: 1 + a number; 0 is free. A power of two, at most half of them taken. */
  #slots = new Uint32Array(2 * FIRST_SIZE);
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** @param address at most 16 bytes */
  numberOf(address: Uint8Array): number {
    for (let slot = hashOf(address); ; slot++) {
      const at = slot & (this.#slots.length - 1);
      const known = this.#slots[at] as number;
      if (known === 0) return this.#add(address, at);
      if (this.#isAt(known - 1, address)) return known - 1;
    }
  }

  /** The address of a number. */
  at(number: number): Uint8Array {
    const begin = number * ENTRY + 1;
    return this.#entries.subarray(begin, begin + (this.#entries[begin - 1] as number));
  }

  #isAt(number: number, address: Uint8Array): boolean {
    const begin = number * ENTRY;
    if (this.#entries[begin] !== address.length) return false;
    for (let i = 0; i < address.length; i++) if (this.#entries[begin + 1 + i] !== address[i]) return false;
    return true;
  }

  #add(address: Uint8Array, slot: number): number {
    const number = this.#size++;
    this.#entries[number * ENTRY] = address.length;
    this.#entries.set(address, number * ENTRY + 1);
    this.#slots[slot] = number + 1;
    if (2 * this.#size === this.#slots.length) this.#grow();
    return number;
  }

  #grow(): void {
    const entries = new Uint8Array(2 * this.#entries.length);
    entries.set(this.#entries);
    this.#entries = entries;
    this.#slots = new Uint32Array(2 * this.#slots.length);
    for (let number = 0; number < this.#size; number++) {
      let slot = hashOf(this.at(number));
      while (this.#slots[slot & (this.#slots.length - 1)] !== 0) slot++;
      this.#slots[slot & (this.#slots.length - 1)] = number + 1;
    }
  }
}

/** FNV-1a (http://www.isthe.com/chongo/tech/comp/fnv/), its halves mixed: the slots are its lower bits. */
function hashOf(address: Uint8Array): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < address.length; i++) hash = Math.imul(hash ^ (address[i] as number), 0x01000193);
  return (hash ^ (hash >>> 16)) & 0x7fffffff;
}
