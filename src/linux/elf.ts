/** Sections and symbols of an ELF64 file (System V gABI chapter 4); little-endian and big-endian. */

import { LosslogError } from '../base/errors.ts';

const SHT_SYMTAB = 2;
const SHT_NOBITS = 8;
const SECTION_HEADER_BYTES = 64;
const SYMBOL_BYTES = 24;

export interface ElfSection {
  readonly name: string;
  readonly index: number;
  readonly type: number;
  /** Where its bytes lie in the file; meaningless for a section without bytes (`.bss`). */
  readonly fileOffset: number;
  /** Bytes that it occupies in memory. */
  readonly size: number;
  /** Index of the section it refers to; of a symbol table: its string table. */
  readonly link: number;
}

export interface ElfSymbol {
  readonly name: string;
  readonly sectionIndex: number;
  /** Offset within its section (in a relocatable file). */
  readonly value: number;
  readonly size: number;
}

/** A parsed ELF64 file. Nothing is copied: sections are views of the bytes given. */
export class Elf {
  readonly sections: readonly ElfSection[];
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #littleEndian: boolean;

  /** @throws DECODE when the bytes are not a whole ELF64 file. */
  static parse(bytes: Uint8Array): Elf {
    if (bytes.length < 64 || bytes[0] !== 0x7f || bytes[1] !== 0x45 || bytes[2] !== 0x4c || bytes[3] !== 0x46) {
      throw new LosslogError('DECODE', 'not an ELF file');
    }
    if (bytes[4] !== 2) throw new LosslogError('DECODE', 'not a 64-bit ELF file');
    try {
      return new Elf(bytes);
    } catch (cause) {
      if (cause instanceof RangeError) throw new LosslogError('DECODE', 'the ELF file is cut short', { cause });
      throw cause;
    }
  }

  private constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#littleEndian = bytes[5] === 1;
    this.sections = this.#readSections();
  }

  section(name: string): ElfSection | undefined {
    return this.sections.find((section) => section.name === name);
  }

  /** The bytes of a section, or undefined when there is no such section or it has no bytes in the file. */
  bytesOf(name: string): Uint8Array | undefined {
    const section = this.section(name);
    return section && section.type !== SHT_NOBITS ? this.#slice(section) : undefined;
  }

  /** All symbols of the symbol table; empty when the file was stripped. */
  symbols(): ElfSymbol[] {
    const table = this.sections.find((section) => section.type === SHT_SYMTAB);
    const strings = table && this.sections[table.link];
    if (!table || !strings) return [];
    const symbols: ElfSymbol[] = [];
    for (let at = table.fileOffset; at < table.fileOffset + table.size; at += SYMBOL_BYTES) {
      symbols.push({
        name: this.#text(strings.fileOffset + this.#u32(at)),
        sectionIndex: this.#view.getUint16(at + 6, this.#littleEndian),
        value: this.#u64(at + 8),
        size: this.#u64(at + 16),
      });
    }
    return symbols;
  }

  #readSections(): ElfSection[] {
    const tableOffset = this.#u64(40);
    const count = this.#view.getUint16(60, this.#littleEndian);
    const namesIndex = this.#view.getUint16(62, this.#littleEndian);
    if (count === 0) return [];
    if (tableOffset + count * SECTION_HEADER_BYTES > this.#bytes.length)
      throw new RangeError('section headers are missing');
    const namesOffset = this.#u64(tableOffset + namesIndex * SECTION_HEADER_BYTES + 24);
    return Array.from({ length: count }, (_, index) => {
      const at = tableOffset + index * SECTION_HEADER_BYTES;
      return {
        name: this.#text(namesOffset + this.#u32(at)),
        index,
        type: this.#u32(at + 4),
        fileOffset: this.#u64(at + 24),
        size: this.#u64(at + 32),
        link: this.#u32(at + 40),
      };
    });
  }

  #slice(section: ElfSection): Uint8Array {
    const end = section.fileOffset + section.size;
    if (end > this.#bytes.length) throw new LosslogError('DECODE', `section ${section.name} is cut short`);
    return this.#bytes.subarray(section.fileOffset, end);
  }

  #text(offset: number): string {
    const end = this.#bytes.indexOf(0, offset);
    if (end < 0) throw new RangeError('a name runs past the end');
    return Buffer.from(this.#bytes.buffer, this.#bytes.byteOffset + offset, end - offset).toString('latin1');
  }

  #u32(at: number): number {
    return this.#view.getUint32(at, this.#littleEndian);
  }

  #u64(at: number): number {
    return Number(this.#view.getBigUint64(at, this.#littleEndian));
  }
}
