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

/** The conditions that flags and parameters give as they stand, under their own names. */
const PLAIN_CONDITIONS = [
  'since',
  'until',
  'cause',
  'reason',
  'location',
  'peer',
  'port',
  'process',
  'pid',
  'container',
] as const;

/** A filter of what was given; what is undefined does not restrict, nor is it a field of the result. */
export function plainFilter(
  given: { readonly [N in (typeof PLAIN_CONDITIONS)[number]]?: Filter[N] | undefined },
): Filter {
  const filter: Filter = {};
  for (const name of PLAIN_CONDITIONS) if (given[name] !== undefined) Object.assign(filter, { [name]: given[name] });
  return filter;
}

/** What `top` groups by. */
export const TOP_DIMENSIONS = ['peer', 'process', 'container', 'netns', 'reason', 'cause', 'location'] as const;
export type TopDimension = (typeof TOP_DIMENSIONS)[number];
