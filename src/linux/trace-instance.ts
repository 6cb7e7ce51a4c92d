/** A tracing instance of our own (Documentation/trace/ftrace.rst, "Instances"): the global buffer is never touched. */

import {
  closeSync,
  constants,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  rmdirSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { errnoOf, LosslogError, messageOf } from '../base/errors.ts';
import { processStart } from './proc.ts';
import { type PageLayout, parsePageLayout } from './trace-page.ts';

const PREFIX = 'losslog-';
/** All buffers together. */
const TOTAL_KB = 64 * 1024;
const MIN_CPU_KB = 512;
const MAX_CPU_KB = 8192;

export class TraceInstance {
  readonly path: string;
  readonly layout: PageLayout;
  /** `per_cpu/cpuN/trace_pipe_raw`, open and not blocking. */
  readonly fds: readonly number[];
  readonly #cpus: readonly string[];
  readonly #page: Buffer;
  /** The CPU that is read first. */
  #first = 0;

  /**
   * Makes an instance whose time stamps count from boot, suspend included (trace_clock `boot`).
   * @throws NOT_PERMITTED, NOT_SUPPORTED
   */
  static create(tracefs: string): TraceInstance {
    const path = join(tracefs, 'instances', `${PREFIX}${process.pid}-${processStart(process.pid) ?? 0n}`);
    try {
      mkdirSync(path);
    } catch (error) {
      throw refused(error);
    }
    try {
      return new TraceInstance(tracefs, path);
    } catch (error) {
      rmdirSync(path);
      throw refused(error);
    }
  }

  private constructor(tracefs: string, path: string) {
    this.path = path;
    this.layout = parsePageLayout(readFileSync(join(tracefs, 'events/header_page'), 'utf8'));
    this.#page = Buffer.alloc(this.layout.size);
    this.#cpus = readdirSync(join(path, 'per_cpu')).filter((name) => /^cpu\d+$/.test(name));
    const perCpu = Math.min(MAX_CPU_KB, Math.max(MIN_CPU_KB, Math.floor(TOTAL_KB / this.#cpus.length)));
    this.#write('trace_clock', 'boot');
    this.#write('buffer_size_kb', String(perCpu));
    try {
      this.#write('buffer_percent', '0'); // wake a reader at the first event, not when the buffer is half full
    } catch {
      // Linux before 5.0 has no such file and wakes at once.
    }
    this.fds = this.#cpus.map((cpu) =>
      openSync(join(path, 'per_cpu', cpu, 'trace_pipe_raw'), constants.O_RDONLY | constants.O_NONBLOCK),
    );
  }

  /** Begins or ends recording an event. @throws NOT_SUPPORTED when there is no such event. */
  enable(group: string, event: string, isOn = true): void {
    try {
      this.#write(join('events', group, event, 'enable'), isOn ? '1' : '0');
    } catch (error) {
      throw new LosslogError('NOT_SUPPORTED', `cannot trace ${group}:${event}: ${messageOf(error)}`, { cause: error });
    }
  }

  /**
   * Reads what is there and calls `onPage` for each page; the buffer is used again for the next.
   * @param untilMs ends it at this time of performance.now(), though more may be there
   * @returns how many pages.
   */
  drain(onPage: (page: Buffer, cpu: number) => void, untilMs = Number.POSITIVE_INFINITY): number {
    let pages = 0;
    for (const [cpu, fd] of this.#inTurn()) {
      for (let length = this.#read(fd); length > 0; length = performance.now() < untilMs ? this.#read(fd) : 0) {
        pages++;
        onPage(this.#page.subarray(0, length), cpu);
      }
    }
    return pages;
  }

  /** Each time another CPU comes first, since there may be no time for the last. */
  #inTurn(): [number, number][] {
    const all = [...this.fds.entries()];
    this.#first = (this.#first + 1) % Math.max(1, all.length);
    return [...all.slice(this.#first), ...all.slice(0, this.#first)];
  }

  /** Events that were overwritten or refused because a buffer was full, since the instance was made. */
  lost(): number {
    return this.#cpus.reduce(
      (sum, cpu) => sum + lostOf(readFileSync(join(this.path, 'per_cpu', cpu, 'stats'), 'utf8')),
      0,
    );
  }

  /** Removes the instance with its buffers. */
  close(): void {
    for (const fd of this.fds) closeSync(fd);
    rmdirSync(this.path);
  }

  #read(fd: number): number {
    try {
      return readSync(fd, this.#page, 0, this.#page.length, null);
    } catch (error) {
      if (errnoOf(error) === 'EAGAIN') return 0;
      throw error;
    }
  }

  #write(file: string, text: string): void {
    writeFileSync(join(this.path, file), text, { flag: 'w' });
  }
}

/** @param stats of one CPU */
export function lostOf(stats: string): number {
  const count = (name: string): number => Number(new RegExp(String.raw`^${name}: (\d+)$`, 'm').exec(stats)?.[1] ?? 0);
  return count('overrun') + count('commit overrun') + count('dropped events');
}

/**
 * Removes the instances that recorders left which are gone; no other, however it is named. One that is read cannot be
 * removed, wherever its reader runs.
 */
export function removeDeadInstances(tracefs: string): string[] {
  return readdirSync(join(tracefs, 'instances')).filter((name) => {
    const [, pid, start] = /^losslog-(\d+)-(\d+)$/.exec(name) ?? [];
    if (pid === undefined || start === undefined || processStart(Number(pid)) === BigInt(start)) return false;
    try {
      rmdirSync(join(tracefs, 'instances', name));
      return true;
    } catch {
      return false;
    }
  });
}

function refused(cause: unknown): LosslogError {
  if (cause instanceof LosslogError) return cause;
  const errno = errnoOf(cause);
  if (errno === 'EACCES' || errno === 'EPERM' || errno === 'EROFS') {
    return new LosslogError('NOT_PERMITTED', `cannot make a tracing instance: ${messageOf(cause)}`, {
      hint: 'run as root',
      cause,
    });
  }
  return new LosslogError('NOT_SUPPORTED', `cannot make a tracing instance: ${messageOf(cause)}`, {
    hint: 'a kernel with CONFIG_TRACING is needed',
    cause,
  });
}
