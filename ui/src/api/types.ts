/** What the API answers: see docs/api.md. Fields are absent when unknown. */

import type { TopDimension } from '../../../src/event/filter.ts';
import type { JsonEvent } from '../../../src/event/json.ts';
import type { Kind } from '../../../src/event/kinds.ts';

export type { JsonEvent, Kind, TopDimension };
export type Coverage = JsonEvent<'coverage'>;

export interface Status {
  readonly version: string;
  readonly storeDir: string;
  readonly now: string;
  readonly begins?: string;
  readonly recorder: {
    readonly state: 'recording' | 'down';
    readonly since?: string;
    readonly lastSeen?: string;
    readonly kernel?: string;
    readonly host?: string;
    readonly filter?: string;
  };
  /** Files of the store that could not be read. */
  readonly skipped?: readonly { readonly file: string; readonly why: string }[];
  /** Whether live events can be had from this server. */
  readonly live: boolean;
}

export interface EventPage {
  readonly events: readonly JsonEvent[];
  readonly leftOut?: { readonly benign: number; readonly atLeast?: true };
  readonly more: boolean;
  readonly begins?: string;
}

/** Counts of one cause or reason, one a step: segments of retransmissions, packets of drops, resets. */
export interface SeriesLine {
  readonly kind: 'retransmit' | 'drop' | 'reset';
  readonly what?: string;
  readonly class?: 'loss' | 'benign' | 'unknown';
  /** The sum of those that came after the first ones. */
  readonly other?: true;
  readonly counts: readonly number[];
}

export interface Series {
  readonly from: string;
  readonly until: string;
  readonly stepMs: number;
  readonly series: readonly SeriesLine[];
  readonly coverage: readonly Coverage[];
}

export interface TopRow {
  /** Absent for what has none. */
  readonly key?: string | number;
  /** Of a network namespace. */
  readonly netnsName?: string;
  readonly events: number;
  readonly retransmissions: number;
  readonly segments: number;
  readonly bytes: number;
  readonly drops: number;
  readonly resets: number;
}

export interface TopologyNode {
  readonly id: string;
  readonly kind: string;
  readonly label: string;
  readonly drops: number;
  readonly retransmissions: number;
}

export interface TopologyEdge {
  readonly from: string;
  readonly to: string;
  readonly retransmissions: number;
  readonly drops: number;
}

export interface Topology {
  readonly nodes: readonly TopologyNode[];
  readonly edges: readonly TopologyEdge[];
  /** Nodes that the server left out already. */
  readonly hidden: number;
}

/** As `why --json` prints it: the place and the amounts are fields of the incident itself. */
export interface Incident {
  readonly incident: string;
  readonly rule: string;
  readonly title: string;
  readonly from: string;
  readonly until: string;
  readonly sureness: 'certain' | 'likely' | 'possible';
  readonly netns?: number;
  readonly netnsName?: string;
  readonly device?: string;
  readonly location?: string;
  readonly reason?: string;
  readonly direction?: string;
  readonly retransmissions: number;
  readonly segments: number;
  readonly drops: number;
  readonly resets: number;
  /** By how much counters of the kernel grew that tell of losses without an event. */
  readonly counted: number;
  readonly lossRatio?: number;
  readonly connections: number;
  readonly processes: readonly { readonly process: string; readonly events: number }[];
  readonly containers: readonly { readonly container: string; readonly events: number }[];
  readonly peers: readonly { readonly peer: string; readonly events: number }[];
  readonly timeline: { readonly from: string; readonly stepMs: number; readonly events: readonly number[] };
  readonly restsOn: readonly string[];
  readonly alternatives: readonly string[];
  readonly advice: readonly { readonly text: string; readonly command?: string }[];
}

export interface StoryStep {
  readonly event: JsonEvent;
  readonly way: 'right' | 'left';
  readonly text: string;
  readonly verdict?: string;
  readonly fate: 'lost' | 'unsent' | 'needless' | 'unknown';
}

export interface Story {
  readonly a: string;
  readonly b: string;
  readonly steps: readonly StoryStep[];
  readonly summary: readonly string[];
  readonly incidents: readonly Incident[];
}
