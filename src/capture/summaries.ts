/**
 * Reads what the kernel side only counted (bpf/summary.h): begins a new generation, waits until no program is at work on
 * the former one, and reads it. It is removed once it is stored: a recorder that is killed before leaves it to the next one.
 */

import type { BootNs, WallNs } from '../base/time.ts';
import { waitForPrograms } from '../bpf/grace.ts';
import type { BpfMap } from '../bpf/map.ts';
import type { Mapping } from '../bpf/memory.ts';
import type { LoadedPrograms } from '../bpf/programs.ts';
import type { SummaryEvent } from '../event/kinds.ts';
import { decodeSummary, type Entry, generationOf, summarizedKind } from '../wire/decode-summary.ts';
import type { Decoded, Decoding } from '../wire/head.ts';
import {
  bound,
  bss,
  control,
  cpuCounters,
  hotSummary,
  kind,
  overflow,
  summary,
  summaryKey,
  summaryState,
} from '../wire/layout.ts';
import { countingCpus } from './kernel-objects.ts';

type Summarized = Decoded & { event: SummaryEvent };

const NO_SOCKET = { sk: 0n, cgroupId: 0n, cgroupHierarchy: 0 };

/** What {@link Summaries.take} read. */
interface Taken {
  /** Counts up with each call that found something. */
  readonly number: number;
  readonly generation: number;
  readonly keys: readonly { map: BpfMap; keys: Buffer; count: number }[];
  /** Places of keys that are not in a map, in `.bss`. */
  readonly hot: readonly number[];
  /** By places in `.bss`: how much of the overflow is told with it. */
  readonly told: ReadonlyMap<number, bigint>;
}

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
  /** Read and not yet stored, oldest first. */
  #taken: Taken[] = [];
  #number = 0;
  /** The first generation that was not read yet. */
  #unread: number;
  /** How much of the overflow was handed over, by places in `.bss`. */
  readonly #told = new Map<number, bigint>();

  constructor(object: LoadedPrograms, decoding: Decoding, now: () => { boot: BootNs; wall: WallNs }) {
    this.#memory = object.map('.bss').mapMemory(bss.size, true);
    this.#view = new DataView(this.#memory.bytes);
    this.#maps = [
      { map: object.map('summaries'), isTotal: false },
      { map: object.map('summary_totals'), isTotal: true },
    ];
    this.#decoding = decoding;
    this.#now = now;
    this.#lastTime = now();
    this.#cpus = countingCpus();
    this.#unread = Number(this.#view.getBigUint64(bss.control + control.stored, true));
  }

  /** How many calls of {@link take} found something: a place in the stream, for {@link release}. */
  get number(): number {
    return this.#number;
  }

  /** Whether something was counted that is not stored. */
  get isHeld(): boolean {
    return this.#taken.length > 0 || (this.#view.byteLength > 0 && this.#isUsed(this.#generation));
  }

  /** The one under which programs count now. */
  get #generation(): number {
    return this.#view.getUint32(bss.control + control.generation, true);
  }

  #isUsed(generation: number): boolean {
    return this.#view.getUint32(bss.summaryState + summaryState.used, true) === (generation + 1) >>> 0;
  }

  /** Removes what was taken up to a place in the stream: it is stored. @throws BPF */
  release(number: number): void {
    while (this.#view.byteLength > 0 && (this.#taken[0]?.number ?? Number.POSITIVE_INFINITY) <= number) {
      const { generation, keys, hot, told } = this.#taken.shift() as Taken;
      // Before anything is removed: of what is left after a kill in between the next recorder sees that it is stored.
      this.#view.setBigUint64(bss.control + control.stored, BigInt(generation) + 1n, true);
      for (const [at, total] of told) this.#view.setBigUint64(at, total, true);
      for (const each of keys) each.map.remove(each.keys, each.count);
      for (const at of hot) this.#view.setBigUint64(at + hotSummary.taken, 0n, true);
    }
  }

  /**
   * What was counted since the last call. When there is something it waits for the kernel, some 5 to 50 ms.
   * @throws BPF
   */
  take(): Summarized[] {
    if (this.#view.byteLength === 0) return [];
    const from = this.#lastTime;
    this.#lastTime = this.#now();
    const generation = this.#generation;
    const merged = new Map<string, Summarized>();
    const { keys, hot } =
      this.#isFirst || this.#isUsed(generation) ? this.#takeGeneration(generation, merged) : { keys: [], hot: [] };
    this.#isFirst = false;
    const told = new Map<number, bigint>();
    const summaries = [...merged.values(), ...this.#takeOverflow(from.boot, from.wall, told)];
    if (keys.length > 0 || hot.length > 0 || told.size > 0)
      this.#taken.push({ number: ++this.#number, generation, keys, hot, told });
    return summaries;
  }

  /** Whether retransmissions or resets were counted since they were taken last. */
  get hasConnections(): boolean {
    if (this.#view.byteLength === 0) return false;
    const generation = this.#view.getUint32(bss.control + control.generation, true);
    return this.#view.getUint32(bss.summaryState + summaryState.connections, true) === (generation + 1) >>> 0;
  }

  close(): void {
    if (this.#view.byteLength === 0) return;
    this.#view = new DataView(new ArrayBuffer(0));
    this.#memory.close();
  }

  #takeGeneration(generation: number, merged: Map<string, Summarized>): Pick<Taken, 'keys' | 'hot'> {
    this.#view.setBigUint64(bss.control + control.generation, BigInt(generation) + 1n, true);
    waitForPrograms();
    const taken: { map: BpfMap; keys: Buffer; count: number }[] = [];
    /** Whether an entry is of the past; what was not read before is added up. */
    const take = (entry: Entry, isTotal: boolean): boolean => {
      const own = generationOf(entry);
      const isNew = own >= this.#unread;
      // What was read before is on its way to the disk, or stored by a recorder that did not come to remove it.
      if (own > generation || !(isNew || this.#isFirst)) return false;
      if (isNew) add(merged, this.#decode(entry, isTotal), own);
      return true;
    };
    const hot = this.#hotPlaces().filter(({ entry }) => take(entry, false));
    for (const { map, isTotal } of this.#maps) {
      for (const { keys, values, count } of map.entries(summaryKey.size, summary.size)) {
        const ofPast: Buffer[] = [];
        for (let i = 0; i < count; i++) {
          const entry = { keys, keyAt: i * summaryKey.size, values, valueAt: i * summary.size };
          if (take(entry, isTotal)) ofPast.push(Buffer.from(keys.subarray(entry.keyAt, entry.keyAt + summaryKey.size)));
        }
        if (ofPast.length > 0) taken.push({ map, keys: Buffer.concat(ofPast), count: ofPast.length });
      }
    }
    this.#unread = generation + 1;
    return { keys: taken, hot: hot.map(({ at }) => at) };
  }

  /** Places beside the maps that a key has taken. */
  #hotPlaces(): { at: number; entry: Entry }[] {
    const bytes = Buffer.from(this.#memory.bytes);
    return Array.from({ length: this.#cpus * bound.hotGenerations }, (_, i) => bss.hot + i * hotSummary.size)
      .filter((at) => this.#view.getBigUint64(at + hotSummary.taken, true) !== 0n)
      .map((at) => ({
        at,
        entry: { keys: bytes, keyAt: at + hotSummary.key, values: bytes, valueAt: at + hotSummary.counts },
      }));
  }

  #decode(entry: Entry, isTotal: boolean): Summarized {
    return decodeSummary(entry, isTotal, this.#decoding);
  }

  /**
   * What found no room in any map. How much of it was told is noted beside it, for the recorder after this one.
   * @param told gets what is to be noted, by places in `.bss`
   */
  #takeOverflow(boot: BootNs, from: WallNs, told: Map<number, bigint>): Summarized[] {
    const taken: Summarized[] = [];
    for (let recordKind = 0; recordKind < kind.count; recordKind++) {
      const toldAt = bss.control + control.told + recordKind * overflow.size;
      const [events, segments, bytes] = [overflow.events, overflow.segments, overflow.bytes].map((field) => {
        const total = this.#sum(cpuCounters.overflow + recordKind * overflow.size + field);
        const place = toldAt + field;
        const since = total - (this.#told.get(place) ?? this.#view.getBigUint64(place, true));
        this.#told.set(place, total);
        if (since > 0n) told.set(place, total);
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

/**
 * The kernel side counts for each CPU, and by facts that make no difference here. Generations are kept apart: the same one gives
 * the same summaries again when a recorder was killed that had just stored them.
 */
function add(merged: Map<string, Summarized>, one: Summarized, generation: number): void {
  const key = `${generation}|${identityOf(one)}`;
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
