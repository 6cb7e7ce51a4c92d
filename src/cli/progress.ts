/** A progress bar on stderr, where that is a terminal. */

const WIDTH = 30;
/** Often enough for the eye, quiet over ssh. */
const EVERY_MS = 200;

export class Progress {
  readonly #stream: Pick<NodeJS.WriteStream, 'isTTY' | 'write'>;
  readonly #now: () => number;
  #nextMs = 0;
  #shown = false;

  /** @param now monotonic milliseconds */
  constructor(
    stream: Pick<NodeJS.WriteStream, 'isTTY' | 'write'> = process.stderr,
    now: () => number = () => performance.now(),
  ) {
    this.#stream = stream;
    this.#now = now;
  }

  /**
   * @param share of the work that is done, 0 to 1; undefined when the whole is not known
   * @param detail `12000 events`
   */
  show(share: number | undefined, detail: string): void {
    const nowMs = this.#now();
    if (!this.#stream.isTTY || nowMs < this.#nextMs) return;
    this.#nextMs = nowMs + EVERY_MS;
    this.#shown = true;
    this.#stream.write(`\r\x1b[K${share === undefined ? '' : `${bar(share)} `}${detail}`);
  }

  /** Leaves the line as it was before. */
  clear(): void {
    if (this.#shown) this.#stream.write('\r\x1b[K');
    this.#shown = false;
  }
}

function bar(share: number): string {
  const bounded = Math.min(1, Math.max(0, share));
  const done = Math.round(bounded * WIDTH);
  return `[${'#'.repeat(done)}${'.'.repeat(WIDTH - done)}] ${Math.floor(bounded * 100)} %`;
}
