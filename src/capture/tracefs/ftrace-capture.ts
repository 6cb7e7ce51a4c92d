/** The source of events on a kernel without BPF or without type information: its own tracepoints, by ftrace. */

import { LosslogError, messageOf } from '../../base/errors.ts';
import { type BootNs, bootNs, type WallNs } from '../../base/time.ts';
import { RingPoller } from '../../bpf/ring-poller.ts';
import type { PacketEvent } from '../../event/kinds.ts';
import { removeDeadInstances, TraceInstance } from '../../linux/trace-instance.ts';
import { readTracePage } from '../../linux/trace-page.ts';
import { readEventFormat } from '../../linux/tracefs.ts';
import { type OpenTracefs, openTracefs } from '../../linux/tracefs-mount.ts';
import type { Decoded, SocketKey } from '../../wire/head.ts';
import type { Capture, CaptureHandlers } from '../capture.ts';
import { kernelNaming } from './naming.ts';
import { ProcOwners } from './proc-owners.ts';
import { SocketFinder } from './socket-finder.ts';
import type { TraceFields } from './trace-fields.ts';
import { fieldsOf, type Naming, TRACEPOINTS, type Tracepoint } from './tracepoints.ts';

/** Handed over at once at most. */
const BATCH = 4096;
/** Events wait so long for their sockets to be looked up; the tables may not be read more often. */
const LOOK_UP_MS = 50;
const NO_SOCKET: SocketKey = { sk: 0n, cgroupId: 0n, cgroupHierarchy: 0 };

export interface FtraceCaptureOptions {
  /** Inodes of the namespaces to record; empty: all. */
  netns: readonly number[];
  drops: boolean;
  toWall(time: BootNs): WallNs;
}

interface Armed {
  readonly tracepoint: Tracepoint;
  readonly fields: TraceFields;
}

export class FtraceCapture implements Capture {
  readonly source = 'ftrace';
  readonly owners = new ProcOwners();
  readonly missing: readonly string[];
  readonly blindSpots: readonly string[];
  readonly #options: FtraceCaptureOptions;
  readonly #tracefs: OpenTracefs;
  readonly #instance: TraceInstance;
  /** By the id that events of it begin with. */
  readonly #armed: ReadonlyMap<number, Armed>;
  readonly #naming: Naming;
  readonly #sockets = new SocketFinder();
  #poller: RingPoller | undefined;
  #handlers: CaptureHandlers | undefined;
  #waiting: PacketEvent[] = [];
  #timer: NodeJS.Timeout | undefined;

  /** @throws NOT_SUPPORTED without tracefs or its tracepoints, NOT_PERMITTED without the rights */
  constructor(options: FtraceCaptureOptions) {
    this.#options = options;
    this.#tracefs = openTracefs();
    try {
      const { path } = this.#tracefs;
      removeDeadInstances(path);
      const wanted = TRACEPOINTS.filter(({ drops }) => options.drops || !drops);
      const formats = wanted.map((tracepoint) => ({
        tracepoint,
        format: readEventFormat(path, tracepoint.group, tracepoint.event),
      }));
      const found = formats.flatMap(({ tracepoint, format }) => (format ? [{ tracepoint, format }] : []));
      if (found.length === 0) throw noTracepoints();
      const lacking = formats.filter(({ format }) => !format).map(({ tracepoint }) => tracepoint);
      this.missing = lacking.map(({ event }) => event);
      this.#armed = new Map(
        found.map(({ tracepoint, format }) => [format.id, { tracepoint, fields: fieldsOf(format) }]),
      );
      const naming = kernelNaming(found.map(({ format }) => format));
      this.#naming = naming;
      this.blindSpots = [...blindSpots(lacking, options), ...naming.blindSpots];
      this.#instance = TraceInstance.create(path);
    } catch (error) {
      this.#tracefs.close();
      throw error;
    }
  }

  get probes(): string[] {
    return [...this.#armed.values()].map(({ tracepoint }) => tracepoint.event);
  }

  /** @throws NOT_SUPPORTED */
  start(handlers: CaptureHandlers, canPoll: boolean): void {
    this.#handlers = handlers;
    for (const { tracepoint } of this.#armed.values()) this.#instance.enable(tracepoint.group, tracepoint.event);
    const onError = (error: unknown): void => handlers.onError(messageOf(error));
    this.#poller = new RingPoller(this.#instance.fds, () => this.#drain(), onError, canPoll);
  }

  losses(): Map<string, number> {
    return new Map([['events lost: a buffer of ftrace was full', this.#instance.lost()]]);
  }

  stop(): void {
    this.#poller?.close();
    for (const { tracepoint } of this.#armed.values()) {
      this.#instance.enable(tracepoint.group, tracepoint.event, false);
    }
    this.#drain();
    this.#handOver();
  }

  close(): void {
    this.#poller?.close();
    clearTimeout(this.#timer);
    this.#instance.close();
    this.#tracefs.close();
  }

  /** @returns how many events there were. */
  #drain(): number {
    let events = 0;
    this.#instance.drain((page) => {
      events += this.#take(page);
      if (this.#waiting.length >= BATCH) this.#handOver();
    });
    if (this.#waiting.length > 0) {
      this.#timer ??= setTimeout(() => this.#handOver(), Math.max(LOOK_UP_MS, this.#sockets.waitMs));
    }
    return events;
  }

  #take(page: Buffer): number {
    let events = 0;
    try {
      readTracePage(page, this.#instance.layout, (bytes, offset, length, time) => {
        const armed = length >= 2 ? this.#armed.get(bytes.readUInt16LE(offset)) : undefined;
        if (!armed) return;
        const told = armed.tracepoint.decode(armed.fields.at(bytes, offset, length), this.#naming);
        const stamp = bootNs(time);
        this.#waiting.push({ ...told, time: this.#options.toWall(stamp), bootNs: stamp } as PacketEvent);
        events++;
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
    const batch = events
      .filter((event) => this.#isWanted(event))
      .map((event): Decoded => ({ event, socket: NO_SOCKET }));
    if (batch.length > 0) this.#handlers?.onEvents(batch);
  }

  /** What cannot be told to be of another namespace is kept. */
  #isWanted({ netns }: PacketEvent): boolean {
    return netns === undefined || this.#options.netns.length === 0 || this.#options.netns.includes(netns);
  }
}

function blindSpots(lacking: readonly Tracepoint[], { netns, drops }: FtraceCaptureOptions): string[] {
  const spots = lacking.map(({ event, without }) => `this kernel has no tracepoint ${event}: ${without}`);
  spots.push(
    'ftrace tells no segments, sequence numbers or congestion state: the cause of a retransmission stays unknown',
  );
  if (!drops) return spots;
  spots.push('ftrace tells no addresses, namespace or owner of a drop');
  if (netns.length > 0) spots.push('drops of every network namespace are recorded: ftrace does not tell them apart');
  return spots;
}

const noTracepoints = (): LosslogError =>
  new LosslogError('NOT_SUPPORTED', 'this kernel has none of the tracepoints of TCP', {
    hint: 'try --source kprobe, or a kernel of Linux 4.15 or newer',
  });
