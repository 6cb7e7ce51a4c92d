/** A map that keeps at most so many entries and forgets the one that was used longest ago. */
export class Lru<K, V> {
  readonly #limit: number;
  readonly #entries = new Map<K, V>();
  #youngest: K | undefined;

  constructor(limit: number) {
    this.#limit = limit;
  }

  has(key: K): boolean {
    return this.#entries.has(key);
  }

  get(key: K): V | undefined {
    const value = this.#entries.get(key);
    if (value === undefined || key === this.#youngest) return value;
    // A Map keeps the order of insertion: inserted again, the entry is the youngest.
    this.#entries.delete(key);
    this.#entries.set(key, value);
    this.#youngest = key;
    return value;
  }

  /** The youngest last. */
  keys(): K[] {
    return [...this.#entries.keys()];
  }

  values(): IterableIterator<V> {
    return this.#entries.values();
  }

  clear(): void {
    this.#entries.clear();
    this.#youngest = undefined;
  }

  set(key: K, value: V): void {
    this.#entries.delete(key);
    this.#entries.set(key, value);
    this.#youngest = key;
    if (this.#entries.size > this.#limit) this.#entries.delete(this.#entries.keys().next().value as K);
  }
}
