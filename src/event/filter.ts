/** The filters that `show`, `top` and the rest of the queries share. */

import type { Cidr } from '../base/ip.ts';
import type { WallNs } from '../base/time.ts';
import type { Kind } from './kinds.ts';

/** All given conditions must hold; an absent one does not restrict. */
export interface Filter {
  /** Inclusive. */
  since?: WallNs;
  /** Exclusive. */
  until?: WallNs;
  kinds?: readonly Kind[];
  /** Retransmission cause. */
  cause?: string;
  /** Drop or reset reason, compared without regard to case. */
  reason?: string;
  /** Place of a drop: `symbol+offset`, or the symbol for all of its offsets. */
  location?: string;
  /** Either end of the flow. */
  peer?: Cidr;
  /** Either port. */
  port?: number;
  process?: string;
  pid?: number;
  /** Container id or a prefix of at least 4 characters. */
  container?: string;
  /** Inode of the network namespace. */
  netns?: number;
  /** Benign drops too. Without it they are left out, and counted. */
  all?: boolean;
}

/** What `top` groups by. */
export const TOP_DIMENSIONS = ['peer', 'process', 'container', 'netns', 'reason', 'cause', 'location'] as const;
export type TopDimension = (typeof TOP_DIMENSIONS)[number];
