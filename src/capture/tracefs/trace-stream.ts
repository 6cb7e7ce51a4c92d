/** Events out of a tracing instance: read, given their time and place, and handed over in batches. */

import { messageOf } from '../../base/errors.ts';
import { type BootNs, bootNs, type WallNs } from '../../base/time.ts';
import { RingPoller } from '../../bpf/ring-poller.ts';
import type { PacketEvent } from '../../event/kinds.ts';
import { TraceInstance } from '../../linux/trace-instance.ts';
import { readTracePage } from '../../linux/trace-page.ts';
import type { Decoded, SocketKey } from '../../wire/head.ts';
import type { CaptureHandlers, Counted } from '../capture.ts';
import { EventLimiter } from '../event-limiter.ts';
import { DEFAULT_LIMITS, type Limits } from '../limits.ts';
import { SocketFinder } from './socket-finder.ts';
import type { TraceEvent } from './tracepoints.ts';

export interface TraceStreamOptions {
  /** Inodes of the namespaces to record; empty: all. */
  netns: readonly number[];
  /** By itself {@link DEFAULT_LIMITS}. */
  limits?: Limits;
  toWall(time: BootNs): WallNs;
}

/** @param id that the event begins with @returns undefined for what is no event of ours, or not yet one */
export type DecodeTraceEvent = (
  id: number,
  cpu: number,
  bytes: Buffer,
  offset: number,
  length: number,
) => TraceEvent | undefined;

/** A name of an event in its group. */
export type EventName = readonly [group: string, event: string];

/** Handed over at once at most. */
const BATCH = 4096;
/** Events wait so long for their sockets to be looked up; the tables may not be read more often. */
const LOOK_UP_MS = 50;
/** A look at the buffers ends after so long, a quarter of the 20 ms between two in a storm; what they cannot hold meanwhile is lost, and told. */
const MAX_DRAIN_MS = 5;
const NO_SOCKET: SocketKey = { sk: 0n, cgroupId: 0n, cgroupHierarchy: 0 };

export class TraceStream {
  readonly #options: TraceStreamOptions;
  readonly #decode: DecodeTraceEvent;
  readonly #instance: TraceInstance;
  readonly #sockets = new SocketFinder();
  readonly #limiter: EventLimiter;
  #events: readonly EventName[] = [];
  #poller: RingPoller | undefined;
  #handlers: CaptureHandlers | undefined;
  #waiting: PacketEvent[] = [];
  #timer: NodeJS.Timeout | undefined;

  /** @throws NOT_SUPPORTED, NOT_PERMITTED */
  constructor(tracefs: string, options: TraceStreamOptions, decode: DecodeTraceEvent) {
    this.#options = options;
    this.#decode = decode;
    this.#limiter = new EventLimiter(options.limits ?? DEFAULT_LIMITS);
    this.#instance = TraceInstance.create(tracefs);
  }

  /** @throws NOT_SUPPORTED */
  start(events: readonly EventName[], handlers: CaptureHandlers, canPoll: boolean): void {
    this.#handlers = handlers;
    this.#events = events;
    for (const [group, event] of events) this.#instance.enable(group, event);
    const onError = (error: unknown): void => handlers.onError(messageOf(error));
    this.#poller = new RingPoller(
      this.#instance.fds,
      { drain: () => this.#drain(), isHeld: () => false, onError },
      canPoll,
    );
  }

  takeSummaries(): Counted {
    return { summaries: this.#limiter.take(), noRoom: 0 };
  }

  losses(): Map<string, number> {
    return new Map([['events lost: a buffer of ftrace was full', this.#instance.lost()]]);
  }

  /** Hands over what is still there. */
  stop(): void {
    this.#poller?.close();
    for (const [group, event] of this.#events) this.#instance.enable(group, event, false);
    this.#drain(Number.POSITIVE_INFINITY);
    this.#handOver();
  }

  close(): void {
    this.#poller?.close();
    clearTimeout(this.#timer);
    this.#instance.close();
  }

  /** @returns how many events there were. */
  #drain(maxMs = MAX_DRAIN_MS): number {
    this.#handlers?.beforeRecords?.();
    let events = 0;
    this.#instance.drain((page, cpu) => {
      events += this.#take(page, cpu);
      if (this.#waiting.length >= BATCH) this.#handOver();
    }, performance.now() + maxMs);
    if (this.#waiting.length > 0) {
      this.#timer ??= setTimeout(() => this.#handOver(), Math.max(LOOK_UP_MS, this.#sockets.waitMs));
    }
    return events;
  }

  #take(page: Buffer, cpu: number): number {
    let events = 0;
    try {
      readTracePage(page, this.#instance.layout, (bytes, offset, length, time) => {
        const told = length >= 2 ? this.#decode(bytes.readUInt16LE(offset), cpu, bytes, offset, length) : undefined;
        if (!told) return;
        const stamp = bootNs(time);
        const event = { ...told, time: this.#options.toWall(stamp), bootNs: stamp } as PacketEvent;
        events++;
        if (this.#isWanted(event) && this.#limiter.admit(event)) this.#waiting.push(event);
      });
    } catch (error) {
      this.#handlers?.onError(messageOf(error));
    }
    return events;
  }

  #handOver(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const events = this.#waiting;
    this.#waiting = [];
    this.#sockets.complete(events);
    const wanted = events.filter((event) => this.#isWanted(event));
    if (wanted.length > 0) this.#handlers?.onEvents(wanted.map((event): Decoded => ({ event, socket: NO_SOCKET })));
  }

  /** What cannot be told to be of another namespace is kept. */
  #isWanted({ netns }: PacketEvent): boolean {
    return netns === undefined || this.#options.netns.length === 0 || this.#options.netns.includes(netns);
  }
}
