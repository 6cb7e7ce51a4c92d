/** The process's stdout (data) and stderr (talk). */

import { setTimeout } from 'node:timers/promises';
import { escapeText } from '../base/escape.ts';

/** What of stdout matters here; a test may give its own. */
export interface OutStream {
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly writableLength: number;
  write(data: string | Uint8Array): boolean;
  once(event: 'drain', listener: () => void): unknown;
  on(event: 'error', listener: (error: NodeJS.ErrnoException) => void): unknown;
  /** The stream's libuv handle. Node has no public way to make a terminal non-blocking; absent for files. */
  readonly _handle?: { setBlocking?(blocking: boolean): void };
}

/** What stderr may be behind before further talk is dropped: nobody reads it. */
const MAX_PENDING_TALK = 65_536;

/** Says something to the person, on stderr. Names in it are escaped. */
export function talk(line: string): void {
  if (process.stderr.writableLength < MAX_PENDING_TALK) process.stderr.write(`losslog: ${escapeText(line)}\n`);
}

/**
 * Makes writes to the stream return at once. Node does so for pipes, but writes to a terminal block: one held with Ctrl-S
 * would stop the whole process.
 */
export function neverWait(stream: Pick<OutStream, 'isTTY' | '_handle'>): void {
  if (stream.isTTY) stream._handle?.setBlocking?.(false);
}

/** Standard output, with what a line must know of it. */
export class Output {
  readonly isTty: boolean;
  readonly color: boolean;
  readonly #stream: OutStream;
  readonly #columns: string | undefined;
  #onBroken: (error: NodeJS.ErrnoException) => void;
  #broken = false;

  /** @param onBroken called when stdout can take no more: EPIPE when its reader has gone away (`| head`). */
  constructor(stream: OutStream, env: NodeJS.ProcessEnv, onBroken: (error: NodeJS.ErrnoException) => void) {
    this.#onBroken = onBroken;
    this.#stream = stream;
    this.#columns = env.COLUMNS;
    this.isTty = stream.isTTY === true;
    this.color = wantsColor(env, this.isTty);
    stream.on('error', (error) => {
      if (!this.#broken) this.#onBroken(error);
      this.#broken = true;
    });
  }

  /** Replaces what happens when stdout can take no more. Afterwards what is written is dropped. */
  whenBroken(onBroken: (error: NodeJS.ErrnoException) => void): void {
    this.#onBroken = onBroken;
  }

  /** See {@link neverWait}. */
  neverWait(): void {
    neverWait(this.#stream);
  }

  /** Columns of the terminal now (it may be resized); without a terminal COLUMNS, or no limit. */
  get width(): number {
    const fromEnv = Number(this.#columns);
    return this.#stream.columns || (fromEnv > 0 ? fromEnv : Number.POSITIVE_INFINITY);
  }

  /** Bytes that were written and that the reader has not taken yet. */
  get pendingBytes(): number {
    return this.#broken ? 0 : this.#stream.writableLength;
  }

  /** Writes without waiting. */
  write(text: string): void {
    if (!this.#broken) this.#stream.write(text);
  }

  /** Writes, and waits while the reader is behind. */
  async writeAndWait(data: string | Uint8Array): Promise<void> {
    if (this.#stream.write(data)) return;
    await new Promise<void>((resolve) => this.#stream.once('drain', resolve));
  }

  /** Waits until the reader has taken everything, at most `timeoutMs`. @returns whether it has. */
  async drained(timeoutMs: number): Promise<boolean> {
    const end = Date.now() + timeoutMs;
    while (this.pendingBytes > 0 && Date.now() < end) await setTimeout(10);
    return this.pendingBytes === 0;
  }
}

/**
 * FORCE_COLOR (https://force-color.org) before NO_COLOR (https://no-color.org) before what stdout is, as in Node itself.
 */
export function wantsColor(env: NodeJS.ProcessEnv, isTty: boolean): boolean {
  if (env.FORCE_COLOR) return env.FORCE_COLOR !== '0' && env.FORCE_COLOR !== 'false';
  if (env.NO_COLOR) return false;
  return isTty && env.TERM !== 'dumb';
}
