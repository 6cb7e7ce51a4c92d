/** Collects decoded events for a moment, completes them, and hands them on in one batch. */

import type { NetnsNames } from '../enrich/netns-names.ts';
import type { OwnerResolver } from '../enrich/owner.ts';
import type { Event } from '../event/kinds.ts';
import type { Decoded } from '../wire/head.ts';

/**
 * Between two batches at least: looking up owners, which may read all open sockets, is for many events at once. Short enough
 * that a process which loses packets is still there.
 */
const COLLECT_MS = 60;
/** Handed on at once beyond this, so that a storm is bounded in memory. */
const MAX_COLLECTED = 16_384;

export class Pipeline {
  readonly #owners: OwnerResolver;
  readonly #netnsNames: NetnsNames;
  readonly #deliver: (events: readonly Event[]) => void;
  readonly #onFlushed: () => void;
  #collected: Decoded[] = [];
  #timer: NodeJS.Timeout | undefined;
  #flushedMs = Number.NEGATIVE_INFINITY;

  /** @param onFlushed called when everything taken so far is handed on */
  constructor(
    owners: OwnerResolver,
    netnsNames: NetnsNames,
    deliver: (events: readonly Event[]) => void,
    onFlushed: () => void = () => {},
  ) {
    this.#owners = owners;
    this.#netnsNames = netnsNames;
    this.#deliver = deliver;
    this.#onFlushed = onFlushed;
  }

  /** Events taken and not yet handed on. */
  get collected(): number {
    return this.#collected.length;
  }

  /** Takes what the capture decoded. */
  add(batch: readonly Decoded[]): void {
    if (batch.length === 0) return;
    for (const decoded of batch) this.#collected.push(decoded);
    if (this.#collected.length >= MAX_COLLECTED) this.flush();
    else this.#timer ??= setTimeout(() => this.flush(), this.#waitMs);
  }

  /** Events of the recorder's own, which need nothing looked up. */
  emit(events: readonly Event[]): void {
    if (events.length > 0) this.#deliver(events);
  }

  get #waitMs(): number {
    return Math.max(0, this.#flushedMs + COLLECT_MS - performance.now());
  }

  /** Hands on everything that was taken so far. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#collected.length === 0) return;
    this.#flushedMs = performance.now();
    const batch = this.#collected;
    this.#collected = [];
    // The rings are drained one after the other: a drop and the retransmission it caused are put in the order they happened.
    batch.sort((a, b) => Number(a.event.bootNs ?? 0n) - Number(b.event.bootNs ?? 0n));
    this.#owners.resolve(batch);
    for (const { event } of batch) this.#netnsNames.resolve(event);
    this.#deliver(batch.map(({ event }) => event));
    this.#onFlushed();
  }
}
