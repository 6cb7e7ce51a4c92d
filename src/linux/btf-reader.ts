/** Access to the types of a BTF blob by id and by name; a split blob goes on where its base ends. */

import { LosslogError } from '../base/errors.ts';
import { type BtfSection, kindOfInfo } from './btf-section.ts';

export class BtfReader {
  readonly #section: BtfSection;
  readonly #base: BtfReader | undefined;
  /** Id of the first type of this blob; 0 is `void`. */
  readonly firstId: number;
  /** One more than the highest id, those of the base included. */
  readonly endId: number;
  /** Offsets of strings count on from the last string of the base. */
  readonly #stringsStart: number;
  readonly #stringsEnd: number;

  protected constructor(section: BtfSection, base: BtfReader | undefined) {
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
    return id === 0 ? 0 : kindOfInfo(this.word(id, 1));
  }

  /** Name of a type; empty when it has none. */
  nameOf(id: number): string {
    return id === 0 ? 'void' : this.string(this.word(id, 0));
  }

  /** The `offset`-th 32-bit word of a type, counted from its `struct btf_type`. */
  protected word(id: number, offset: number): number {
    if (this.#base && id < this.firstId) return this.#base.word(id, offset);
    const start = this.#section.starts[id - this.firstId];
    const word = start === undefined ? undefined : this.#section.words[start + offset];
    if (word === undefined) throw new LosslogError('DECODE', `BTF refers to type ${id}, which does not exist`);
    return word;
  }

  protected string(offset: number): string {
    const start = offset - this.#stringsStart;
    if (this.#base && start < 0) return this.#base.string(offset);
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
