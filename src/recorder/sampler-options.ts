/** What the sampler of network namespaces is told, and tells. */

import type { Audit } from '../capture/capture.ts';
import type { Compared } from './comparison.ts';
import type { Share } from './listener-share.ts';
import type { RecordedTotals } from './recorded-totals.ts';

/** How a stretch of one namespace compares. */
export interface ComparedStretch {
  readonly netns: number;
  readonly fromNs: bigint;
  readonly untilNs: bigint;
  readonly compared: readonly Compared[];
}

/** Namespaces of which it is not known what their counters tell, since a look at one of them. */
export interface Unseen {
  readonly count: number;
  /** Of so many. */
  readonly of: number;
  readonly fromNs: bigint;
}

export interface SamplerOptions {
  root?: string;
  /** Of the source; absent: nothing is compared and no listener is known. */
  audit?: Audit;
  totals: RecordedTotals;
  isWanted(netns: number): boolean;
  /** Whether losses that only counters tell are wanted. */
  losses: boolean;
  /** Whether those are wanted that are of the whole host. */
  host: boolean;
  /** Time since boot in ns. */
  now(): bigint;
  onCompared(stretch: ComparedStretch): void;
  /** @param netns absent: of the whole host */
  onLoss(share: Share, netns?: number): void;
  /** At the end: namespaces that there was no time to look at any more. */
  onUnseen(unseen: Unseen): void;
  onError(message: string): void;
  /** Default: a two hundredth of a core, a tenth within a round. */
  pace?: Pace;
}

/** How much of a core it takes at most. */
export interface Pace {
  /** Between rounds, at least. */
  readonly roundMs: number;
  /** Time until the next round, in the length of this one, at least. */
  readonly roundShare: number;
  /** Pause between slices. */
  readonly pauseMs: number;
  /** How long the last looks may take. */
  readonly endMs: number;
  /** How long a process counts as being in the namespace in which it was found: few ever go elsewhere, and asking all is half of a round. */
  readonly knownMs: number;
}
