/** A program that the lab started: its JSON lines, its end, and ending it. */

import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';

export interface Exit {
  code: number | null;
  signal: NodeJS.Signals | null;
}

/** How long a program may take to answer unless the caller says otherwise. */
const ANSWER_TIMEOUT_MS = patience(30_000);

/** A machine that QEMU emulates, beside others, has a tenth of a CPU at times. */
export function patience(ms: number): number {
  return process.env.LOSSLOG_TEST_EMULATED === '1' ? 8 * ms : ms;
}

export class LabProcess {
  readonly pid: number;
  /** Resolves when the process ended and its output is read. */
  readonly exited: Promise<Exit>;
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #command: string;
  readonly #lines: string[] = [];
  readonly #waiting: ((line: string | undefined) => void)[] = [];
  #stderr = '';
  #ended: Exit | undefined;
  #wasSignalled = false;

  constructor(command: readonly string[], environment: Record<string, string> = {}) {
    const [program = '', ...args] = command;
    this.#command = command.join(' ');
    // A process group of its own, so that it and what it forks can be ended together.
    this.#child = spawn(program, args, { detached: true, env: { ...process.env, ...environment } });
    this.pid = this.#child.pid ?? 0;
    this.exited = new Promise((resolve, reject) => {
      this.#child.once('error', reject);
      this.#child.once('close', (code, signal) => resolve({ code, signal }));
    });
    this.exited.then((exit) => this.#end(exit)).catch((error) => this.#fail(error));
    this.#child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr += text;
    });
    this.#child.stdin.on('error', () => {});
    createInterface({ input: this.#child.stdout }).on('line', (line) => this.#line(line));
  }

  /** Whether somebody here asked it to end, or killed it. */
  get wasSignalled(): boolean {
    return this.#wasSignalled;
  }

  get stderr(): string {
    return this.#stderr;
  }

  /** The next line of stdout. @throws when the process ends or the time is over before there is one. */
  async line(timeoutMs = ANSWER_TIMEOUT_MS): Promise<string> {
    const ready = this.#lines.shift();
    if (ready !== undefined) return ready;
    const line = this.#ended ? undefined : await this.#nextLine(timeoutMs);
    if (line === undefined) throw new Error(`${this.#command}: no output${this.#describeEnd()}`);
    return line;
  }

  /** The next line of stdout as JSON. */
  async answer<T>(timeoutMs?: number): Promise<T> {
    return JSON.parse(await this.line(timeoutMs)) as T;
  }

  /** Lines of stdout as they come, until the end. */
  async *lines(): AsyncGenerator<string> {
    for (;;) {
      const line = this.#lines.shift() ?? (this.#ended ? undefined : await this.#nextLine());
      if (line === undefined) return;
      yield line;
    }
  }

  /** Resolves with the first line of stderr that begins with `prefix`. @throws when the process ends before. */
  async stderrLine(prefix: string, timeoutMs = ANSWER_TIMEOUT_MS): Promise<string> {
    const deadline = Date.now() + timeoutMs;
    while (!this.#ended && Date.now() < deadline) {
      const line = this.#findStderr(prefix);
      if (line !== undefined) return line;
      await sleep(10);
    }
    const last = this.#findStderr(prefix);
    if (last === undefined) throw new Error(`${this.#command}: no line "${prefix}…"${this.#describeEnd()}`);
    return last;
  }

  /** Writes one line to stdin. */
  tell(line: string): void {
    this.#child.stdin.write(`${line}\n`);
  }

  /** Ends its stdin. */
  end(): void {
    this.#child.stdin.end();
  }

  /** Waits for the end. @throws when that takes longer than `timeoutMs`; the process is then killed. */
  async wait(timeoutMs = ANSWER_TIMEOUT_MS): Promise<Exit> {
    let isLate = false;
    const timer = setTimeout(() => {
      isLate = true;
      this.kill();
    }, timeoutMs);
    try {
      const exit = await this.exited;
      if (isLate) throw new Error(`${this.#command}: had to be killed after ${timeoutMs} ms${this.#describeEnd()}`);
      return exit;
    } finally {
      clearTimeout(timer);
    }
  }

  /** Sends a signal to the process itself. */
  signal(signal: NodeJS.Signals): void {
    if (signal !== 'SIGSTOP' && signal !== 'SIGCONT') this.#wasSignalled = true;
    if (!this.#ended) this.#child.kill(signal);
  }

  /** Kills the process and what it forked; nothing when it ended already. */
  kill(): void {
    // Once its exit code is read, the number may belong to another process.
    if (this.pid === 0 || this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    this.#wasSignalled = true;
    try {
      process.kill(-this.pid, 'SIGKILL');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
  }

  #nextLine(timeoutMs?: number): Promise<string | undefined> {
    return new Promise((resolve) => {
      const giveUp = (): void => {
        this.#waiting.splice(this.#waiting.indexOf(settle), 1);
        resolve(undefined);
      };
      const timer = timeoutMs === undefined ? undefined : setTimeout(giveUp, timeoutMs);
      const settle = (line: string | undefined): void => {
        clearTimeout(timer);
        resolve(line);
      };
      this.#waiting.push(settle);
    });
  }

  /** Only lines that are complete count. */
  #findStderr(prefix: string): string | undefined {
    return this.#stderr
      .split('\n')
      .slice(0, -1)
      .find((line) => line.startsWith(prefix));
  }

  #line(line: string): void {
    const waiting = this.#waiting.shift();
    if (waiting) waiting(line);
    else this.#lines.push(line);
  }

  #end(exit: Exit): void {
    this.#ended = exit;
    for (const waiting of this.#waiting.splice(0)) waiting(undefined);
  }

  #fail(error: unknown): void {
    this.#stderr += String(error);
    this.#end({ code: null, signal: null });
  }

  #describeEnd(): string {
    const how = this.#ended ? ` (ended with ${this.#ended.signal ?? this.#ended.code})` : ' in time';
    return this.#stderr === '' ? how : `${how}: ${this.#stderr.trim()}`;
  }
}
