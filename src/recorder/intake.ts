/** The end of every pipeline: the store first, then whoever looks on. */

import type { Event } from '../event/kinds.ts';
import type { StoredSince } from '../store/stored-since.ts';
import type { StoreWriter } from '../store/writer.ts';

export class Intake {
  /** What a former recorder stored of the events that come; undefined: nothing. */
  stored: StoredSince | undefined;
  readonly #store: StoreWriter;
  readonly #onEvents: ((events: readonly Event[]) => void) | undefined;
  #written = 0;

  constructor(store: StoreWriter, onEvents?: (events: readonly Event[]) => void) {
    this.#store = store;
    this.#onEvents = onEvents;
  }

  /** Events that went to the store up to now, one by one or in a summary. */
  get written(): number {
    return this.#written;
  }

  readonly write = (events: readonly Event[]): void => {
    const { stored } = this;
    const fresh = stored ? events.filter((event) => !stored.claim(event)) : events;
    for (const event of fresh) this.#written += event.kind === 'summary' ? event.events : 1;
    this.#store.write(fresh);
    this.#onEvents?.(fresh);
  };
}
