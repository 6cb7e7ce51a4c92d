/**
 * Looks at every network namespace of this host again and again: what its counters tell of losses that no event shows, and how they compare with
 * what was recorded.
 *
 * It works in slices of a few ms on the thread that drains the rings, with pauses between, and begins the next round so that it takes a small
 * share of a core at most, however many namespaces there are.
 */

import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf } from '../base/errors.ts';
import { NS_PER_MS, NS_PER_S } from '../base/time.ts';
import { readSoftnet, type SoftnetCounters } from '../linux/device-counters.ts';
import { findNetns, type NetnsPlace } from '../linux/netns.ts';
import { ProcText } from '../linux/proc-text.ts';
import { isOfListener, ListenerShares, type Share } from './listener-share.ts';
import type { Growth } from './loss-growth.ts';
import { NetnsReader } from './netns-reader.ts';
import { NetnsWatch } from './netns-watch.ts';
import type { Pace, SamplerOptions } from './sampler-options.ts';

/** Five seconds are enough for some 10,000 namespaces on an idle core. */
const PACE: Pace = { roundMs: 5000, roundShare: 200, pauseMs: 40, endMs: 5000, knownMs: 30_000 };
const SLICE_MS = 4;
/** What compares is told so often, while there is something new. */
const TELL_NS = 60n * NS_PER_S;
/** How often a namespace is looked at again in a round when something was recorded around the look. */
const MAX_AGAIN = 3;
/** Between looks that shall agree: what was under way at one has arrived at the next. */
const AGAIN_MS = 5;
const BEGIN_LIMIT_MS = 1000;
/** At the end, for namespaces that are never quiet. */
const SETTLE_LIMIT_MS = 1000;
/** Inode numbers of namespaces that were there; they are given out again. */
const MAX_SEEN = 65_536;

export class NetnsSampler {
  readonly #options: SamplerOptions;
  readonly #pace: Pace;
  readonly #reader: NetnsReader;
  readonly #shares = new ListenerShares();
  readonly #text = new ProcText();
  readonly #watches = new Map<number, NetnsWatch>();
  readonly #seen = new Set<number>();
  /** When the last search began that asked every process; undefined before the first. */
  #searchedNs: bigint | undefined;
  /** Where each process was found since then. */
  readonly #processes = new Map<number, number>();
  /** To be looked at again: something was recorded around the last look. */
  readonly #again = new Set<NetnsWatch>();
  #ofListeners = new Map<number, Growth[]>();
  #softnet: { bootNs: bigint; counters: SoftnetCounters } | undefined;
  #work: Generator<void> | undefined;
  #spentMs = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: SamplerOptions) {
    this.#options = options;
    this.#pace = options.pace ?? PACE;
    this.#reader = new NetnsReader(options);
  }

  /** Looks at every namespace for the first time, as far as it gets in a moment, and goes on in the background. */
  async begin(): Promise<void> {
    const deadline = performance.now() + BEGIN_LIMIT_MS;
    // What is under way now was counted before anything is recorded, or is recorded.
    await sleep(AGAIN_MS);
    await this.#guard(async () => {
      if (this.#options.losses && this.#options.audit) this.#shares.begin(this.#options.audit.listListeners());
      this.#work = this.#round();
      if (!(await this.#workUntil(deadline))) return;
      await this.#lookAgain(deadline, undefined, ({ comparison }) => comparison?.isReady === false);
    });
    this.#plan(this.#work ? this.#pace.pauseMs : this.#pace.roundMs);
  }

  /**
   * Looks at every namespace for the last time, while everything is still recorded, and tells what there is to tell.
   * @param takeCounted called before a look: takes what was only counted
   */
  async end(takeCounted = (): void => {}): Promise<void> {
    clearTimeout(this.#timer);
    const deadline = performance.now() + this.#pace.endMs;
    const beginNs = this.#options.now();
    await this.#guard(async () => {
      // A round that is under way has looked at some a while ago.
      this.#work = this.#round();
      takeCounted();
      if (!(await this.#workUntil(deadline))) this.#tellUnseen(beginNs);
      await this.#lookAgain(
        performance.now() + SETTLE_LIMIT_MS,
        takeCounted,
        (watch) => this.#again.has(watch) || (watch.lookedNs >= beginNs && watch.comparison?.isSettled === false),
      );
      this.#tellHost();
      this.#dealListeners();
      for (const watch of this.#watches.values()) this.#tell(watch, true);
    });
  }

  #tellUnseen(sinceNs: bigint): void {
    const unseen = [...this.#watches.values()].map(({ lookedNs }) => lookedNs).filter((looked) => looked < sinceNs);
    const fromNs = unseen.reduce((least, looked) => (looked < least ? looked : least), sinceNs);
    if (unseen.length > 0) this.#options.onUnseen({ count: unseen.length, of: this.#watches.size, fromNs });
  }

  /** Namespaces that are there and have been looked into. */
  get size(): number {
    return [...this.#watches.values()].filter(({ wasRead }) => wasRead).length;
  }

  #plan(ms: number): void {
    this.#timer = setTimeout(() => void this.#step(), ms);
  }

  async #step(): Promise<void> {
    let isDone = true;
    await this.#guard(async () => {
      this.#work ??= this.#round();
      isDone = this.#slice();
    });
    if (!isDone) return this.#plan(this.#pace.pauseMs);
    this.#work = undefined;
    this.#plan(Math.max(this.#pace.roundMs, this.#spentMs * this.#pace.roundShare));
    this.#spentMs = 0;
  }

  /** Works for one slice. @returns whether the round is over */
  #slice(): boolean {
    const begin = performance.now();
    try {
      while (performance.now() - begin < SLICE_MS) if (this.#work?.next().done !== false) return true;
      return false;
    } finally {
      this.#spentMs += performance.now() - begin;
    }
  }

  /** Works until the round is over or the time is up; events are drained between slices. @returns whether it is over */
  async #workUntil(deadline: number): Promise<boolean> {
    while (!this.#slice()) {
      if (performance.now() > deadline) return false;
      await sleep(0);
    }
    this.#work = undefined;
    return true;
  }

  async #lookAgain(
    deadline: number,
    prepare: (() => void) | undefined,
    needsLook: (watch: NetnsWatch) => boolean,
  ): Promise<void> {
    for (;;) {
      const left = [...this.#watches.values()].filter(needsLook);
      if (left.length === 0 || performance.now() > deadline) return;
      await sleep(AGAIN_MS);
      prepare?.();
      for (const watch of left) this.#look(watch);
    }
  }

  async #guard(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.#work = undefined;
      this.#options.onError(`the counters of the kernel could not be read: ${messageOf(error)}`);
    }
  }

  *#round(): Generator<void> {
    yield* this.#search();
    this.#again.clear();
    for (const watches of this.#byActivity()) {
      yield* this.#lookAtAll(watches);
      for (let times = 0; times < MAX_AGAIN; times++) yield* this.#lookAtAll([...this.#again]);
    }
    this.#tellHost();
    this.#dealListeners();
  }

  *#lookAtAll(watches: readonly NetnsWatch[]): Generator<void> {
    for (const watch of watches) {
      this.#look(watch);
      yield;
    }
  }

  /** Those of which something was recorded, then the others: when there is no time for all, the first matter. */
  #byActivity(): [NetnsWatch[], NetnsWatch[]] {
    const active = new Set(this.#options.totals.namespaces);
    const all = [...this.#watches.values()];
    return [all.filter(({ inode }) => active.has(inode)), all.filter(({ inode }) => !active.has(inode))];
  }

  *#search(): Generator<void> {
    const beginNs = this.#options.now();
    const isWhole =
      this.#searchedNs === undefined || beginNs - this.#searchedNs >= BigInt(this.#pace.knownMs) * NS_PER_MS;
    if (isWhole) this.#processes.clear();
    const found = yield* findNetns(this.#options.root, this.#processes);
    for (const watch of this.#watches.values()) if (!found.has(watch.inode)) this.#leave(watch);
    for (const [inode, place] of found) if (this.#options.isWanted(inode)) this.#meet(inode, place);
    this.#forgetOthers(found);
    if (isWhole) this.#searchedNs = beginNs;
  }

  #meet(inode: number, place: NetnsPlace): void {
    const known = this.#watches.get(inode);
    if (known) {
      known.place = place;
      return;
    }
    const { audit, now } = this.#options;
    // One with an inode number of another before it has events of both.
    const madeAfterNs = this.#seen.has(inode) || this.#seen.size >= MAX_SEEN ? undefined : this.#searchedNs;
    const watch = new NetnsWatch(inode, place, now(), {
      ...(madeAfterNs === undefined ? {} : { madeAfterNs }),
      ...(audit ? { tellsFailures: audit.tellsFailures } : {}),
    });
    this.#watches.set(inode, watch);
    if (this.#seen.size < MAX_SEEN) this.#seen.add(inode);
  }

  #leave(watch: NetnsWatch): void {
    this.#tell(watch, true);
    this.#watches.delete(watch.inode);
  }

  /** What was recorded of a namespace that is gone is not needed any more. */
  #forgetOthers(found: ReadonlyMap<number, NetnsPlace>): void {
    const { totals, now } = this.#options;
    const longAgo = now() - TELL_NS;
    for (const netns of totals.namespaces) {
      if (!found.has(netns) && totals.of(netns).lastBootNs < longAgo) totals.forget(netns);
    }
  }

  #look(watch: NetnsWatch): void {
    const reading = this.#reader.read(watch.inode, watch.place);
    if (!reading) {
      this.#again.delete(watch);
      return;
    }
    const growths = watch.take(reading);
    if (this.#options.losses) this.#count(watch.inode, growths);
    if (watch.comparison && !reading.recorded) this.#again.add(watch);
    else this.#again.delete(watch);
    this.#tell(watch, false);
  }

  #count(netns: number, growths: readonly Growth[]): void {
    for (const growth of growths) {
      if (!isOfListener(growth)) this.#options.onLoss({ growth, count: growth.count }, netns);
      else this.#ofListeners.set(netns, [...(this.#ofListeners.get(netns) ?? []), growth]);
    }
  }

  #tell(watch: NetnsWatch, isLast: boolean): void {
    const { comparison, inode: netns } = watch;
    const nowNs = this.#options.now();
    if (!comparison?.isReady || !(comparison.isSettled || comparison.hasNews)) return;
    if (!isLast && !comparison.hasNews && nowNs - watch.toldNs < TELL_NS) return;
    watch.toldNs = nowNs;
    const stretch = comparison.take();
    if (stretch && stretch.compared.length > 0) this.#options.onCompared({ netns, ...stretch });
  }

  /** Asks the listening sockets only when one of them refused something. */
  #dealListeners(): void {
    const byNetns = this.#ofListeners;
    if (byNetns.size === 0) return;
    this.#ofListeners = new Map();
    const { audit, onLoss } = this.#options;
    const dealt = audit
      ? this.#shares.deal(byNetns, audit.listListeners())
      : new Map(
          [...byNetns].map(([netns, growths]) => [
            netns,
            growths.map((growth): Share => ({ growth, count: growth.count })),
          ]),
        );
    for (const [netns, shares] of dealt) for (const share of shares) onLoss(share, netns);
  }

  #tellHost(): void {
    if (!this.#options.losses || !this.#options.host) return;
    const before = this.#softnet;
    this.#softnet = { bootNs: this.#options.now(), counters: readSoftnet(this.#text, this.#options.root) };
    if (!before) return;
    const { bootNs: untilNs, counters } = this.#softnet;
    const tell = (counter: string, count: number, className: Growth['class']): void => {
      if (count > 0)
        this.#options.onLoss({ growth: { counter, count, class: className, fromNs: before.bootNs, untilNs }, count });
    };
    tell('softnet_dropped', counters.dropped - before.counters.dropped, 'loss');
    tell('softnet_time_squeeze', counters.timeSqueeze - before.counters.timeSqueeze, 'benign');
  }
}
