/** `losslog record` as a user starts it, on a store of its own, and what it has recorded. */

import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { JsonEvent } from '../src/event/json.ts';
import type { Kind } from '../src/event/kinds.ts';
import { CleanupStack } from './cleanup.ts';
import { sleepSync } from './command.ts';
import type { Host } from './host.ts';
import { LabProcess, patience } from './process.ts';

/** The command of this checkout. */
export const LOSSLOG = fileURLToPath(new URL('../bin/losslog', import.meta.url));

/** How long the recorder may take to attach its probes, and to flush at its end. */
const START_TIMEOUT_MS = patience(30_000);
const STOP_TIMEOUT_MS = patience(30_000);

export type { JsonEvent };

export interface RecorderOptions {
  /** Record these hosts only. */
  hosts?: readonly Host[];
  /** Keep to the limits in a storm, as a user's recorder does. Default: record every event by itself. */
  limited?: boolean;
  /** More arguments of `losslog record`. */
  args?: readonly string[];
  /** An existing store, which is then kept. Default: a new one, removed at the end. */
  storeDir?: string;
  environment?: Record<string, string>;
  /** In front of the command: a program that takes rights away, say. */
  prefix?: readonly string[];
}

export class Recorder {
  readonly storeDir: string;
  readonly process: LabProcess;
  readonly #cleanup = new CleanupStack();
  /** Of its pins, as words of `losslog stop`. */
  readonly #place: readonly string[];
  /** In order: then it has removed its pins itself. */
  #hasEnded = false;
  /** Whether its start is over. */
  #isReady = false;

  private constructor(options: RecorderOptions) {
    this.storeDir = options.storeDir ?? this.#temporaryStore();
    const pin = options.args?.indexOf('--pin') ?? -1;
    this.#place = pin < 0 ? ['--store', this.storeDir] : ['--pin', options.args?.[pin + 1] ?? ''];
    const netns = (options.hosts ?? []).flatMap((host) => ['--netns', host.name]);
    const command = [
      ...(options.prefix ?? []),
      LOSSLOG,
      'record',
      '--store',
      this.storeDir,
      ...netns,
      ...(options.limited ? [] : ['--limit-drops', '0', '--limit-connections', '0']),
      ...(options.args ?? []),
    ];
    this.process = new LabProcess(command, options.environment);
    this.process.exited.then(({ code, signal }) => {
      this.#hasEnded = code === 0;
      // Whoever notices next (no such process, nothing recorded) would not know why.
      if (code !== 0 && this.#isReady && !this.process.wasSignalled)
        process.stderr.write(`losslog record ended by itself with ${signal ?? code}: ${this.process.stderr}`);
    }, String);
    this.#cleanup.defer(() => this.#endInKernel());
    this.#cleanup.defer(() => this.process.kill());
  }

  /** Kills it as a crash would: the kernel records on. Resolves when it is gone. */
  async crash(): Promise<void> {
    this.process.kill();
    await this.process.exited;
  }

  /** What it recorded is for the next recorder of this store: closing it changes nothing. */
  leave(): void {
    this.#hasEnded = true;
  }

  /** After a crash or kill nothing may stay at work. */
  #endInKernel(): void {
    if (this.#hasEnded) return;
    const stop = (): Buffer => execFileSync(LOSSLOG, ['stop', '--discard', ...this.#place], { stdio: 'pipe' });
    for (let left = 50; ; left--) {
      try {
        stop();
        return;
      } catch (error) {
        // The killed process lets go of its pins when it has died.
        if (left === 0 || !String((error as { stderr?: unknown }).stderr).includes('in use by')) throw error;
        sleepSync(20);
      }
    }
  }

  /** Starts recording and resolves once every probe is attached. @throws with its stderr when it ends before that. */
  static async start(options: RecorderOptions = {}): Promise<Recorder> {
    const recorder = new Recorder(options);
    try {
      await recorder.process.stderrLine('losslog: recording', START_TIMEOUT_MS);
      recorder.#isReady = true;
      return recorder;
    } catch (error) {
      recorder.close();
      throw error;
    }
  }

  /** Ends recording as Ctrl-C does; all is stored then. @throws unless it exits with 0. */
  async stop(): Promise<void> {
    this.process.signal('SIGINT');
    const { code, signal } = await this.process.wait(STOP_TIMEOUT_MS);
    if (code !== 0) throw new Error(`losslog record ended with ${signal ?? code}: ${this.process.stderr}`);
  }

  /** What is stored, in order of time, benign drops too; `filters` are flags of `losslog show`. */
  events(...filters: string[]): JsonEvent[] {
    const lines = this.losslog('show', '--json', '--all', '--limit', '0', ...filters).split('\n');
    return lines.filter(Boolean).map((line) => JSON.parse(line) as JsonEvent);
  }

  /** As {@link events}, of one kind; without what was only counted of it. */
  eventsOf<K extends Kind>(kind: K, ...filters: string[]): JsonEvent<K>[] {
    return this.events('--kind', kind, ...filters).filter((event) => event.kind === kind) as JsonEvent<K>[];
  }

  /** What was not seen, as told: coverage that is neither a comparison that came out even nor a step of the clock. */
  gaps(): JsonEvent<'coverage'>[] {
    return this.eventsOf('coverage').filter(({ state }) => state !== 'recording');
  }

  /** Runs another command of losslog on this store and returns its stdout. @throws unless it exits with 0. */
  losslog(command: string, ...args: string[]): string {
    const result = spawnSync(LOSSLOG, [command, '--store', this.storeDir, ...args], {
      encoding: 'utf8',
      maxBuffer: 1 << 30,
      timeout: patience(120_000),
    });
    if (result.error) throw result.error;
    if (result.status !== 0) throw new Error(`losslog ${command} exited with ${result.status}: ${result.stderr}`);
    return result.stdout;
  }

  /** Kills the recorder if it still runs, and removes the store. */
  close(): void {
    this.#cleanup.run();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #temporaryStore(): string {
    const directory = mkdtempSync(join(tmpdir(), 'losslog-store-'));
    this.#cleanup.defer(() => rmSync(directory, { recursive: true, force: true, maxRetries: 10 }));
    return directory;
  }
}
