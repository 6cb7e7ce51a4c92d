/** What an answer leaves out, and how far it can be trusted. */

import type { Filter } from '../../event/filter.ts';
import type { SkippedSlice, StoreReader } from '../../store/store.ts';

/** Benign drops counted at most: over a million events counting would take longer than the answer itself. */
export const MAX_BENIGN = 1000;

/** Benign drops that the filter would let through but for `all`. */
export function leftOut(reader: StoreReader, filter: Filter): { benign: number; atLeast?: true } {
  const benign = reader.countBenign(filter, MAX_BENIGN);
  return benign === MAX_BENIGN ? { benign, atLeast: true } : { benign };
}

/** To be called after the answer: it is then known which slices could not be read. */
export function skipped(reader: StoreReader): { skipped?: readonly SkippedSlice[] } {
  return reader.skipped.length === 0 ? {} : { skipped: reader.skipped };
}
