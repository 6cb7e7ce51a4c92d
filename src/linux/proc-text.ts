/** Small files of /proc read again and again: one buffer for all, and no question for their size, which they do not tell. */

import { closeSync, openSync, readSync } from 'node:fs';

const FIRST_SIZE = 16_384;

export class ProcText {
  #buffer = Buffer.alloc(FIRST_SIZE);

  /** The whole text, a byte a character. @throws errors of the file system */
  read(path: string): string {
    const fd = openSync(path, 'r');
    try {
      let length = 0;
      for (;;) {
        if (length === this.#buffer.length) this.#grow();
        const count = readSync(fd, this.#buffer, length, this.#buffer.length - length, null);
        if (count === 0) return this.#buffer.toString('latin1', 0, length);
        length += count;
      }
    } finally {
      closeSync(fd);
    }
  }

  #grow(): void {
    const larger = Buffer.alloc(this.#buffer.length * 2);
    this.#buffer.copy(larger);
    this.#buffer = larger;
  }
}
