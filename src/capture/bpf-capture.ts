/** The source of events on a kernel with BPF and BTF: loads the programs, drains the rings, decodes. */

import { readFileSync } from 'node:fs';
import { messageOf } from '../base/errors.ts';
import type { BootNs, WallNs } from '../base/time.ts';
import { waitForPrograms } from '../bpf/grace.ts';
import { BpfObject } from '../bpf/object.ts';
import { objectPath } from '../bpf/object-path.ts';
import type { RingBuffer } from '../bpf/ring.ts';
import { RingPoller } from '../bpf/ring-poller.ts';
import { jiffyNs, sampleClocks } from '../linux/clock.ts';
import { DropReasons } from '../linux/drop-reasons.ts';
import { readKernelBtf, readModuleBtfs } from '../linux/kernel-btf.ts';
import { decodeRecord } from '../wire/decode.ts';
import { needsHeaders } from '../wire/drop-class.ts';
import type { Decoded, Decoding } from '../wire/head.ts';
import { bound, rodata } from '../wire/layout.ts';
import type { Bytes } from '../wire/reader.ts';
import type { Capture, CaptureHandlers, CaptureStats, Counted } from './capture.ts';
import { type KernelFacts, kernelFacts, type Probe, programsOf } from './kernel-facts.ts';
import { KernelOwners } from './kernel-owners.ts';
import { DEFAULT_LIMITS, type Limits, writeLimits } from './limits.ts';
import { LossCounters } from './loss-counters.ts';
import { Summaries } from './summaries.ts';
import { Symbols } from './symbols.ts';

const RINGS = ['connection_ring', 'drop_ring'];
const NS_PER_MS = 1e6;
const NS_PER_S = 1e9;
/** Records handed over at once at most: bounds what lies decoded in memory when a full ring is drained. */
const BATCH = 4096;

export const REPORT_INTERVAL_MS = 60_000;

export interface BpfCaptureOptions {
  /** Inodes of the namespaces to record; empty: all. */
  netns: readonly number[];
  drops: boolean;
  /** By itself {@link DEFAULT_LIMITS}. */
  limits?: Limits;
  /** Time between two reports of a connection that lives and goes on resending. Default: {@link REPORT_INTERVAL_MS}. */
  reportIntervalMs?: number;
  toWall(time: BootNs): WallNs;
}

export class BpfCapture implements Capture {
  readonly source = 'bpf';
  readonly facts: KernelFacts;
  readonly owners: KernelOwners;
  readonly blindSpots: readonly string[];
  readonly #probes: readonly Probe[];
  readonly #losses: LossCounters;
  readonly #summaries: Summaries;
  readonly #object: BpfObject;
  readonly #rings: RingBuffer[];
  readonly #decoding: Decoding;
  #poller: RingPoller | undefined;
  #handlers: CaptureHandlers | undefined;
  #batch: Decoded[] = [];
  /** Events that found a ring full, as told so far. */
  #noRoom = 0;

  /**
   * Loads the programs; nothing is recorded before {@link start}.
   * @throws NOT_SUPPORTED without BTF, NOT_PERMITTED without the rights, BPF when the kernel refuses.
   */
  constructor(options: BpfCaptureOptions) {
    const btf = readKernelBtf();
    const symbols = new Symbols();
    const reasons = new DropReasons(btf, () => readModuleBtfs(readKernelBtf()));
    this.facts = kernelFacts(btf);
    this.blindSpots = blindSpots(this.facts, symbols.unavailable);
    this.#probes = this.facts.available.filter((probe) => options.drops || !probe.drops);
    this.#object = BpfObject.load(objectPath(), {
      programs: this.#probes.map(programsOf).flatMap(({ first, rescue }) => [first, rescue]),
      configure: (view) => configure(view, this.facts, options, symbols, reasons),
    });
    for (const inode of options.netns) this.#object.map('netns_filter').update(u32(inode), Uint8Array.of(1));
    this.#rings = RINGS.map((name) => this.#object.map(name).ring());
    this.owners = new KernelOwners(this.#object);
    this.#losses = new LossCounters(this.#object, this.#probes);
    this.#decoding = {
      toWall: options.toWall,
      dropReason: (code) => reasons.reasonName(code),
      resetReason: (code) => reasons.rstReasonName(code),
      symbol: (address) => symbols.lookup(address),
      jiffyMs: jiffyNs() / NS_PER_MS,
    };
    this.#summaries = new Summaries(this.#object, this.#decoding, sampleClocks);
  }

  get probes(): string[] {
    return this.#probes.map(({ tracepoint }) => tracepoint);
  }

  get missing(): string[] {
    return this.facts.missing.map(({ tracepoint }) => tracepoint);
  }

  losses(): Map<string, number> {
    return this.#losses.read();
  }

  takeSummaries(): Counted {
    const summaries = this.#summaries.take();
    const noRoom = this.#losses.noRoom();
    const counted = { summaries, noRoom: noRoom - this.#noRoom };
    this.#noRoom = noRoom;
    return counted;
  }

  stats(): CaptureStats {
    const programs = takesTime() ? this.#probes.map(programsOf).flatMap(({ first, rescue }) => [first, rescue]) : [];
    return {
      rings: this.#rings.map((ring, i) => ({ name: RINGS[i] as string, bytes: ring.bytes, used: ring.used })),
      programs: programs.map((name) => ({ name, ...runTime(this.#object.programFd(name)) })),
    };
  }

  /** @throws BPF */
  start(handlers: CaptureHandlers, canPoll: boolean): void {
    this.#handlers = handlers;
    // The program that notes owners first, so that no event is older than what it noted.
    for (const { first, rescue } of this.#probes.map(programsOf).reverse()) {
      // In this order: the kernel runs the programs of a tracepoint in the order in which they were attached.
      this.#object.attach(first);
      this.#object.attach(rescue);
    }
    this.#losses.begin();
    this.#poller = new RingPoller(
      this.#rings.map(({ fd }) => fd),
      {
        drain: () => this.drain(handlers.room?.()),
        isHeld: () => this.#rings.some(({ isHeld }) => isHeld),
        onError: (error) => handlers.onError(messageOf(error)),
      },
      canPoll,
    );
  }

  /** The room in the rings is kept until it is given back. */
  checkpoint(): () => void {
    const positions = this.#rings.map(({ position }) => position);
    return () => {
      for (const [i, position] of positions.entries()) this.#rings[i]?.release(position);
    };
  }

  /** Hands over what lies in the rings now, at most so many; returns the number of records. */
  drain(atMost = Number.POSITIVE_INFINITY): number {
    let records = 0;
    for (const ring of this.#rings) records += ring.drain(this.#onRecord, atMost - records);
    this.#handOver();
    return records;
  }

  /** Stops the probes and hands over what they still had recorded. */
  stop(): void {
    this.#poller?.close();
    this.#object.detach();
    waitForPrograms();
    this.drain();
  }

  close(): void {
    this.#poller?.close();
    for (const ring of this.#rings) ring.close();
    this.#losses.close();
    this.#summaries.close();
    this.#object.close();
  }

  readonly #onRecord = (bytes: Bytes, offset: number, length: number): void => {
    try {
      this.#batch.push(decodeRecord(bytes, offset, length, this.#decoding));
    } catch (error) {
      this.#handlers?.onError(messageOf(error));
    }
    if (this.#batch.length >= BATCH) this.#handOver();
  };

  #handOver(): void {
    if (this.#batch.length === 0) return;
    const batch = this.#batch;
    this.#batch = [];
    this.#handlers?.onEvents(batch);
  }
}

/** Whether the kernel measures how long programs run, which costs some 20 ns a run. */
function takesTime(): boolean {
  try {
    return readFileSync('/proc/sys/kernel/bpf_stats_enabled', 'utf8').trim() === '1';
  } catch {
    return false;
  }
}

/** Since Linux 5.1. */
function runTime(programFd: number): { runs: number; runNs: number } {
  const text = readFileSync(`/proc/self/fdinfo/${programFd}`, 'utf8');
  const value = (name: string): number => Number(new RegExp(`^${name}:\\s*(\\d+)$`, 'm').exec(text)?.[1] ?? 0);
  return { runs: value('run_cnt'), runNs: value('run_time_ns') };
}

function blindSpots({ missing }: KernelFacts, symbolsUnavailable: string | undefined): string[] {
  const lacking = missing.map(({ tracepoint, without }) => `this kernel has no tracepoint ${tracepoint}: ${without}`);
  return symbolsUnavailable === undefined
    ? lacking
    : [...lacking, `${symbolsUnavailable}: no place of a drop is named`];
}

/** Writes the constants of the kernel side. */
export function configure(
  view: DataView,
  facts: KernelFacts,
  options: Pick<BpfCaptureOptions, 'netns' | 'limits' | 'reportIntervalMs'>,
  symbols: Symbols,
  reasons: DropReasons,
): void {
  const flag = (at: number, value: boolean): void => view.setUint8(at, Number(value));
  const address = (at: number, name: string): void => view.setBigUint64(at, symbols.addressOf(name) ?? 0n, true);
  flag(rodata.filterNetns, options.netns.length > 0);
  flag(rodata.retransmitHasErr, facts.retransmitHasErr);
  flag(rodata.kfreeSkbHasReason, facts.dropHasReason);
  flag(rodata.kfreeSkbHasRxSk, facts.dropHasRxSk);
  flag(rodata.sendResetHasReason, facts.resetHasReason);
  flag(rodata.hasSocketCookie, facts.hasSocketCookie);
  address(rodata.ipForwardAddress, 'ip_forward');
  address(rodata.ip6ForwardAddress, 'ip6_forward');
  const interval = (options.reportIntervalMs ?? REPORT_INTERVAL_MS) * NS_PER_MS;
  view.setBigUint64(rodata.livingInterval, BigInt(Math.ceil(interval / jiffyNs())), true);
  writeLimits(view, options.limits ?? DEFAULT_LIMITS, NS_PER_S / jiffyNs());
  for (let code = 0; code < bound.headerReasons; code++) {
    const reason = facts.dropHasReason ? reasons.reasonName(code).reason : undefined;
    flag(rodata.reasonNeedsHeaders + code, needsHeaders(reason));
  }
}

function u32(value: number): Uint8Array {
  return new Uint8Array(Uint32Array.of(value).buffer);
}
