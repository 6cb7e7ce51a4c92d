/** Counts by key that cannot grow without bound. */

/** Keys kept apart; what comes after they are full is counted in the total only. */
const MAX_KEYS = 5000;

export class Tally<K> {
  total = 0;
  readonly #counts = new Map<K, number>();

  add(key: K | undefined, count = 1): void {
    if (key === undefined) return;
    this.total += count;
    const known = this.#counts.get(key);
    if (known !== undefined || this.#counts.size < MAX_KEYS) this.#counts.set(key, (known ?? 0) + count);
  }

  of(key: K): number {
    return this.#counts.get(key) ?? 0;
  }

  get size(): number {
    return this.#counts.size;
  }

  /** The most frequent keys, with their counts. */
  top(limit: number): [key: K, count: number][] {
    return [...this.#counts].sort((a, b) => b[1] - a[1]).slice(0, limit);
  }

  /** The key that makes up at least this share of the total. */
  main(share: number): K | undefined {
    const [first] = this.top(1);
    return first && first[1] >= share * this.total ? first[0] : undefined;
  }

  addAll(other: Tally<K>): void {
    for (const [key, count] of other.#counts) this.add(key, count);
  }
}
