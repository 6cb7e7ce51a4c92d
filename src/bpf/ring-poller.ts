/**
 * When to drain. While it is quiet the poller waits for the kernel to wake it, which costs nothing; after a few wakes in
 * a row it stops asking for them and drains by a timer until it is quiet again. The kernel raises no wake-up while the
 * consumer is behind, which makes each event several times cheaper for the traced host.
 *
 * Records that were handed over and not yet given back (they are on their way to the disk) keep the consumer behind, too: no wake
 * would come for the next record, and a poll would find the old ones. So the timer runs until all are given back.
 *
 * The timer is as slow as the rings fill slowly: where traffic takes every core, each run of this process interrupts it, and TCP, whose
 * packets then overtake each other, pays far more than the time that it takes (docs/overhead.md).
 *
 * Where koffi's poll does not work (see poll-check.ts) it always drains by the timer: some 0.5 % of a core while nothing happens.
 */

import koffi from 'koffi';

type PollHandle = ReturnType<typeof koffi.node.poll>;

const WINDOW_MS = 20;
/** Between two drains at least. */
const LEAST_MS = 20;
/** And at most: a look at the live view should not see it. */
const MOST_MS = 240;
/** The first drain after a wake comes soon: it may be the begin of a storm. */
const FIRST_MS = 60;
/** Records that are aimed at: few beside what a ring holds (src/capture/kernel-objects.ts), and some 6 ms of work. */
const AIM = 512;
/** Wakes in one window after which the timer takes over. */
const WAKES_PER_WINDOW = 4;
const UV_READABLE = { readable: true };

export interface RingDrain {
  /** Drains all rings and returns how many records there were. */
  drain(): number;
  /** Whether records that were drained are not yet given back. */
  isHeld(): boolean;
  onError(error: unknown): void;
}

export class RingPoller {
  readonly #drain: () => number;
  readonly #isHeld: () => boolean;
  readonly #onError: (error: unknown) => void;
  // Held in a field: a handle that nothing refers to is collected, and polling stops without a word.
  readonly #polls: PollHandle[];
  #timer: NodeJS.Timeout | undefined;
  #windowEndMs = 0;
  #wakes = 0;
  #drainedMs = 0;
  /** Between the last drain of the timer and the next. */
  #periodMs = LEAST_MS;
  #closed = false;

  /**
   * @param fds the maps of the rings. They must stay open until {@link close}.
   * @param canPoll what {@link pollWorks} found
   */
  constructor(fds: readonly number[], { drain, isHeld, onError }: RingDrain, canPoll: boolean) {
    this.#drain = drain;
    this.#isHeld = isHeld;
    this.#onError = onError;
    this.#polls = canPoll ? fds.map((fd) => koffi.node.poll(fd, UV_READABLE, this.#onReady as never)) : [];
    if (!canPoll) this.#plan(LEAST_MS);
  }

  /** Safe to call more than once; afterwards no drain runs any more. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    clearTimeout(this.#timer);
    for (const poll of this.#polls) poll.close();
  }

  /** An exception that left a poll callback would vanish without a trace, so it is handed on here. */
  #drainSafely(): number {
    try {
      return this.#drain();
    } catch (error) {
      this.#onError(error);
      return 0;
    }
  }

  readonly #onReady = (): void => {
    if (this.#closed) return;
    this.#drainSafely();
    if (this.#closed) return;
    const nowMs = performance.now();
    if (nowMs > this.#windowEndMs) {
      this.#windowEndMs = nowMs + WINDOW_MS;
      this.#wakes = 0;
    }
    const isBusy = ++this.#wakes >= WAKES_PER_WINDOW;
    if (!isBusy && !this.#isHeld()) return;
    for (const poll of this.#polls) poll.stop();
    this.#plan(isBusy ? LEAST_MS : FIRST_MS);
  };

  readonly #tick = (): void => {
    if (this.#closed) return;
    const passedMs = performance.now() - this.#drainedMs;
    const records = this.#drainSafely();
    if (this.#closed) return;
    if (this.#polls.length === 0) this.#plan(LEAST_MS);
    else if (records >= WAKES_PER_WINDOW || this.#isHeld()) this.#plan(this.#periodAfter(records, passedMs));
    else for (const poll of this.#polls) poll.start(UV_READABLE, this.#onReady as never);
  };

  /** At most twice the last one: what was a quiet moment need not be a quiet time. */
  #periodAfter(records: number, passedMs: number): number {
    const wantedMs = Math.max(LEAST_MS, (AIM * passedMs) / records);
    return Math.min(wantedMs, 2 * this.#periodMs, MOST_MS);
  }

  #plan(ms: number): void {
    this.#periodMs = ms;
    this.#drainedMs = performance.now();
    this.#timer = setTimeout(this.#tick, ms);
  }
}
