/** A source of events, as the recorder sees it. */

import type { Decoded } from '../wire/head.ts';
import type { Listener } from '../wire/listener-records.ts';
import type { OwnerSource } from '../wire/owner-records.ts';

export const SOURCES = ['bpf', 'ftrace', 'kprobe'] as const;
export type SourceName = (typeof SOURCES)[number];

export interface CaptureHandlers {
  /** There are records to be decoded: what their times are told by should be of now. */
  beforeRecords?(): void;
  /** Decoded records, in the order of their ring. */
  onEvents(batch: Decoded[]): void;
  /** A record that could not be decoded, or a failure of the poller; capture goes on. */
  onError(message: string): void;
  /** Asked before each drain: how many events can be taken now. The others stay where they are, as long as there is room. */
  room?(): number;
}

export interface Counted {
  /** Each is of kind `summary`. */
  readonly summaries: readonly Decoded[];
  /** How many of these events were not beyond a limit, but found no room in a ring. */
  readonly noRoom: number;
}

/** How the kernel side is doing. */
export interface CaptureStats {
  readonly rings: readonly {
    readonly name: string;
    readonly bytes: number;
    /** Bytes that hold records which are not yet stored. */
    readonly used: number;
  }[];
  /** Programs with how often and how long they ran; empty where the kernel does not take the time. */
  readonly programs: readonly { readonly name: string; readonly runs: number; readonly runNs: number }[];
}

/** A source that can be compared with the kernel's counters, and that knows the listening sockets. */
export interface Audit {
  /** Whether retransmissions that failed are told apart; else this kernel does not tell of them at all. */
  readonly tellsFailures: boolean;
  /** Hands over the retransmissions recorded up to now. @returns whether these were all */
  catchUp(): boolean;
  /** The listening TCP sockets by inode. Some µs for every file that is open on this host. @throws BPF */
  listListeners(): Map<bigint, Listener>;
}

export interface Capture {
  readonly source: SourceName;
  /** Names of the probes that are recorded. */
  readonly probes: readonly string[];
  /** Names of probes that this kernel does not have. */
  readonly missing: readonly string[];
  /** What is not seen by this source on this kernel, a sentence each. */
  readonly blindSpots: readonly string[];
  readonly owners: OwnerSource;
  /**
   * Attaches every probe; from its return on all events are recorded.
   * @param canPoll whether koffi's poll works here; else a timer drains
   */
  start(handlers: CaptureHandlers, canPoll: boolean): void;
  /**
   * Marks the present place in the stream.
   * @returns gives back what was handed over before it: to be called once that is stored. What is not given back when this process dies,
   *   is handed over again by the next one where the source outlives a recorder.
   */
  checkpoint(): () => void;
  /** What was only counted since the last call, for limits or for want of room. May take some ms. @throws BPF */
  takeSummaries(): Counted;
  /** Events that could not be handed over, in all, by the sentence that says why. */
  losses(): ReadonlyMap<string, number>;
  stats(): CaptureStats;
  /** What can be held against the kernel's own counters; absent where the source tells too little for that. */
  readonly audit?: Audit;
  /** Stops the probes and hands over what they still had recorded. */
  stop(): void;
  close(): void;
}
