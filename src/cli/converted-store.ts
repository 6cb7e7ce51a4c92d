/** A store that a trace log is converted into: the same as a recorder's, with a session that says so. */

import { existsSync } from 'node:fs';
import { LosslogError } from '../base/errors.ts';
import { NS_PER_DAY, type WallNs } from '../base/time.ts';
import type { Event } from '../event/kinds.ts';
import { version } from '../recorder/version.ts';
import { StoreReader } from '../store/reader.ts';
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

  /** Commits everything, and builds the indexes of what is there: nobody may ever go on with this store. */
  async finish(): Promise<void> {
    this.#flush();
    await this.#writer?.sealAll();
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
    this.#writer ??= this.#open(first);
    this.#writer.write(this.#batch);
    this.#writer.flush();
    this.#batch = [];
    if (this.#writer.unstored + this.#writer.pending === 0) return;
    throw new LosslogError('STORE', `cannot write to the store ${this.#dir}`, {
      hint: 'look at the free space and the rights of the directory; what was converted so far is there',
    });
  }

  #open(first: Event): StoreWriter {
    let isOpen = false;
    const begin = first.time as WallNs;
    const session = {
      bootId: `log whose first event is at ${first.bootNs} ns`,
      losslogVersion: version(),
      kernel: 'not known: a trace log',
      host: 'not known: a trace log',
      filter: `what a trace log held (converted from ${this.#file === '-' ? 'standard input' : this.#file})`,
    };
    this.#requireNew(session.bootId);
    // The session begins with the first event.
    const writer = StoreWriter.open(this.#dir, session, {
      ...UNBOUNDED,
      now: () => (isOpen ? (this.#now ?? begin) : begin),
    });
    isOpen = true;
    return writer;
  }

  /** Events would be there twice. */
  #requireNew(bootId: string): void {
    if (!existsSync(this.#dir)) return;
    const reader = StoreReader.open(this.#dir);
    try {
      const same = reader.coverage().sessions.find((session) => session.bootId === bootId);
      if (!same) return;
      throw new LosslogError('STORE', `the store ${this.#dir} holds this log already: ${same.filter}`, {
        hint: 'give another store with --store DIR, or remove this one first',
      });
    } finally {
      reader.close();
    }
  }
}
