/** Events over time in a bounded number of steps, which get longer as the stretch does. */

const MAX_STEPS = 60;
const FIRST_STEP_NS = 1e7;

export class Histogram {
  stepNs = FIRST_STEP_NS;
  /** Begin of the first step: a multiple of the step. */
  from = 0;
  #counts: number[] = [];

  get counts(): readonly number[] {
    return this.#counts;
  }

  add(at: number, count = 1): void {
    if (this.#counts.length === 0) this.from = this.#beginOf(at);
    if (at < this.from) this.#beginAt(at);
    let step = Math.floor((at - this.from) / this.stepNs);
    while (step >= MAX_STEPS) {
      this.#double();
      step = Math.floor((at - this.from) / this.stepNs);
    }
    while (this.#counts.length <= step) this.#counts.push(0);
    this.#counts[step] = (this.#counts[step] as number) + count;
  }

  addAll(other: Histogram): void {
    // steps are powers of two of the first and begin at multiples of themselves: those of the longer hold the shorter
    while (this.stepNs < other.stepNs) this.#double();
    other.counts.forEach((count, i) => {
      if (count > 0) this.add(other.from + i * other.stepNs, count);
    });
  }

  #beginOf(at: number): number {
    return Math.floor(at / this.stepNs) * this.stepNs;
  }

  /** What is judged late may be earlier than all that was added before. */
  #beginAt(at: number): void {
    const missing = (): number => (this.from - this.#beginOf(at)) / this.stepNs;
    while (missing() + this.#counts.length > MAX_STEPS) this.#double();
    this.#counts = [...Array<number>(missing()).fill(0), ...this.#counts];
    this.from = this.#beginOf(at);
  }

  #double(): void {
    const stepNs = this.stepNs * 2;
    const from = Math.floor(this.from / stepNs) * stepNs;
    const counts: number[] = [];
    this.#counts.forEach((count, i) => {
      const step = Math.floor((this.from + i * this.stepNs - from) / stepNs);
      counts[step] = (counts[step] ?? 0) + count;
    });
    this.#counts = Array.from(counts, (count) => count ?? 0);
    this.stepNs = stepNs;
    this.from = from;
  }
}
