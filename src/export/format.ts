/** A file format that events are written to, one after the other. */

import type { Event } from '../event/kinds.ts';

export interface EventFormat {
  /** What the file begins with. */
  begin(): Uint8Array;
  /** What is added for an event; undefined when the format has no place for it. */
  add(event: Event): Uint8Array | undefined;
}

export const EXPORT_FORMATS = ['jsonl', 'csv', 'pcapng'] as const;
export type ExportFormat = (typeof EXPORT_FORMATS)[number];
