/** The terminal while the live view has it: another screen, no cursor, keys as they are pressed; left as it was. */

import type { ReadStream } from 'node:tty';
import type { Output } from '../output.ts';

const ENTER = '\x1b[?1049h\x1b[?25l\x1b[?7l\x1b[2J';
const LEAVE = '\x1b[?7h\x1b[?25h\x1b[?1049l';
/** Keys that are more than one character: arrows and shift-tab. */
const ESCAPE = '\x1b';
const KEY = new RegExp(`${ESCAPE}\\[[A-Z]|[\\s\\S]`, 'g');

export class Screen {
  readonly #output: Output;
  readonly #input: ReadStream | undefined;
  #drawn: readonly string[] = [];
  #isOpen = false;

  constructor(output: Output, input: NodeJS.ReadStream = process.stdin) {
    this.#output = output;
    this.#input = input.isTTY ? (input as ReadStream) : undefined;
  }

  /** @param onKey called for each key; Ctrl-C is one */
  open(onKey: (key: string) => void): void {
    this.#input?.on('data', (data) => {
      for (const [key] of String(data).matchAll(KEY)) onKey(key);
    });
    process.on('exit', () => this.close());
    process.on('SIGCONT', () => this.#isOpen && this.#enter());
    this.#isOpen = true;
    this.#enter();
  }

  /** Stops the process as Ctrl-Z does; on its continuation the view comes back. */
  suspend(): void {
    this.#leave();
    process.kill(process.pid, 'SIGSTOP');
  }

  /** Writes the lines that changed since the last time. */
  draw(lines: readonly string[]): void {
    const changes = lines.map((line, i) => (line === this.#drawn[i] ? '' : `\x1b[${i + 1};1H${line}\x1b[K`)).join('');
    this.#drawn = lines;
    if (changes !== '') this.#output.write(changes);
  }

  /** Everything is written anew next time: the terminal was resized. */
  forget(): void {
    this.#drawn = [];
    this.#output.write('\x1b[2J');
  }

  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#leave();
    this.#input?.pause();
  }

  #enter(): void {
    this.#input?.setRawMode(true);
    this.#input?.resume();
    this.#drawn = [];
    this.#output.write(ENTER);
  }

  #leave(): void {
    this.#input?.setRawMode(false);
    this.#output.write(LEAVE);
  }
}
