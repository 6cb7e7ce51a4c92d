/** What is true and too little for anybody to notice. docs/rules/spurious.md says what was measured. */

import type { Share } from '../denominator.ts';

/** Of what the connections sent, a part that no throughput shows. */
const VANISHING = 0.001;
/** So many are nothing to speak of. */
export const FEW = 3;

export const isVanishing = (segments: number, sent: Share): boolean =>
  sent.segments > 0 && segments <= VANISHING * sent.segments;

/** Once a connection on the average, as when a CPU stalls. */
export const isRare = (events: number, connections: number): boolean => events <= Math.max(FEW, connections);
