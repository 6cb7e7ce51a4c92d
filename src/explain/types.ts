/** What an explanation is made of: the types that the command, the API and the page share. docs/why.md describes them. */

import type { WallNs } from '../base/time.ts';
import type { Event } from '../event/kinds.ts';

/**
 * How sure a verdict is. `certain`: the kernel itself said so of this very packet. `likely`: the facts agree and nothing
 * recorded speaks against it. `possible`: one explanation among others.
 */
export const SURENESS = ['certain', 'likely', 'possible'] as const;
export type Sureness = (typeof SURENESS)[number];

/** Where packets were lost; each part absent when it is unknown or differs within the incident. */
export interface Place {
  /** Inode number of the network namespace. */
  netns?: number;
  netnsName?: string;
  device?: string;
  /** Function of the kernel that freed the packet. */
  location?: string;
  /** Reason of the drop or reset, or the error of a failed retransmission. */
  reason?: string;
  direction?: string;
}

/** A name and how many events of the incident are of it. */
export interface Counted {
  name: string;
  events: number;
}

/** Whom it hit, the most frequent first, cut to a few; the totals count all. */
export interface Hit {
  processes: Counted[];
  containers: Counted[];
  peers: Counted[];
  connections: number;
}

export interface Amount {
  /** Retransmit events that the incident explains. */
  retransmissions: number;
  /** TCP segments in them. */
  segments: number;
  /** Drops in it, those that explain a retransmission and those that nothing was resent for. */
  drops: number;
  resets: number;
  /** By how much counters of the kernel grew that tell of losses without an event. */
  counted: number;
  /** Segments sent again by segments sent, of the connections that were reported (docs/events/connection.md); absent when none was. */
  lossRatio?: number;
}

export interface Timeline {
  from: WallNs;
  /** Length of a step in ns. */
  stepNs: bigint;
  /** Events in each step. */
  counts: number[];
}

/** Something to do about it. */
export interface Advice {
  text: string;
  /** A command line to run as root on this host. */
  command?: string;
}

/** Events of one cause and place, close to each other in time. */
export interface Incident {
  /** `firewall-20261123T020909Z-65s-3fa9`: rule, begin, length and a hash of the place. `show --incident` takes it. */
  id: string;
  /** The rule that explains it: its page is docs/rules/RULE.md. */
  rule: string;
  /** One line in plain words. */
  title: string;
  from: WallNs;
  until: WallNs;
  sureness: Sureness;
  /** What the verdict rests on, a sentence each. */
  restsOn: string[];
  place: Place;
  hit: Hit;
  amount: Amount;
  /** The part of the events of the period that was examined one by one; absent when all were. Counts are reckoned from it. */
  examined?: number;
  /** True, but it cost nothing; absent otherwise. docs/rules/spurious.md */
  harmless?: true;
  /** For sorting: docs/why.md says how it is reckoned. */
  harm: number;
  timeline: Timeline;
  /** What else it could be, a sentence each. */
  alternatives: string[];
  advice: Advice[];
}

/** One step of a connection's story. */
export interface StoryStep {
  event: Event;
  /** Which way the packet went: from the first endpoint to the second (`right`), or back. */
  way: 'right' | 'left';
  /** What happened, in words. */
  text: string;
  /** The verdict on a retransmission, in words. */
  verdict?: string;
  /** Whether the packet arrived, was lost, or was not sent at all; `unknown` where nothing tells. */
  fate: 'lost' | 'unsent' | 'needless' | 'unknown';
}

export interface Story {
  a: string;
  b: string;
  steps: StoryStep[];
  /** What it amounts to, a sentence each. */
  summary: string[];
  incidents: Incident[];
}
