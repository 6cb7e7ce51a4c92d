/** Errors that must not end a recording: told once a second with their number, so that a flood of them is one line. */

import { messageOf } from '../base/errors.ts';

export class ErrorTalk {
  readonly #talk: (line: string) => void;
  readonly #counts = new Map<string, number>();

  constructor(talk: (line: string) => void) {
    this.#talk = talk;
  }

  add(message: string): void {
    this.#counts.set(message, (this.#counts.get(message) ?? 0) + 1);
  }

  /** Does what fails for a while on a host that is short of something, and is due again soon. */
  guard(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.add(messageOf(error));
    }
  }

  flush(): void {
    for (const [message, count] of this.#counts) this.#talk(count === 1 ? message : `${message} (${count} times)`);
    this.#counts.clear();
  }
}
