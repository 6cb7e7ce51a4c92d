/** What the recorder hands its events to: the store, the terminal, an exporter. */

import type { Event } from './kinds.ts';

export interface Sink {
  /** Takes a batch. Must not keep the caller waiting; what it cannot take it counts itself. */
  write(events: readonly Event[]): void;
  /** Flushes and releases; called once, after the last batch. */
  close(): void;
}
