/**
 * The limits of a source that cannot count in the kernel: as bpf/limit.h and bpf/summary.h, for events that were read and
 * decoded. What is beyond is counted by the same keys and becomes summaries.
 */

import { bootNs } from '../base/time.ts';
import type { PacketEvent, SummaryEvent } from '../event/kinds.ts';
import type { Decoded, SocketKey } from '../wire/head.ts';
import { BURST_SECONDS, type Limits } from './limits.ts';

const NS_PER_S = 1e9;
/** Keys that are told apart between two calls of {@link EventLimiter.take}. */
const MAX_KEYS = 8192;
const NO_SOCKET: SocketKey = { sk: 0n, cgroupId: 0n, cgroupHierarchy: 0 };

export class EventLimiter {
  readonly #limits: Limits;
  /** When the next record of a key, or of a lane, is due: ns since boot. */
  readonly #due = new Map<string, number>();
  readonly #counted = new Map<string, SummaryEvent>();

  constructor(limits: Limits) {
    this.#limits = limits;
  }

  /** Whether the event becomes a record; else it was counted. Events come about in the order of their time. */
  admit(event: PacketEvent): boolean {
    const lane = event.kind === 'drop' ? 'drops' : 'connections';
    const { perKey, total } = this.#limits[lane];
    if (perKey === 0 && total === 0) return true;
    const key = keyOf(event);
    const nowNs = Number(event.bootNs ?? 0n);
    const burst = BURST_SECONDS[lane];
    const isBeyond =
      (perKey > 0 && this.#isAhead(key, nowNs, burst.perKey)) || (total > 0 && this.#isAhead(lane, nowNs, burst.total));
    if (isBeyond) {
      this.#count(event, key);
      return false;
    }
    this.#advance(key, perKey, nowNs);
    this.#advance(lane, total, nowNs);
    return true;
  }

  /** What was counted since the last call. */
  take(): Decoded[] {
    const taken = [...this.#counted.values()].map((event) => ({ event, socket: NO_SOCKET }));
    this.#counted.clear();
    if (this.#due.size > MAX_KEYS) this.#due.clear();
    return taken;
  }

  #isAhead(key: string, nowNs: number, burstSeconds: number): boolean {
    return (this.#due.get(key) ?? 0) > nowNs + burstSeconds * NS_PER_S;
  }

  #advance(key: string, rate: number, nowNs: number): void {
    if (rate > 0) this.#due.set(key, Math.max(this.#due.get(key) ?? 0, nowNs) + NS_PER_S / rate);
  }

  #count(event: PacketEvent, key: string): void {
    let id = `${key} ${causeOf(event)}`;
    if (!this.#counted.has(id) && this.#counted.size >= MAX_KEYS) id = event.kind;
    const known = this.#counted.get(id);
    if (known) add(known, event);
    else this.#counted.set(id, summaryOf(event, id === event.kind));
  }
}

function keyOf(event: PacketEvent): string {
  if (event.kind === 'drop') return `drop ${event.reason} ${event.location} ${event.netns} ${event.class}`;
  return `${event.kind} ${event.netns} ${event.sport} ${event.dport} ${event.dst}`;
}

const causeOf = (event: PacketEvent): string | undefined =>
  event.kind === 'retransmit' ? event.cause : event.kind === 'reset' ? `${event.direction} ${event.reason}` : undefined;

const bytesOf = (event: PacketEvent): number | undefined =>
  event.kind === 'drop' ? event.length : event.kind === 'retransmit' ? event.bytes : undefined;

/** The summary of one event. @param isRest for want of room only its kind is kept */
function summaryOf(event: PacketEvent, isRest: boolean): SummaryEvent {
  const { kind: of, time } = event;
  const base: SummaryEvent = {
    ...{ kind: 'summary', of, events: 1, time, bootNs: event.bootNs ?? bootNs(0n), from: time, until: time },
    ...(of === 'drop' ? { class: isRest ? 'unknown' : event.class } : {}),
  };
  const sums = { segments: of === 'retransmit' ? event.segments : undefined, bytes: bytesOf(event) };
  const shared = isRest ? { lacks: 'key' } : sharedFields(event);
  for (const [name, value] of Object.entries({ ...shared, ...sums })) {
    if (value !== undefined) Object.assign(base, { [name]: value });
  }
  return base;
}

/** What all events of a key have in common. */
function sharedFields(event: PacketEvent): Partial<Record<keyof SummaryEvent, unknown>> {
  const { netns } = event;
  if (event.kind === 'drop') {
    const { reason, subsystem, location } = event;
    return { netns, reason, subsystem, location };
  }
  const { family, src, sport, dst, dport, pid, process, ownerHow, cgroup, container } = event;
  const whose = { family, src, sport, dst, dport, netns, pid, process, ownerHow, cgroup, container };
  if (event.kind === 'retransmit') return { ...whose, cause: event.cause };
  return { ...whose, direction: event.direction, reason: event.reason };
}

function add(known: SummaryEvent, event: PacketEvent): void {
  known.events++;
  if (event.kind === 'retransmit' && known.segments !== undefined) known.segments += event.segments ?? 0;
  if (known.bytes !== undefined) known.bytes += bytesOf(event) ?? 0;
  if (event.time > known.until) known.until = event.time;
}
