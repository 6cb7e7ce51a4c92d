/**
 * Reads what the kernel side only counted (bpf/summary.h): begins a new generation, waits until no program is at work on
 * the former one, reads and removes it.
 */

import type { BootNs, WallNs } from '../base/time.ts';
import { waitForPrograms } from '../bpf/grace.ts';
import type { BpfMap } from '../bpf/map.ts';
import type { Mapping } from '../bpf/memory.ts';
import type { BpfObject } from '../bpf/object.ts';
import type { SummaryEvent } from '../event/kinds.ts';
import { possibleCpus } from '../linux/cpus.ts';
import { decodeSummary, type Entry, generationOf, summarizedKind } from '../wire/decode-summary.ts';
import type { Decoded, Decoding } from '../wire/head.ts';
import { bound, bss, control, cpuCounters, kind, overflow, summary, summaryKey, summaryState } from '../wire/layout.ts';

type Summarized = Decoded & { event: SummaryEvent };

const NO_SOCKET = { sk: 0n, cgroupId: 0n, cgroupHierarchy: 0 };

export class Summaries {
  readonly #memory: Mapping;
  readonly #maps: readonly { map: BpfMap; isTotal: boolean }[];
  readonly #decoding: Decoding;
  readonly #now: () => { boot: BootNs; wall: WallNs };
  readonly #cpus: number;
  #view: DataView;
  #lastTime: { boot: BootNs; wall: WallNs };
  /** Something may lie in the maps that a recorder before this one did not take any more. */
  #isFirst = true;

  constructor(object: BpfObject, decoding: Decoding, now: () => { boot: BootNs; wall: WallNs }) {
    this.#memory = object.map('.bss').mapMemory(bss.size, true);
    this.#view = new DataView(this.#memory.bytes);
    this.#maps = [
      { map: object.map('summaries'), isTotal: false },
      { map: object.map('summary_totals'), isTotal: true },
    ];
    this.#decoding = decoding;
    this.#now = now;
    this.#lastTime = now();
    this.#cpus = Math.min(possibleCpus(), bound.cpus);
  }

  /**
   * What was counted since the last call. When there is something it waits for the kernel, some 5 to 50 ms.
   * @throws BPF
   */
  take(): Summarized[] {
    if (this.#view.byteLength === 0) return [];
    const from = this.#lastTime;
    this.#lastTime = this.#now();
    const generation = this.#view.getUint32(bss.control + control.generation, true);
    const used = this.#view.getUint32(bss.summaryState + summaryState.used, true);
    const merged = new Map<string, Summarized>();
    if (this.#isFirst || used === (generation + 1) >>> 0) this.#takeGeneration(generation, merged);
    this.#isFirst = false;
    return [...merged.values(), ...this.#takeOverflow(from.boot, from.wall)];
  }

  close(): void {
    if (this.#view.byteLength === 0) return;
    this.#view = new DataView(new ArrayBuffer(0));
    this.#memory.close();
  }

  #takeGeneration(generation: number, merged: Map<string, Summarized>): void {
    this.#view.setBigUint64(bss.control + control.generation, BigInt(generation) + 1n, true);
    waitForPrograms();
    for (const { map, isTotal } of this.#maps) {
      for (const { keys, values, count } of map.entries(summaryKey.size, summary.size)) {
        let taken = 0;
        for (let i = 0; i < count; i++) {
          const entry = { keys, keyAt: i * summaryKey.size, values, valueAt: i * summary.size };
          if (generationOf(entry) > generation) continue;
          add(merged, this.#decode(entry, isTotal));
          // moved together at the begin of the buffer, to be removed at once
          keys.copyWithin(taken++ * summaryKey.size, entry.keyAt, entry.keyAt + summaryKey.size);
        }
        map.remove(keys, taken);
      }
    }
  }

  #decode(entry: Entry, isTotal: boolean): Summarized {
    return decodeSummary(entry, isTotal, this.#decoding);
  }

  /** What found no room in any map. How much of it was told is noted beside it, for the recorder after this one. */
  #takeOverflow(boot: BootNs, from: WallNs): Summarized[] {
    const taken: Summarized[] = [];
    for (let recordKind = 0; recordKind < kind.count; recordKind++) {
      const toldAt = bss.control + control.told + recordKind * overflow.size;
      const [events, segments, bytes] = [overflow.events, overflow.segments, overflow.bytes].map((field) => {
        const total = this.#sum(cpuCounters.overflow + recordKind * overflow.size + field);
        const since = total - this.#view.getBigUint64(toldAt + field, true);
        this.#view.setBigUint64(toldAt + field, total, true);
        return Number(since);
      }) as [number, number, number];
      if (events === 0) continue;
      const of = summarizedKind(recordKind);
      const event: SummaryEvent = {
        kind: 'summary',
        time: from,
        bootNs: boot,
        of,
        events,
        from,
        until: this.#lastTime.wall,
        lacks: 'key',
        ...(of === 'retransmit' ? { segments } : {}),
        ...(of === 'reset' ? {} : { bytes }),
        ...(recordKind === kind.synack ? { cause: 'syn-ack' } : {}),
        ...(of === 'drop' ? { class: 'unknown' } : {}),
      };
      taken.push({ event, socket: NO_SOCKET });
    }
    return taken;
  }

  /** A counter over all CPUs. */
  #sum(field: number): bigint {
    let sum = 0n;
    for (let cpu = 0; cpu < this.#cpus; cpu++) {
      sum += this.#view.getBigUint64(bss.counters + cpu * cpuCounters.size + field, true);
    }
    return sum;
  }
}

/** The kernel side counts for each CPU, and by facts that make no difference here. */
function add(merged: Map<string, Summarized>, one: Summarized): void {
  const key = identityOf(one);
  const known = merged.get(key)?.event;
  if (known === undefined) {
    merged.set(key, one);
    return;
  }
  const { event } = one;
  known.events += event.events;
  if (known.segments !== undefined) known.segments += event.segments ?? 0;
  if (known.bytes !== undefined) known.bytes += event.bytes ?? 0;
  if (event.from < known.from) {
    known.from = event.from;
    known.time = event.time;
    known.bootNs = event.bootNs as bigint;
  }
  if (event.until > known.until) known.until = event.until;
}

/** Equal for what is shown as one. */
function identityOf({ event, socket }: Summarized): string {
  const { of, netns, cause, failed, state, reason, subsystem, location, direction, protocol, lacks } = event;
  return [
    ...[of, netns, socket.sk, event.sport, event.dport, cause, failed, state],
    ...[reason, subsystem, location, event.class, direction, protocol, lacks],
  ].join('|');
}
