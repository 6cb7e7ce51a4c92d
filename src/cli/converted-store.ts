/** A store that a trace log is converted into: the same as a recorder's, with a session that says so. */

import { LosslogError } from '../base/errors.ts';
import { NS_PER_DAY, type WallNs } from '../base/time.ts';
import type { Event } from '../event/kinds.ts';
import { readBootIdentity } from '../linux/boot.ts';
import { version } from '../recorder/version.ts';
import { StoreWriter } from '../store/writer.ts';

/** Nothing of a log is removed for its age or size. */
const UNBOUNDED = { maxBytes: 2 ** 50, maxAgeNs: 365_000n * NS_PER_DAY };
const BATCH = 2048;

export class ConvertedStore {
  readonly #dir: string;
  readonly #file: string;
  #writer: StoreWriter | undefined;
  /** Latest time of an event: the clock of this store. */
  #now: WallNs | undefined;
  #batch: Event[] = [];

  constructor(dir: string, file: string) {
    this.#dir = dir;
    this.#file = file;
  }

  /** @throws NOT_PERMITTED, STORE (another process writes it, or it cannot be written), STORE_VERSION */
  write(event: Event): void {
    const time = event.time as WallNs;
    this.#now = this.#now === undefined || time > this.#now ? time : this.#now;
    this.#batch.push(event);
    if (this.#batch.length >= BATCH) this.#flush();
  }

  close(): void {
    try {
      this.#flush();
    } finally {
      this.#writer?.close();
      this.#writer = undefined;
    }
  }

  #flush(): void {
    const [first] = this.#batch;
    if (first === undefined) return;
    this.#writer ??= this.#open(first.time as WallNs);
    this.#writer.write(this.#batch);
    this.#writer.flush();
    this.#batch = [];
    if (this.#writer.unstored + this.#writer.pending === 0) return;
    throw new LosslogError('STORE', `cannot write to the store ${this.#dir}`, {
      hint: 'look at the free space and the rights of the directory; what was converted so far is there',
    });
  }

  #open(first: WallNs): StoreWriter {
    let isOpen = false;
    const { hostName, kernelRelease } = readBootIdentity();
    const session = {
      bootId: `log of ${first}`,
      losslogVersion: version(),
      kernel: `not known (converted on ${kernelRelease})`,
      host: hostName,
      filter: `what a trace log held (converted from ${this.#file === '-' ? 'standard input' : this.#file})`,
    };
    // The session begins with the first event.
    const writer = StoreWriter.open(this.#dir, session, {
      ...UNBOUNDED,
      now: () => (isOpen ? (this.#now ?? first) : first),
    });
    isOpen = true;
    return writer;
  }
}
