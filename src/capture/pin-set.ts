/** The pins of one recorder: held by it alone, left to the next. */

import { readdirSync } from 'node:fs';
import { LosslogError } from '../base/errors.ts';
import { PIN_TYPES, PinDirectory, type PinType } from '../bpf/pin-directory.ts';
import { withBpffsLock } from '../linux/bpffs.ts';
import { FileLock } from '../linux/file-lock.ts';
import { type Ledger, PinnedLedger, readLedger } from './pin-ledger.ts';
import { makeGivenDirectory, makePinDirectory, unmakePinDirectory } from './pin-place.ts';

export type PinCounts = Readonly<Record<PinType, number>>;

export class PinSet {
  readonly directory: PinDirectory;
  readonly #lock: FileLock;
  #ledger: PinnedLedger | undefined;
  #isClosed = false;

  /**
   * The pins of a store, or those in a directory that the user gave.
   * @throws BPF when another process holds them, NOT_PERMITTED, NOT_SUPPORTED, USAGE
   */
  static open(store: string, given?: string): PinSet {
    return withBpffsLock(() => {
      const path = given === undefined ? makePinDirectory(store) : makeGivenDirectory(given);
      refuseForeign(new PinDirectory(path));
      const lock = FileLock.tryAcquire(path);
      if (!lock) throw inUse(new PinDirectory(path));
      return new PinSet(path, lock);
    });
  }

  private constructor(path: string, lock: FileLock) {
    this.directory = new PinDirectory(path);
    this.#lock = lock;
  }

  get path(): string {
    return this.directory.path;
  }

  /** Whether nobody left anything. */
  get isEmpty(): boolean {
    return Object.values(this.counts).every((count) => count === 0);
  }

  get counts(): PinCounts {
    const counts = PIN_TYPES.map((type) => [type, this.directory.names(type).length] as const);
    return Object.fromEntries(counts) as Record<PinType, number>;
  }

  /** What the last recorder left; undefined when nothing, or nothing that this release understands. @throws BPF */
  readLedger(): Ledger | undefined {
    return readLedger(this.directory);
  }

  /** @throws BPF */
  writeLedger(ledger: Ledger): void {
    this.#ledger ??= PinnedLedger.exists(this.directory)
      ? PinnedLedger.open(this.directory)
      : PinnedLedger.create(this.directory);
    this.#ledger.write(ledger);
  }

  /** Removes every pin: what nobody else uses is gone from the kernel. Links first, so that nothing is recorded half. */
  removeAll(): void {
    const { directory } = this;
    this.#ledger?.close();
    this.#ledger = undefined;
    for (const type of PIN_TYPES) directory.remove(type);
  }

  /** Lets go of the pins; what is pinned stays. Safe to call more than once. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#ledger?.close();
    try {
      withBpffsLock(() => {
        this.#lock.release();
        unmakePinDirectory(this.path);
      });
    } catch {
      // Nothing can be opened (out of descriptors): a directory that is left, be it empty, is the next recorder's.
      this.#lock.release();
    }
  }
}

/** What lies there without a ledger of ours is of somebody else. @throws USAGE */
function refuseForeign(directory: PinDirectory): void {
  if (readdirSync(directory.path).length === 0 || PinnedLedger.exists(directory)) return;
  throw new LosslogError('USAGE', `${directory.path} holds what losslog did not pin`, {
    hint: 'give another directory with --pin DIR, or --pin none',
  });
}

/** Whether a recorder holds the pins of a directory. */
export function isHeld(path: string): boolean {
  const lock = FileLock.tryAcquire(path);
  lock?.release();
  return lock === undefined;
}

function inUse(directory: PinDirectory): LosslogError {
  const pid = readLedger(directory)?.pid;
  return new LosslogError(
    'BPF',
    `${directory.path} is in use by ${pid === undefined ? 'another process' : `process ${pid}`}`,
    {
      hint: 'stop that recorder first, or give another directory with --pin DIR',
    },
  );
}
