/** What the kernel side could not hand over: full rings, which leave events to be counted, and programs that were skipped. */

import type { Mapping } from '../bpf/memory.ts';
import { programCounters } from '../bpf/program-counters.ts';
import type { LoadedPrograms } from '../bpf/programs.ts';
import { bss, cpuCounters, kind } from '../wire/layout.ts';
import { type Probe, programsOf } from './kernel-facts.ts';
import { countingCpus } from './kernel-objects.ts';

const WORD_SIZE = Uint32Array.BYTES_PER_ELEMENT;
const U64_WORDS = 2;

/** How often the kernel skipped the first program of a probe, and where the second counts what it handled instead. */
interface Skips {
  tracepoint: string;
  firstFd: number;
  index: number;
  /** Misses before recording began. */
  before: number;
}

export class LossCounters {
  readonly #memory: Mapping;
  readonly #skips: readonly Skips[];
  /** Words of the counters of all CPUs that there may be. */
  readonly #end: number;
  #words: Uint32Array;

  constructor(object: LoadedPrograms, probes: readonly Probe[]) {
    this.#memory = object.map('.bss').mapMemory(bss.size);
    this.#words = new Uint32Array(this.#memory.bytes, 0, bss.size / WORD_SIZE);
    this.#end = (bss.counters + countingCpus() * cpuCounters.size) / WORD_SIZE;
    this.#skips = probes.map((probe) => ({
      tracepoint: probe.tracepoint,
      firstFd: object.programFd(programsOf(probe).first),
      index: probe.index,
      before: 0,
    }));
  }

  /** What was missed up to now happened before all probes were attached. */
  begin(): void {
    for (const skips of this.#skips) skips.before = this.#missed(skips);
  }

  /** What {@link begin} found, by tracepoint. */
  get skippedBefore(): Record<string, number> {
    return Object.fromEntries(this.#skips.map(({ tracepoint, before }) => [tracepoint, before]));
  }

  /** Goes on from what another process found when it began. */
  resume(skippedBefore: Readonly<Record<string, number>>): void {
    for (const skips of this.#skips) skips.before = skippedBefore[skips.tracepoint] ?? 0;
  }

  /** Totals since the programs were loaded, by the sentence that says why. */
  read(): Map<string, number> {
    // Neither program of a probe saw it (bpf/probe.h): 0, unless contexts nest deeper than we know.
    const missed = this.#skips.reduce((sum, skips) => sum + Math.max(0, this.#missed(skips)), 0);
    return new Map([
      ['events missed: the kernel skipped both programs of a probe', missed],
      [
        'reports of connections that were beyond the limit or found no room',
        this.#sum(cpuCounters.noRoom, kind.connection),
      ],
    ]);
  }

  /** Events that found their ring full, since the programs were loaded. They are in the summaries. */
  noRoom(): number {
    let sum = 0;
    for (let at = 0; at < kind.count; at++) if (at !== kind.connection) sum += this.#sum(cpuCounters.noRoom, at);
    return sum;
  }

  close(): void {
    this.#words = new Uint32Array(0);
    this.#memory.close();
  }

  #missed({ firstFd, index, before }: Skips): number {
    return programCounters(firstFd).recursionMisses - this.#sum(cpuCounters.rescued, index) - before;
  }

  /** Over all CPUs. A counter stays below 2^53. */
  #sum(array: number, index: number): number {
    let sum = 0;
    const first = (bss.counters + array) / WORD_SIZE + index * U64_WORDS;
    for (let at = first; at < this.#end; at += cpuCounters.size / WORD_SIZE) {
      sum += (this.#words[at] as number) + (this.#words[at + 1] as number) * 2 ** 32;
    }
    return sum;
  }
}
