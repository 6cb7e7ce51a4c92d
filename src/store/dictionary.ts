/** The dictionary of a slice: each text once, rows hold its key. Keys begin at 1. */

import type { DatabaseSync, StatementSync } from 'node:sqlite';

/** What an entry costs in memory beside its characters, roughly: key, hash slot, string header. */
const ENTRY_BYTES = 64;

export class Dictionary {
  readonly #keys = new Map<string, number>();
  readonly #insert: StatementSync;
  #bytes = 0;

  /** Reads what the slice has. */
  constructor(db: DatabaseSync) {
    for (const { id, value } of db.prepare('SELECT id, value FROM string').iterate()) {
      this.#remember(value as string, id as number);
    }
    this.#insert = db.prepare('INSERT INTO string (id, value) VALUES (?, ?)');
  }

  /** Memory that the dictionary takes, in bytes, estimated. */
  get bytes(): number {
    return this.#bytes;
  }

  /** The key of a text, which is stored when it is new. */
  key(text: string): number {
    const known = this.#keys.get(text);
    if (known !== undefined) return known;
    const key = this.#keys.size + 1;
    this.#insert.run(key, text);
    this.#remember(text, key);
    return key;
  }

  #remember(text: string, key: number): void {
    this.#keys.set(text, key);
    this.#bytes += 2 * text.length + ENTRY_BYTES;
  }
}
