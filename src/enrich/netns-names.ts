/** Names of network namespaces, kept when the namespace is gone. */

import { messageOf } from '../base/errors.ts';
import { Lru } from '../base/lru.ts';
import type { OwnedEvent } from '../event/kinds.ts';
import { listNamedNetns } from '../linux/netns.ts';

const CACHED = 16_384;
/** A namespace without a name is looked for again after this time. */
const REFRESH_MS = 1000;

export class NetnsNames {
  readonly #list: () => Map<number, string>;
  readonly #now: () => number;
  readonly #onError: (message: string) => void;
  readonly #names = new Lru<number, string>(CACHED);
  #nextRefreshMs = Number.NEGATIVE_INFINITY;

  /**
   * @param onError told why names could not be listed: events go on without
   * @param now monotonic milliseconds
   */
  constructor(onError: (message: string) => void, list = listNamedNetns, now = () => performance.now()) {
    this.#onError = onError;
    this.#list = list;
    this.#now = now;
  }

  /** Completes `netnsName`, in place. */
  resolve(event: OwnedEvent): void {
    const name = event.netns === undefined ? undefined : this.nameOf(event.netns);
    if (name !== undefined) event.netnsName = name;
  }

  /** Name of a namespace by its inode number. */
  nameOf(netns: number): string | undefined {
    if (!this.#names.has(netns)) this.#refresh();
    return this.#names.get(netns);
  }

  #refresh(): void {
    const nowMs = this.#now();
    if (nowMs < this.#nextRefreshMs) return;
    this.#nextRefreshMs = nowMs + REFRESH_MS;
    try {
      for (const [inode, name] of this.#list()) this.#names.set(inode, name);
    } catch (error) {
      this.#onError(`the names of network namespaces cannot be read: ${messageOf(error)}`);
    }
  }
}
