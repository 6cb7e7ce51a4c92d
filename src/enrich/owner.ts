/**
 * The owner of each event: what the kernel side found, else the process that holds the socket's inode, else what was
 * noted for the socket meanwhile. Never the interrupted task. See docs/design/owner.md.
 */

import { messageOf } from '../base/errors.ts';
import { Lru } from '../base/lru.ts';
import type { OwnedEvent } from '../event/kinds.ts';
import { containerIdOf } from '../linux/cgroup.ts';
import type { Decoded, SocketKey } from '../wire/head.ts';
import type { OwnerHow, OwnerSource, ProcessRef } from '../wire/owner-records.ts';

const CACHED_OWNERS = 16_384;
const CACHED_CGROUPS = 4096;
/** A hierarchy is a byte of the record. */
const MAX_HIERARCHIES = 256n;
/** The list of sockets is read again at most this often, and never so that it takes more than 1/20 of the time. */
const REFRESH_MIN_MS = 50;
const REFRESH_SHARE = 20;
/** Sockets that no process holds (of the kernel itself) would else have the list read again for every event. */
const UNOWNED_FOR_MS = 2000;

interface Place {
  cgroup: string;
  container: string | undefined;
}

export class OwnerResolver {
  readonly #source: OwnerSource;
  readonly #onError: (message: string) => void;
  readonly #now: () => number;
  readonly #known = new Lru<bigint, ProcessRef>(CACHED_OWNERS);
  readonly #unowned = new Lru<bigint, number>(CACHED_OWNERS);
  readonly #places = new Lru<bigint, Place>(CACHED_CGROUPS);
  #nextRefreshMs = 0;

  /**
   * @param onError told why sockets could not be listed: events go on without the owner that the list would give
   * @param now monotonic milliseconds
   */
  constructor(source: OwnerSource, onError: (message: string) => void, now = () => performance.now()) {
    this.#source = source;
    this.#onError = onError;
    this.#now = now;
  }

  /** Reads the sockets that are open now: connections older than the recorder get their owner by it. @throws BPF */
  prime(): void {
    this.#remember(this.#source.listSockets());
  }

  /** Completes the owner of every event of the batch, in place. */
  resolve(batch: readonly Decoded[]): void {
    const wanted = new Set<bigint>();
    for (const { event } of batch) {
      if (event.pid === undefined && event.socketInode !== undefined) wanted.add(event.socketInode);
    }
    if (wanted.size > 0) this.#learn(wanted);
    for (const { event, socket } of batch) this.#complete(event, socket);
  }

  #learn(inodes: ReadonlySet<bigint>): void {
    const nowMs = this.#now();
    const isNew = (inode: bigint): boolean => !this.#known.has(inode) && !((this.#unowned.get(inode) ?? 0) > nowMs);
    const wanted = [...inodes].filter(isNew);
    if (wanted.length === 0 || nowMs < this.#nextRefreshMs) return;
    try {
      const sockets = this.#source.listSockets();
      this.#remember(sockets);
      for (const inode of wanted) {
        const owner = sockets.get(inode);
        if (owner) this.#known.set(inode, owner);
        else this.#unowned.set(inode, nowMs + UNOWNED_FOR_MS);
      }
    } catch (error) {
      this.#onError(`owners of sockets are not looked up: ${messageOf(error)}`);
    }
    const tookMs = this.#now() - nowMs;
    this.#nextRefreshMs = nowMs + Math.max(REFRESH_MIN_MS, tookMs * REFRESH_SHARE);
  }

  /** All of them: the next event may be of any, long before the list may be read again. */
  #remember(sockets: ReadonlyMap<bigint, ProcessRef>): void {
    let left = CACHED_OWNERS;
    for (const [inode, owner] of sockets) {
      if (left-- === 0) return;
      this.#known.set(inode, owner);
    }
  }

  #complete(event: OwnedEvent, socket: SocketKey): void {
    if (event.pid !== undefined) {
      this.#setPlace(event, socket.cgroupId, socket.cgroupHierarchy);
      return;
    }
    const { socketInode } = event;
    const holder = socketInode === undefined ? undefined : this.#known.get(socketInode);
    if (holder) {
      this.#setOwner(event, holder, 'fd');
      return;
    }
    const noted = socket.sk === 0n ? undefined : this.#source.notedOwner(socket.sk);
    if (noted?.how && noted.inode === socketInode) this.#setOwner(event, noted, noted.how);
  }

  #setOwner(event: OwnedEvent, owner: ProcessRef, how: OwnerHow | 'fd'): void {
    event.pid = owner.pid;
    event.ownerHow = how;
    if (owner.process !== undefined) event.process = owner.process;
    this.#setPlace(event, owner.cgroupId, owner.cgroupHierarchy);
  }

  #setPlace(event: OwnedEvent, cgroupId: bigint, hierarchy: number): void {
    const key = cgroupId * MAX_HIERARCHIES + BigInt(hierarchy);
    let place = this.#places.get(key);
    if (!place) {
      const cgroup = this.#source.cgroupPath(cgroupId, hierarchy);
      if (cgroup === undefined) return;
      place = { cgroup, container: containerIdOf(cgroup) };
      this.#places.set(key, place);
    }
    event.cgroup = place.cgroup;
    if (place.container !== undefined) event.container = place.container;
  }
}
