/**
 * Names of kernel code addresses, from /proc/kallsyms (kernel/kallsyms.c). Only code is kept: 120,000 symbols take some 4 MB.
 */

import { closeSync, openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { LosslogError } from '../base/errors.ts';

const CHUNK_BYTES = 64 * 1024;
/** No function is longer; an address further from the symbol before it lies in no function that we know. */
const LONGEST_FUNCTION_BYTES = 1024 * 1024;
const NEWLINE = 10;
const TAB = 9;
const CODE_TYPES = new Set(Buffer.from('tTwW'));
const ADDRESS_DIGITS = 16;
const NAME_START = ADDRESS_DIGITS + 3;

export class Kallsyms {
  /** Ascending. As signed 64-bit numbers kernel addresses lie so near to zero that a double holds them exactly. */
  readonly #addresses: Float64Array;
  readonly #nameOffsets: Uint32Array;
  /** Each name as it stands in the file, ended by a newline: `tcp_v4_rcv`, or `nft_do_chain\t[nf_tables]`. */
  readonly #names: Buffer;

  /**
   * Reads all of /proc/kallsyms, some 100 ms.
   * @throws NOT_PERMITTED when the kernel hides the addresses; NOT_SUPPORTED when there is no such file.
   */
  static read(root = '/'): Kallsyms {
    const path = join(root, 'proc/kallsyms');
    const builder = new SymbolTable();
    try {
      readLines(path, (bytes, start, end) => builder.add(bytes, start, end));
    } catch (cause) {
      throw new LosslogError('NOT_SUPPORTED', `cannot read ${path}`, {
        hint: 'run a kernel built with CONFIG_KALLSYMS=y',
        cause,
      });
    }
    return new Kallsyms(builder.finish());
  }

  /** @throws NOT_PERMITTED when all addresses are zero. */
  static parse(text: string): Kallsyms {
    const builder = new SymbolTable();
    const bytes = Buffer.from(text);
    for (let start = 0, end = bytes.indexOf(NEWLINE); end >= 0; start = end + 1, end = bytes.indexOf(NEWLINE, start)) {
      builder.add(bytes, start, end);
    }
    return new Kallsyms(builder.finish());
  }

  private constructor(table: SymbolColumns) {
    this.#addresses = table.addresses;
    this.#nameOffsets = table.nameOffsets;
    this.#names = table.names;
    if (table.hidden) {
      throw new LosslogError('NOT_PERMITTED', 'the kernel hides the addresses of its symbols', {
        hint: 'run as root or with CAP_SYSLOG, and set sysctl kernel.kptr_restrict to 0 or 1',
      });
    }
  }

  /** How many code symbols are known. */
  get size(): number {
    return this.#addresses.length;
  }

  /** `symbol+0x1a`, or `symbol+0x1a [module]`; undefined when the address lies in no function that was known when this was read. */
  lookup(address: bigint): string | undefined {
    const target = Number(BigInt.asIntN(64, address));
    const index = this.#indexBefore(target);
    if (index < 0) return undefined;
    const offset = target - (this.#addresses[index] as number);
    if (offset >= LONGEST_FUNCTION_BYTES) return undefined;
    const [name, module] = this.#name(index).split('\t');
    return `${name}+0x${offset.toString(16)}${module === undefined ? '' : ` ${module}`}`;
  }

  /** Address of the function of that name (of several, the lowest); undefined when there is none. */
  addressOf(name: string): bigint | undefined {
    for (let index = 0; index < this.#nameOffsets.length; index++) {
      if (this.#isNamed(index, name)) return BigInt.asUintN(64, BigInt(this.#addresses[index] as number));
    }
    return undefined;
  }

  /** Index of the last symbol at or before an address; of several at one address the first, as the kernel takes it. */
  #indexBefore(target: number): number {
    let low = 0;
    let high = this.#addresses.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#addresses[middle] as number) <= target) low = middle + 1;
      else high = middle;
    }
    let index = low - 1;
    while (index > 0 && this.#addresses[index - 1] === this.#addresses[index]) index--;
    return index;
  }

  #name(index: number): string {
    const start = this.#nameOffsets[index] as number;
    return this.#names.toString('latin1', start, this.#names.indexOf(NEWLINE, start));
  }

  #isNamed(index: number, name: string): boolean {
    const start = this.#nameOffsets[index] as number;
    const after = this.#names[start + name.length];
    if (after !== NEWLINE && after !== TAB) return false;
    for (let i = 0; i < name.length; i++) if (this.#names[start + i] !== name.charCodeAt(i)) return false;
    return true;
  }
}

interface SymbolColumns {
  readonly addresses: Float64Array;
  readonly nameOffsets: Uint32Array;
  readonly names: Buffer;
  readonly hidden: boolean;
}

/**
 * Collects symbols in columns that grow by doubling. They begin larger than most kernels need and are kept as they are: memory
 * that was never touched costs nothing, a copy would.
 */
class SymbolTable {
  #count = 0;
  #addresses = new Float64Array(1 << 18);
  #nameOffsets = new Uint32Array(1 << 18);
  #names = Buffer.allocUnsafe(1 << 23);
  #namesEnd = 0;
  #hidden = true;

  /** Takes one line, `ffffffff81000000 T _text` or `… t name\t[module]`, when it is of code. */
  add(bytes: Buffer, start: number, end: number): void {
    if (!CODE_TYPES.has(bytes[start + ADDRESS_DIGITS + 1] as number)) return;
    const high = parseHex(bytes, start);
    const low = parseHex(bytes, start + 8);
    if (high !== 0 || low !== 0) this.#hidden = false;
    this.#makeRoom(end - start);
    this.#addresses[this.#count] = (high | 0) * 2 ** 32 + low;
    this.#nameOffsets[this.#count++] = this.#namesEnd;
    this.#namesEnd += bytes.copy(this.#names, this.#namesEnd, start + NAME_START, end);
    this.#names[this.#namesEnd++] = NEWLINE;
  }

  finish(): SymbolColumns {
    const addresses = this.#addresses.subarray(0, this.#count);
    const nameOffsets = this.#nameOffsets.subarray(0, this.#count);
    // vmlinux comes in order, modules after it anywhere.
    if (!isAscending(addresses)) sortTogether(addresses, nameOffsets);
    return { addresses, nameOffsets, names: this.#names.subarray(0, this.#namesEnd), hidden: this.#hidden };
  }

  #makeRoom(nameBytes: number): void {
    if (this.#count === this.#addresses.length) {
      this.#addresses = doubled(this.#addresses, Float64Array);
      this.#nameOffsets = doubled(this.#nameOffsets, Uint32Array);
    }
    if (this.#namesEnd + nameBytes > this.#names.length) {
      this.#names = Buffer.concat([this.#names], 2 * this.#names.length);
    }
  }
}

function doubled<T extends Float64Array | Uint32Array>(array: T, type: new (length: number) => T): T {
  const larger = new type(2 * array.length);
  larger.set(array);
  return larger;
}

function sortTogether(addresses: Float64Array, nameOffsets: Uint32Array): void {
  const unsorted = { addresses: addresses.slice(), nameOffsets: nameOffsets.slice() };
  const order = new Uint32Array(addresses.length);
  for (let i = 0; i < order.length; i++) order[i] = i;
  order.sort((a, b) => (addresses[a] as number) - (addresses[b] as number) || a - b);
  for (let i = 0; i < order.length; i++) {
    addresses[i] = unsorted.addresses[order[i] as number] as number;
    nameOffsets[i] = unsorted.nameOffsets[order[i] as number] as number;
  }
}

function isAscending(values: Float64Array): boolean {
  for (let i = 1; i < values.length; i++) if ((values[i] as number) < (values[i - 1] as number)) return false;
  return true;
}

/** Eight hexadecimal digits in lower case. */
function parseHex(bytes: Buffer, start: number): number {
  let value = 0;
  for (let i = start; i < start + 8; i++) {
    const digit = bytes[i] as number;
    value = (value << 4) | (digit < 0x3a ? digit - 0x30 : digit - 0x57);
  }
  return value >>> 0;
}

/** Calls back with the place of each whole line, through one buffer of fixed size. */
function readLines(path: string, onLine: (bytes: Buffer, start: number, end: number) => void): void {
  const fd = openSync(path, 'r');
  try {
    const buffer = Buffer.allocUnsafe(CHUNK_BYTES);
    let filled = 0;
    for (let read = 1; read > 0; ) {
      read = readSync(fd, buffer, filled, CHUNK_BYTES - filled, null);
      filled += read;
      let start = 0;
      for (let end = buffer.indexOf(NEWLINE); end >= 0 && end < filled; end = buffer.indexOf(NEWLINE, start)) {
        onLine(buffer, start, end);
        start = end + 1;
      }
      buffer.copy(buffer, 0, start, filled);
      filled -= start;
    }
  } finally {
    closeSync(fd);
  }
}
