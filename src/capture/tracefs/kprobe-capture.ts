/** The source of events on a kernel without the tracepoints of TCP: kprobe events on the functions behind them. */

import { readFileSync } from 'node:fs';
import { LosslogError, messageOf } from '../../base/errors.ts';
import type { Architecture } from '../../linux/architecture.ts';
import { readBootIdentity } from '../../linux/boot.ts';
import { architectureOf } from '../../linux/calling-convention.ts';
import { jiffyNs } from '../../linux/clock.ts';
import { type FileOffsets, parseOffsets, placesOfBtf } from '../../linux/field-offsets.ts';
import { readKernelBtf } from '../../linux/kernel-btf.ts';
import { defineKprobe, listKprobeGroups, removeKprobes, requireKprobes } from '../../linux/kprobe-events.ts';
import { removeDeadInstances } from '../../linux/trace-instance.ts';
import { readEventFormat } from '../../linux/tracefs.ts';
import { type OpenTracefs, openTracefs } from '../../linux/tracefs-mount.ts';
import type { Capture, CaptureHandlers, CaptureStats, Counted } from '../capture.ts';
import { definitionsFor, type ProbeDefinition, renderProbe } from './kprobe-definitions.ts';
import { CallStacks, decodeKprobe } from './kprobe-events.ts';
import { kernelNaming } from './naming.ts';
import { ProcOwners } from './proc-owners.ts';
import { TraceFields } from './trace-fields.ts';
import { TraceStream, type TraceStreamOptions } from './trace-stream.ts';

/** Group of the events; with the pid behind it while another recorder uses that. */
export const KPROBE_GROUP = 'losslog';
const NS_PER_MS = 1e6;

export interface KprobeCaptureOptions extends TraceStreamOptions {
  drops: boolean;
  /** What `losslog offset --json` wrote on a machine of the same kernel; else the kernel's type information is asked. */
  offsetsFile?: string;
}

/** @throws NOT_SUPPORTED where neither a file nor the kernel tells the offsets, NOT_FOUND, DECODE */
export function fieldPlaces(offsetsFile: string | undefined): FileOffsets {
  if (offsetsFile === undefined) return placesOfBtf(readKernelBtf());
  return parseOffsets(readOffsets(offsetsFile));
}

function readOffsets(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw new LosslogError('NOT_FOUND', `cannot read ${file}: ${messageOf(cause)}`, { hint: WRITE_OFFSETS, cause });
  }
}

const WRITE_OFFSETS = 'write it on a machine of the same kernel: losslog offset --kprobe --json';

/** Offsets of another kernel would record whatever lies there. A file that was made of a vmlinux does not say which kernel it is of. */
function requireSameKernel({ kernel }: FileOffsets, offsetsFile: string | undefined): void {
  const { kernelRelease } = readBootIdentity();
  if (kernel === undefined || kernel === kernelRelease) return;
  throw new LosslogError('USAGE', `${offsetsFile} has the offsets of Linux ${kernel}; this is ${kernelRelease}`, {
    hint: WRITE_OFFSETS,
  });
}

/** @throws NOT_SUPPORTED on an architecture whose calling convention is not known */
export function requireArchitecture(): Architecture {
  const architecture = architectureOf();
  if (architecture) return architecture;
  throw new LosslogError('NOT_SUPPORTED', `the calling convention of ${process.arch} is not known`, {
    hint: 'use --source bpf or ftrace',
  });
}

export class KprobeCapture implements Capture {
  readonly source = 'kprobe';
  readonly owners = new ProcOwners();
  readonly missing: readonly string[] = [];
  readonly blindSpots: readonly string[];
  readonly #tracefs: OpenTracefs;
  readonly #group: string;
  readonly #armed: readonly ProbeDefinition[];
  readonly #stream: TraceStream;

  /** @throws NOT_SUPPORTED, NOT_PERMITTED, NOT_FOUND, DECODE */
  constructor(options: KprobeCaptureOptions) {
    const places = fieldPlaces(options.offsetsFile);
    requireSameKernel(places, options.offsetsFile);
    const architecture = requireArchitecture();
    this.#tracefs = openTracefs();
    const { path } = this.#tracefs;
    this.#group = KPROBE_GROUP;
    try {
      requireKprobes(path);
      removeDeadInstances(path);
      this.#group = freeGroup(path);
      const wanted = definitionsFor(places).filter(({ drops }) => options.drops || !drops);
      this.#armed = wanted.filter((definition) =>
        arm(path, renderProbe(definition, this.#group, places, architecture)),
      );
      if (this.#armed.length === 0) throw noFunctions();
      const naming = { ...kernelNaming([]), jiffyMs: jiffyNs() / NS_PER_MS };
      this.blindSpots = [...blindSpots(this.#armed, options.drops), ...naming.blindSpots];
      const byId = new Map(this.#armed.map((definition) => this.#fieldsById(definition)));
      const calls = new CallStacks();
      this.#stream = new TraceStream(path, options, (id, cpu, bytes, offset, length) => {
        const armed = byId.get(id);
        return armed && decodeKprobe(armed.event, cpu, armed.fields.at(bytes, offset, length), naming, calls);
      });
    } catch (error) {
      removeKprobes(path, this.#group);
      this.#tracefs.close();
      throw error;
    }
  }

  get probes(): string[] {
    return [...new Set(this.#armed.map((definition) => definition.function))];
  }

  /** @throws NOT_SUPPORTED */
  start(handlers: CaptureHandlers, canPoll: boolean): void {
    // Returns first: an entry whose return is not seen would wait for ever.
    const inOrder = this.#armed.toSorted((a, b) => Number(b.isReturn ?? false) - Number(a.isReturn ?? false));
    this.#stream.start(
      inOrder.map(({ event }) => [this.#group, event] as const),
      handlers,
      canPoll,
    );
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
    removeKprobes(this.#tracefs.path, this.#group);
    this.#tracefs.close();
  }

  #fieldsById({ event }: ProbeDefinition): [number, { event: string; fields: TraceFields }] {
    const format = readEventFormat(this.#tracefs.path, this.#group, event);
    if (!format)
      throw new LosslogError('NOT_SUPPORTED', `the kernel does not tell the format of ${this.#group}:${event}`);
    return [format.id, { event, fields: new TraceFields(format.fields) }];
  }
}

/** Removes what dead recorders left, and finds a name that no living one uses. */
function freeGroup(tracefs: string): string {
  const inUse = listKprobeGroups(tracefs, KPROBE_GROUP).filter((group) => !removeKprobes(tracefs, group));
  return inUse.includes(KPROBE_GROUP) ? `${KPROBE_GROUP}_${process.pid}` : KPROBE_GROUP;
}

/** @returns false when this kernel has no such function, or does not let it be probed. */
function arm(tracefs: string, definition: string): boolean {
  try {
    defineKprobe(tracefs, definition);
    return true;
  } catch (error) {
    if (error instanceof LosslogError && error.code === 'NOT_SUPPORTED') return false;
    throw error;
  }
}

function blindSpots(armed: readonly ProbeDefinition[], drops: boolean): string[] {
  const has = (name: string): boolean => armed.some((definition) => definition.function === name);
  const spots = ['kprobes tell no segments of a retransmission: it may be split or merged before it is sent'];
  if (!has('tcp_retransmit_skb')) spots.push('tcp_retransmit_skb() cannot be probed here: no retransmission is seen');
  if (!has('__tcp_retransmit_skb'))
    spots.push('__tcp_retransmit_skb() cannot be probed here: no tail loss probe is seen');
  if (!has('tcp_rtx_synack')) spots.push('tcp_rtx_synack() cannot be probed here: no SYN-ACK retransmission is seen');
  if (!drops) return spots;
  if (!armed.some((definition) => definition.drops)) return [...spots, 'no function that drops can be probed here'];
  if (has('kfree_skb_list_reason')) spots.push('of packets that are dropped in one list only the first is seen');
  return spots;
}

const noFunctions = (): LosslogError =>
  new LosslogError('NOT_SUPPORTED', 'none of the functions of TCP can be probed here', { hint: 'run losslog doctor' });
