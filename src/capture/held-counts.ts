/** How many events pinned programs hold, also of a release whose layout is another: what that takes stands in the ledger, as numbers. */

import type { PinnedObject } from '../bpf/pinned-object.ts';
import type { RingBuffer } from '../bpf/ring.ts';
import { bound, bss, control, cpuCounters, hotSummary, kind, overflow, summary, summaryKey } from '../wire/layout.ts';
import { countingCpus } from './kernel-objects.ts';

/** Places in bytes; numbers are little-endian, as on every host that BPF programs of losslog run on. */
export interface CountPlaces {
  /** Hash maps with a count in each value (u64), under a key with the generation that it was counted in (u32). */
  readonly maps: readonly string[];
  readonly key: { readonly size: number; readonly generation: number };
  readonly value: { readonly size: number; readonly events: number };
  /** Of `.bss`: the first generation that is not stored (u64), and counts (u64) that are kept for each CPU, with how much of each is stored. */
  readonly memory: {
    readonly size: number;
    readonly stored: number;
    readonly cpus: number;
    readonly stride: number;
    readonly counts: readonly { readonly at: number; readonly stored: number }[];
    /** Keys with their counts that are not in a map; absent in releases that had none. */
    readonly hot?: {
      readonly at: number;
      readonly stride: number;
      readonly count: number;
      /** Within one of them: whether it is taken (u64), its generation (u32) and count (u64). */
      readonly taken: number;
      readonly generation: number;
      readonly events: number;
    };
  };
}

/** Of this release. */
export const countPlaces = (): CountPlaces => ({
  maps: ['summaries', 'summary_totals'],
  key: { size: summaryKey.size, generation: summaryKey.generation },
  value: { size: summary.size, events: summary.events },
  memory: {
    size: bss.size,
    stored: bss.control + control.stored,
    cpus: countingCpus(),
    stride: cpuCounters.size,
    counts: Array.from({ length: kind.count }, (_, of) => ({
      at: bss.counters + cpuCounters.overflow + of * overflow.size + overflow.events,
      stored: bss.control + control.told + of * overflow.size + overflow.events,
    })),
    hot: {
      at: bss.hot,
      stride: hotSummary.size,
      count: countingCpus() * bound.hotGenerations,
      taken: hotSummary.taken,
      generation: hotSummary.keyGeneration,
      events: hotSummary.countsEvents,
    },
  },
});

/** Of the maps that hold records, in every release. */
const RING_SUFFIX = '_ring';

/** Records that nobody took out of the rings. @throws BPF */
export function heldRecords(object: PinnedObject, maps: readonly string[]): number {
  const rings = maps.filter((name) => name.endsWith(RING_SUFFIX));
  return rings.reduce((total, name) => total + countRecords(object.map(name).ring()), 0);
}

function countRecords(ring: RingBuffer): number {
  const count = ring.drain(() => {});
  ring.close();
  return count;
}

/** Events that were only counted and are not stored. The programs must be detached. @throws BPF */
export function heldCounts(object: PinnedObject, { maps, key, value, memory }: CountPlaces): number {
  const mapping = object.map('.bss').mapMemory(memory.size);
  try {
    const view = new DataView(mapping.bytes);
    const u64 = (at: number): number => Number(view.getBigUint64(at, true));
    let total = 0;
    for (const { at, stored } of memory.counts) {
      for (let cpu = 0; cpu < memory.cpus; cpu++) total += u64(at + cpu * memory.stride);
      total -= u64(stored);
    }
    const unstored = u64(memory.stored);
    for (let i = 0; memory.hot && i < memory.hot.count; i++) {
      const at = memory.hot.at + i * memory.hot.stride;
      const isHeld = u64(at + memory.hot.taken) !== 0 && view.getUint32(at + memory.hot.generation, true) >= unstored;
      if (isHeld) total += u64(at + memory.hot.events);
    }
    for (const name of maps) {
      for (const { keys, values, count } of object.map(name).entries(key.size, value.size)) {
        for (let i = 0; i < count; i++) {
          if (keys.readUInt32LE(i * key.size + key.generation) < unstored) continue;
          total += Number(values.readBigUInt64LE(i * value.size + value.events));
        }
      }
    }
    return total;
  } finally {
    mapping.close();
  }
}
