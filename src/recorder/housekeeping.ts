/** What the recorder does again and again beside recording: every second while something comes, seldom while nothing does. */

const BUSY_MS = 1000;
/** An idle host is not woken for what has not changed. */
const QUIET_MS = 5000;

export class Housekeeping {
  readonly #work: () => void;
  readonly #now: () => number;
  #timer: NodeJS.Timeout;
  #lastMs: number;
  #isQuiet = true;
  #isOver = false;

  /** @param now monotonic milliseconds */
  constructor(work: () => void, now = () => performance.now()) {
    this.#work = work;
    this.#now = now;
    this.#lastMs = now();
    this.#timer = setTimeout(this.#run, BUSY_MS);
  }

  /** Something came: what would be done by now if it had come all the time is done at once, and again in a second. */
  stir(): void {
    if (!this.#isQuiet || this.#isOver) return;
    this.#isQuiet = false;
    const dueMs = this.#lastMs + BUSY_MS - this.#now();
    if (dueMs <= 0) this.#run();
    else this.#plan(dueMs);
  }

  end(): void {
    this.#isOver = true;
    clearTimeout(this.#timer);
  }

  #plan(ms: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(this.#run, ms);
  }

  readonly #run = (): void => {
    this.#plan(this.#isQuiet ? QUIET_MS : BUSY_MS);
    this.#isQuiet = true;
    this.#lastMs = this.#now();
    this.#work();
  };
}
