/** The source of events on a kernel with BPF and BTF: loads the programs, drains the rings, decodes. */

import { messageOf } from '../base/errors.ts';
import type { BootNs, WallNs } from '../base/time.ts';
import { waitForPrograms } from '../bpf/grace.ts';
import { BpfObject, type BpfObjectOptions } from '../bpf/object.ts';
import { objectPath } from '../bpf/object-path.ts';
import { PinnedObject } from '../bpf/pinned-object.ts';
import { programCounters, takesTime } from '../bpf/program-counters.ts';
import type { LoadedPrograms } from '../bpf/programs.ts';
import { RingPoller } from '../bpf/ring-poller.ts';
import { sampleClocks } from '../linux/clock.ts';
import { bound } from '../wire/layout.ts';
import { decodeListeners } from '../wire/listener-records.ts';
import type { Audit, Capture, CaptureHandlers, CaptureStats, Counted } from './capture.ts';
import { EventRings } from './event-rings.ts';
import { type ConstantOptions, configure } from './kernel-constants.ts';
import { type KernelFacts, type Probe, programsOf } from './kernel-facts.ts';
import { isWhole, LISTENER_LISTER, programNames } from './kernel-objects.ts';
import { KernelOwners } from './kernel-owners.ts';
import { KernelView } from './kernel-view.ts';
import { LossCounters } from './loss-counters.ts';
import type { Ledger } from './pin-ledger.ts';
import type { PinSet } from './pin-set.ts';
import { isReadable, isSame, type ProgramIdentity, programIdentity } from './program-identity.ts';
import { HEADERS } from './snaplen.ts';
import { Summaries } from './summaries.ts';

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
  readonly #rings: EventRings;
  #poller: RingPoller | undefined;
  #handlers: CaptureHandlers | undefined;
  /** Events that found a ring full, as told so far. */
  #noRoom = 0;

  /**
   * Takes over programs of this configuration that are pinned, else loads them; then nothing is recorded before {@link start}.
   * @throws NOT_SUPPORTED without BTF, NOT_PERMITTED without the rights, BPF when the kernel refuses.
   */
  static open(options: BpfCaptureOptions): BpfCapture {
    const view = new KernelView();
    const probes = view.facts.available.filter((probe) => options.drops || !probe.drops);
    const netns = options.netns.toSorted((a, b) => a - b);
    const settings: BpfObjectOptions = {
      programs: programNames(probes),
      configure: (rodataView) => configure(rodataView, view.facts, { ...options, netns }, view.symbols, view.reasons),
    };
    const identity = programIdentity(settings, netns);
    const ledger = options.pins?.readLedger();
    if (options.pins && ledger && isSame(ledger, identity) && isWhole(options.pins, probes, 'link')) {
      return new BpfCapture(view, probes, new PinnedObject(options.pins.directory), identity, options, ledger);
    }
    const object = BpfObject.load(objectPath(), settings);
    for (const inode of netns.slice(bound.firstNetns)) object.map('netns_filter').update(u32(inode), Uint8Array.of(1));
    return new BpfCapture(view, probes, object, identity, options, undefined);
  }

  /** Pinned programs of another configuration, to be drained. @returns undefined when some are missing, or their layout is another */
  static ofPins(pins: PinSet, ledger: Ledger, toWall: BpfCaptureOptions['toWall']): BpfCapture | undefined {
    const view = new KernelView();
    const probes = view.facts.available.filter(({ tracepoint }) => ledger.probes.includes(tracepoint));
    if (!isReadable(ledger) || !isWhole(pins, probes, 'program')) return undefined;
    return new BpfCapture(view, probes, new PinnedObject(pins.directory), ledger, { toWall, snaplen: 0 }, ledger);
  }

  private constructor(
    view: KernelView,
    probes: readonly Probe[],
    programs: LoadedPrograms,
    identity: ProgramIdentity,
    { toWall, snaplen = HEADERS }: Pick<BpfCaptureOptions, 'toWall' | 'snaplen'>,
    takenOver: Ledger | undefined,
  ) {
    this.facts = view.facts;
    this.blindSpots = view.blindSpots;
    this.identity = identity;
    this.takenOver = takenOver;
    this.#probes = probes;
    this.#object = programs;
    this.owners = new KernelOwners(programs);
    this.audit = {
      tellsFailures: view.facts.retransmitHasErr,
      catchUp: () => this.#catchUp(),
      listListeners: () => decodeListeners(programs.iterate(LISTENER_LISTER)),
    };
    this.#losses = new LossCounters(programs, probes);
    this.#noRoom = takenOver?.noRoom ?? 0;
    const decoding = view.decoding(toWall);
    this.#rings = new EventRings(programs, decoding, snaplen);
    this.#summaries = new Summaries(programs, decoding, sampleClocks);
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
      rings: this.#rings.stats(),
      programs: programs.map((name) => {
        const { runs, runNs } = programCounters(this.#object.programFd(name));
        return { name, runs, runNs };
      }),
    };
  }

  /** @throws BPF */
  start(handlers: CaptureHandlers, canPoll: boolean): void {
    this.receive(handlers);
    if (this.#object instanceof BpfObject) this.#attach(this.#object);
    this.#poller = new RingPoller(
      this.#rings.fds,
      {
        drain: () => this.drain(handlers.room?.()),
        isHeld: () => this.#rings.isHeld,
        onError: (error) => handlers.onError(messageOf(error)),
      },
      canPoll,
    );
  }

  /** Only {@link drain} hands over: for programs that are not to go on. */
  receive(handlers: CaptureHandlers): void {
    this.#handlers = handlers;
    this.#rings.receive(handlers);
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

  /** Whether something was recorded that is not stored. */
  get isHeld(): boolean {
    return this.#summaries.isHeld || this.#rings.isUsed;
  }

  /** Time since boot of the oldest record that was not handed over yet; undefined when there is none. */
  oldest(): BootNs | undefined {
    return this.#rings.oldest();
  }

  /** How many records fit into the rings, of connections and of drops. */
  get capacity(): { connections: number; drops: number } {
    return this.#rings.capacity;
  }

  /** Whether the rings hold records that were not handed over. */
  get isUnread(): boolean {
    return this.#rings.isUnread;
  }

  /** Records keep their room in the rings, and summaries stay in their maps, until they are given back. */
  checkpoint(): () => void {
    const releaseRings = this.#rings.checkpoint();
    const { number } = this.#summaries;
    return () => {
      this.#summaries.release(number);
      releaseRings();
    };
  }

  /** Hands over what lies in the rings now, at most so many; returns the number of records. */
  drain(atMost?: number): number {
    return this.#rings.drain(atMost);
  }

  /** A storm of drops in the other ring need not be waited for. */
  #catchUp(): boolean {
    return this.#rings.drainConnections(this.#handlers?.room?.()) && !this.#summaries.hasConnections;
  }

  /** Stops the probes and hands over what they still had recorded. */
  stop(): void {
    try {
      this.detach();
    } finally {
      this.drain(this.#handlers?.room?.());
    }
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
    this.#rings.close();
    this.#losses.close();
    this.#summaries.close();
    this.#object.close();
  }
}

function u32(value: number): Uint8Array {
  return new Uint8Array(Uint32Array.of(value).buffer);
}
