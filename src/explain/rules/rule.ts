/** What a rule is: it claims cases as its own, and puts a group of them into words. */

import type { Coverage } from '../coverage.ts';
import type { Share } from '../denominator.ts';
import type { Dropped, Grown, Reset } from '../facts.ts';
import type { Endpoint, Flows } from '../flows.ts';
import type { Group } from '../group.ts';
import type { ResentCase } from '../join.ts';
import type { NatNames } from '../nat.ts';
import type { Advice, Place, Sureness } from '../types.ts';

/** What the rules may ask about the host beside the case itself. */
export interface Known {
  flows: Flows;
  /** Under which name a connection is known whose addresses are translated. */
  names: NatNames;
  coverage: Coverage;
  /** Inode number of the host's own network namespace, where it is known. */
  hostNetns?: number;
}

export interface Claim {
  /** What cases of one incident share. */
  place: Place;
  /** Stands for reason and location of the place, where these may differ within one incident. */
  what?: string;
  /** An address or service that they share besides; incidents of many of these at once are put together. */
  peer?: Endpoint;
  sureness: Sureness;
  /** The rule that knows the place, where this one is about what was lost there. */
  via?: Rule;
  /** A remark on this case; the most frequent ones are told. */
  note?: string;
}

export interface ResetCase {
  readonly kind: 'reset';
  readonly fact: Reset;
  /** The other end's record of the same RST, where that end is on this host. */
  other?: Reset;
}

export interface Description {
  title: string;
  /** A sentence each. */
  restsOn: string[];
  alternatives: string[];
  advice: Advice[];
}

export interface Rule {
  /** As in the id of an incident and in docs/rules/NAME.md. */
  readonly name: string;
  /** What it drops on the way out is in counters of the device or of the sending socket besides. */
  readonly isCountedOut?: true;
  drop?(drop: Dropped, known: Known): Claim | undefined;
  counter?(grown: Grown, known: Known): Claim | undefined;
  /** Of retransmissions that no drop explains. */
  resent?(found: ResentCase, known: Known): Claim | undefined;
  reset?(found: ResetCase, known: Known): Claim | undefined;
  /** Whether what happened cost nothing, though it is true: such an incident is told only when it is asked for. */
  isHarmless?(group: Group, sent: Share): boolean;
  /** @param sent what its connections sent in all, as far as they were reported */
  describe(group: Group, known: Known, sent: Share): Description;
}
