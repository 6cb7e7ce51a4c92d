/** Between which lines of a log events were lost: those of the CPU that lost them, or of any where it is not named. */

import { parseTraceLine, type TraceLine } from './line.ts';
import type { LostLine } from './lost-line.ts';
import { NO_TIME, type Stamp, stampNs } from './stamp.ts';

/** Events that the kernel could not write between two lines of a CPU. */
export interface LostEvents {
  /** Undefined where the kernel does not know how many. */
  readonly count: number | undefined;
  /** Stamps of the neighbouring lines, ns; undefined at the ends of a log and where stamps are no times. */
  readonly fromNs: bigint | undefined;
  readonly untilNs: bigint | undefined;
}

interface Open {
  readonly cpu: number | undefined;
  readonly count: number | undefined;
  readonly fromNs: bigint | undefined;
}

/** NR_CPUS is 8192 at most. */
const MAX_CPUS = 8192;

export class LostStretches {
  readonly #onLost: (lost: LostEvents) => void;
  /** The last stamp of each CPU, and of all. */
  readonly #secondsOf = new Float64Array(MAX_CPUS).fill(Number.NaN);
  readonly #nsOf = new Float64Array(MAX_CPUS);
  #last: Stamp = NO_TIME;
  /** The last line that was skipped without being read. */
  #unread: string | undefined;
  /** Stretches whose end has not come yet, by CPU. */
  readonly #open = new Map<number | undefined, Open>();

  constructor(onLost: (lost: LostEvents) => void) {
    this.#onLost = onLost;
  }

  /** A line of a log: the end of what its CPU has lost before. */
  note(line: TraceLine): void {
    if (this.#open.size > 0) this.#close(line);
    this.#last = line;
    this.#unread = undefined;
    if (line.cpu === undefined || line.cpu >= MAX_CPUS) return;
    this.#secondsOf[line.cpu] = line.seconds;
    this.#nsOf[line.cpu] = line.ns;
  }

  /** A line that is of no interest but for its stamp. */
  noteUnread(line: string): void {
    const parsed = this.#open.size > 0 ? parseTraceLine(line) : undefined;
    if (parsed) this.note(parsed);
    else this.#unread = line;
  }

  add({ cpu, count }: LostLine): void {
    const unread = this.#unread === undefined ? undefined : parseTraceLine(this.#unread);
    if (unread) this.note(unread);
    this.#emit(cpu, undefined);
    this.#open.set(cpu, { cpu, count, fromNs: this.#lastNs(cpu) });
    const [oldest] = this.#open.keys();
    if (this.#open.size > MAX_CPUS) this.#emit(oldest, undefined);
  }

  /** The log ends. */
  end(): void {
    for (const cpu of [...this.#open.keys()]) this.#emit(cpu, undefined);
  }

  #close(line: TraceLine): void {
    const untilNs = stampNs(line);
    const { cpu } = line;
    this.#emit(cpu, untilNs);
    if (cpu !== undefined) this.#emit(undefined, untilNs);
  }

  #lastNs(cpu: number | undefined): bigint | undefined {
    const ofCpu =
      cpu === undefined || cpu >= MAX_CPUS
        ? undefined
        : stampNs({ seconds: this.#secondsOf[cpu] as number, ns: this.#nsOf[cpu] as number });
    return ofCpu ?? stampNs(this.#last);
  }

  #emit(cpu: number | undefined, untilNs: bigint | undefined): void {
    const open = this.#open.get(cpu);
    if (!open) return;
    this.#open.delete(cpu);
    this.#onLost({ count: open.count, fromNs: open.fromNs, untilNs });
  }
}
