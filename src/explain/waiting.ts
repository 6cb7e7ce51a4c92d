/** Cases in the order of their times, each held back for a while: something recorded a little later may bear on it. */
export class Waiting<T extends { fact: { at: number } }> {
  readonly #forNs: number;
  #cases: T[] = [];

  constructor(forNs: number) {
    this.#forNs = forNs;
  }

  add(one: T): void {
    this.#cases.push(one);
  }

  /** Takes out those that have waited long enough. */
  due(now: number): T[] {
    const [first] = this.#cases;
    if (!first || first.fact.at > now - this.#forNs) return [];
    let count = 1;
    while (count < this.#cases.length && (this.#cases[count] as T).fact.at <= now - this.#forNs) count++;
    return this.#cases.splice(0, count);
  }
}
