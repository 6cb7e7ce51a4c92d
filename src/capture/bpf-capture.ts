/** The source of events on a kernel with BPF and BTF: loads the programs, drains the rings, decodes. */

import { messageOf } from '../base/errors.ts';
import type { BootNs, WallNs } from '../base/time.ts';
import { waitForPrograms } from '../bpf/grace.ts';
import { BpfObject, type BpfObjectOptions } from '../bpf/object.ts';
import { objectPath } from '../bpf/object-path.ts';
import { PinnedObject } from '../bpf/pinned-object.ts';
import type { LoadedPrograms } from '../bpf/programs.ts';
import type { RingBuffer } from '../bpf/ring.ts';
import { RingPoller } from '../bpf/ring-poller.ts';
import { jiffyNs, sampleClocks } from '../linux/clock.ts';
import { decodeRecord } from '../wire/decode.ts';
import type { Decoded, Decoding } from '../wire/head.ts';
import { dropRecord, recordHead, retransmitRecord } from '../wire/layout.ts';
import { decodeListeners } from '../wire/listener-records.ts';
import { type Bytes, readBootNs } from '../wire/reader.ts';
import type { Audit, Capture, CaptureHandlers, CaptureStats, Counted } from './capture.ts';
import { type ConstantOptions, configure } from './kernel-constants.ts';
import { type KernelFacts, type Probe, programsOf } from './kernel-facts.ts';
import { isWhole, LISTENER_LISTER, programNames, RINGS } from './kernel-objects.ts';
import { KernelOwners } from './kernel-owners.ts';
import { KernelView } from './kernel-view.ts';
import { LossCounters } from './loss-counters.ts';
import type { Ledger } from './pin-ledger.ts';
import type { PinSet } from './pin-set.ts';
import { isReadable, isSame, type ProgramIdentity, programIdentity } from './program-identity.ts';
import { runTime, takesTime } from './program-run-time.ts';
import { Summaries } from './summaries.ts';

const NS_PER_MS = 1e6;
/** Records handed over at once at most: bounds what lies decoded in memory when a full ring is drained. */
const BATCH = 4096;
/** Of a record in a ring (kernel/bpf/ringbuf.c, struct bpf_ringbuf_hdr). */
const RECORD_HEADER = 8;

export interface BpfCaptureOptions extends ConstantOptions {
  drops: boolean;
  /** Where programs of the same configuration may be found, already at work. */
  pins?: PinSet | undefined;
  toWall(time: BootNs): WallNs;
}

export class BpfCapture implements Capture {
  readonly source = 'bpf';
  readonly facts: KernelFacts;
  readonly owners: KernelOwners;
  readonly blindSpots: readonly string[];
  readonly audit: Audit;
  readonly identity: ProgramIdentity;
  /** What the recorder left that set these programs to work; undefined: this one did. */
  readonly takenOver: Ledger | undefined;
  readonly #probes: readonly Probe[];
  readonly #losses: LossCounters;
  readonly #summaries: Summaries;
  readonly #object: LoadedPrograms;
  readonly #rings: RingBuffer[];
  readonly #decoding: Decoding;
  #poller: RingPoller | undefined;
  #handlers: CaptureHandlers | undefined;
  #batch: Decoded[] = [];
  /** Events that found a ring full, as told so far. */
  #noRoom = 0;

  /**
   * Takes over programs of this configuration that are pinned, else loads them; then nothing is recorded before {@link start}.
   * @throws NOT_SUPPORTED without BTF, NOT_PERMITTED without the rights, BPF when the kernel refuses.
   */
  static open(options: BpfCaptureOptions): BpfCapture {
    const view = new KernelView();
    const probes = view.facts.available.filter((probe) => options.drops || !probe.drops);
    const settings: BpfObjectOptions = {
      programs: programNames(probes),
      configure: (rodataView) => configure(rodataView, view.facts, options, view.symbols, view.reasons),
    };
    const identity = programIdentity(settings, options.netns);
    const ledger = options.pins?.readLedger();
    if (options.pins && ledger && isSame(ledger, identity) && isWhole(options.pins, probes, 'link')) {
      return new BpfCapture(view, probes, new PinnedObject(options.pins.directory), identity, options.toWall, ledger);
    }
    const object = BpfObject.load(objectPath(), settings);
    for (const inode of options.netns) object.map('netns_filter').update(u32(inode), Uint8Array.of(1));
    return new BpfCapture(view, probes, object, identity, options.toWall, undefined);
  }

  /** Pinned programs of another configuration, to be drained. @returns undefined when some are missing, or their layout is another */
  static ofPins(pins: PinSet, ledger: Ledger, toWall: BpfCaptureOptions['toWall']): BpfCapture | undefined {
    const view = new KernelView();
    const probes = view.facts.available.filter(({ tracepoint }) => ledger.probes.includes(tracepoint));
    if (!isReadable(ledger) || !isWhole(pins, probes, 'program')) return undefined;
    return new BpfCapture(view, probes, new PinnedObject(pins.directory), ledger, toWall, ledger);
  }

  private constructor(
    { facts, symbols, reasons, blindSpots }: KernelView,
    probes: readonly Probe[],
    programs: LoadedPrograms,
    identity: ProgramIdentity,
    toWall: BpfCaptureOptions['toWall'],
    takenOver: Ledger | undefined,
  ) {
    this.facts = facts;
    this.blindSpots = blindSpots;
    this.identity = identity;
    this.takenOver = takenOver;
    this.#probes = probes;
    this.#object = programs;
    this.#rings = RINGS.map((name) => programs.map(name).ring());
    this.owners = new KernelOwners(programs);
    this.audit = {
      tellsFailures: facts.retransmitHasErr,
      catchUp: () => this.#catchUp(),
      listListeners: () => decodeListeners(programs.iterate(LISTENER_LISTER)),
    };
    this.#losses = new LossCounters(programs, probes);
    this.#noRoom = takenOver?.noRoom ?? 0;
    this.#decoding = {
      toWall,
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
    const programs = takesTime() ? programNames(this.#probes) : [];
    return {
      rings: this.#rings.map((ring, i) => ({ name: RINGS[i] as string, bytes: ring.bytes, used: ring.used })),
      programs: programs.map((name) => ({ name, ...runTime(this.#object.programFd(name)) })),
    };
  }

  /** @throws BPF */
  start(handlers: CaptureHandlers, canPoll: boolean): void {
    this.receive(handlers);
    if (this.#object instanceof BpfObject) this.#attach(this.#object);
    this.#poller = new RingPoller(
      this.#rings.map(({ fd }) => fd),
      {
        drain: () => this.drain(handlers.room?.()),
        isHeld: () => this.#areRingsHeld,
        onError: (error) => handlers.onError(messageOf(error)),
      },
      canPoll,
    );
  }

  /** Only {@link drain} hands over: for programs that are not to go on. */
  receive(handlers: CaptureHandlers): void {
    this.#handlers = handlers;
    if (this.takenOver) this.#losses.resume(this.takenOver.skipped);
  }

  #attach(object: BpfObject): void {
    // The program that notes owners first, so that no event is older than what it noted.
    for (const { first, rescue } of this.#probes.map(programsOf).reverse()) {
      // In this order: the kernel runs the programs of a tracepoint in the order in which they were attached.
      object.attach(first);
      object.attach(rescue);
    }
    this.#losses.begin();
  }

  /** Leaves the programs at work when this process ends. @throws BPF */
  pin(pins: PinSet): void {
    if (this.#object instanceof BpfObject) this.#object.pin(pins.directory);
  }

  /** Events that found a ring full, as told so far. */
  get noRoom(): number {
    return this.#noRoom;
  }

  /** By tracepoint: skips of the kernel that are none of our business, since not all was attached. */
  get skippedBefore(): Record<string, number> {
    return this.#losses.skippedBefore;
  }

  /** Time since boot of the oldest record that was not handed over yet; undefined when there is none. */
  oldest(): BootNs | undefined {
    const stamps: BootNs[] = [];
    for (const ring of this.#rings)
      ring.peek((bytes, offset) => stamps.push(readBootNs(bytes, offset + recordHead.bootNs)));
    return stamps.reduce<BootNs | undefined>(
      (least, stamp) => (least === undefined || stamp < least ? stamp : least),
      undefined,
    );
  }

  /** How many records fit into the rings, of connections and of drops. */
  get capacity(): { connections: number; drops: number } {
    const [connections = 0, drops = 0] = RINGS.map((name) => this.#object.map(name).maxEntries);
    return {
      connections: Math.floor(connections / (RECORD_HEADER + retransmitRecord.size)),
      drops: Math.floor(drops / (RECORD_HEADER + dropRecord.size)),
    };
  }

  /** Whether the rings hold records that were not handed over. */
  get isUnread(): boolean {
    return this.#rings.some((ring) => ring.peek(() => {}));
  }

  /** Whether something was recorded that is not stored. */
  get isHeld(): boolean {
    return this.#summaries.isHeld || this.#rings.some(({ used }) => used > 0);
  }

  get #areRingsHeld(): boolean {
    return this.#rings.some(({ isHeld }) => isHeld);
  }

  /** Records keep their room in the rings, and summaries stay in their maps, until they are given back. */
  checkpoint(): () => void {
    const positions = this.#rings.map(({ position }) => position);
    const { number } = this.#summaries;
    return () => {
      this.#summaries.release(number);
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

  /** A storm of drops in the other ring need not be waited for. */
  #catchUp(): boolean {
    const [connections] = this.#rings;
    connections?.drain(this.#onRecord, this.#handlers?.room?.());
    this.#handOver();
    return (connections?.isDrained ?? false) && !this.#summaries.hasConnections;
  }

  /** Stops the probes and hands over what they still had recorded. */
  stop(): void {
    this.detach();
    this.drain(this.#handlers?.room?.());
  }

  /** Stops the probes. What they recorded is still there. */
  detach(): void {
    this.#poller?.close();
    this.#object.detach();
    waitForPrograms();
  }

  /** Stops draining, after a last time; the programs stay at work when they are pinned. */
  leave(): void {
    this.#poller?.close();
    this.drain(this.#handlers?.room?.());
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

function u32(value: number): Uint8Array {
  return new Uint8Array(Uint32Array.of(value).buffer);
}
