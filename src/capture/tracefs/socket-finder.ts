/**
 * Which namespace and which socket an event is of, where the source tells its addresses only: the tables of TCP sockets of
 * all namespaces are searched for them.
 */

import { formatIp } from '../../base/ip.ts';
import type { PacketEvent } from '../../event/kinds.ts';
import { listNetnsProcesses } from '../../linux/netns.ts';
import { readSocketTable, type SocketEntry } from '../../linux/socket-table.ts';

interface Place {
  readonly netns: number;
  readonly uid: number;
  readonly inode: bigint;
}

/** The tables are read again at most this often, and never so that it takes more than 1/20 of the time. */
const REFRESH_MIN_MS = 50;
const REFRESH_SHARE = 20;
/** What was read may be of connections that have ended since. */
const MAX_AGE_MS = 1000;

export class SocketFinder {
  readonly #now: () => number;
  /** By addresses and ports; undefined where two namespaces have the same. */
  #places = new Map<string, Place | undefined>();
  #readAtMs = Number.NEGATIVE_INFINITY;
  #nextReadMs = 0;

  /** @param now monotonic milliseconds */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** Milliseconds until the tables may be read again. */
  get waitMs(): number {
    return Math.max(0, this.#nextReadMs - this.#now());
  }

  /** Completes namespace, user and socket of those events whose connection is found, in place. */
  complete(events: readonly PacketEvent[]): void {
    if (!events.some(isSought)) return;
    const isOld = this.#now() - this.#readAtMs > MAX_AGE_MS;
    const isMissing = events.some((event) => isSought(event) && !this.#places.has(keyOf(event)));
    if ((isOld || isMissing) && this.waitMs === 0) this.#read();
    for (const event of events) if (isSought(event)) this.#complete(event);
  }

  #complete(event: PacketEvent): void {
    const place = this.#places.get(keyOf(event));
    if (!place) return;
    event.netns = place.netns;
    event.uid = place.uid;
    if (place.inode !== 0n) event.socketInode = place.inode;
  }

  #read(): void {
    const beginMs = this.#now();
    const places = new Map<string, Place | undefined>();
    for (const [netns, pid] of listNetnsProcesses()) {
      for (const entry of readSocketTable(pid)) {
        const key = keyOfEntry(entry);
        places.set(key, places.has(key) ? undefined : { netns, uid: entry.uid, inode: entry.inode });
      }
    }
    this.#places = places;
    this.#readAtMs = this.#now();
    this.#nextReadMs = beginMs + Math.max(REFRESH_MIN_MS, (this.#readAtMs - beginMs) * REFRESH_SHARE);
  }
}

const isSought = ({ netns, src, dst, sport, dport }: PacketEvent): boolean =>
  netns === undefined && src !== undefined && dst !== undefined && sport !== undefined && dport !== undefined;

const keyOf = ({ src, dst, sport, dport }: PacketEvent): string =>
  `${formatIp(src as Uint8Array)} ${sport} ${formatIp(dst as Uint8Array)} ${dport}`;

const keyOfEntry = ({ local, localPort, remote, remotePort }: SocketEntry): string =>
  `${formatIp(local)} ${localPort} ${formatIp(remote)} ${remotePort}`;
