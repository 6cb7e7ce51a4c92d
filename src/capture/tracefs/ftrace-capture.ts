/** The source of events on a kernel without BPF or without type information: its own tracepoints, by ftrace. */

import { LosslogError } from '../../base/errors.ts';
import { removeDeadInstances } from '../../linux/trace-instance.ts';
import { readEventFormat } from '../../linux/tracefs.ts';
import { type OpenTracefs, openTracefs } from '../../linux/tracefs-mount.ts';
import type { Capture, CaptureHandlers, CaptureStats, Counted } from '../capture.ts';
import { kernelNaming } from './naming.ts';
import { ProcOwners } from './proc-owners.ts';
import type { TraceFields } from './trace-fields.ts';
import { TraceStream, type TraceStreamOptions } from './trace-stream.ts';
import { fieldsOf, TRACEPOINTS, type Tracepoint } from './tracepoints.ts';

export interface FtraceCaptureOptions extends TraceStreamOptions {
  drops: boolean;
}

export class FtraceCapture implements Capture {
  readonly source = 'ftrace';
  readonly owners = new ProcOwners();
  readonly missing: readonly string[];
  readonly blindSpots: readonly string[];
  readonly #tracefs: OpenTracefs;
  readonly #tracepoints: readonly Tracepoint[];
  readonly #stream: TraceStream;

  /** @throws NOT_SUPPORTED without tracefs or its tracepoints, NOT_PERMITTED without the rights */
  constructor(options: FtraceCaptureOptions) {
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
      this.#tracepoints = found.map(({ tracepoint }) => tracepoint);
      this.missing = lacking.map(({ event }) => event);
      const naming = kernelNaming(found.map(({ format }) => format));
      this.blindSpots = [...blindSpots(lacking, options), ...naming.blindSpots];
      const byId = new Map<number, { tracepoint: Tracepoint; fields: TraceFields }>(
        found.map(({ tracepoint, format }) => [format.id, { tracepoint, fields: fieldsOf(format) }]),
      );
      this.#stream = new TraceStream(path, options, (id, _cpu, bytes, offset, length) => {
        const armed = byId.get(id);
        return armed?.tracepoint.decode(armed.fields.at(bytes, offset, length), naming);
      });
    } catch (error) {
      this.#tracefs.close();
      throw error;
    }
  }

  get probes(): string[] {
    return this.#tracepoints.map(({ event }) => event);
  }

  /** @throws NOT_SUPPORTED */
  start(handlers: CaptureHandlers, canPoll: boolean): void {
    const events = this.#tracepoints.map(({ group, event }) => [group, event] as const);
    this.#stream.start(events, handlers, canPoll);
  }

  /** What is read from a tracing instance is gone from it. */
  checkpoint(): () => void {
    return () => {};
  }

  takeSummaries(): Counted {
    return this.#stream.takeSummaries();
  }

  stats(): CaptureStats {
    return { rings: [], programs: [] };
  }

  losses(): Map<string, number> {
    return this.#stream.losses();
  }

  stop(): void {
    this.#stream.stop();
  }

  close(): void {
    this.#stream.close();
    this.#tracefs.close();
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
