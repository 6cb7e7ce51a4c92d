/** What is compared: a program that records lost packets, on the same load as the others. */

import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Cgroup } from '../../../lab/cgroup.ts';
import type { Host } from '../../../lab/host.ts';

/** What a contestant has to look at. */
export interface Watch {
  /** Whose namespaces losslog is told of; the others look at the whole machine. */
  hosts: readonly Host[];
  /** Where packets are captured: each loses or is sent a packet that was lost. */
  captureAt: readonly Host[];
  events: readonly Event[];
  /** Everything that the contestant runs is in it. */
  cgroup: Cgroup;
  /** An empty directory for what it writes. */
  directory: string;
  /** losslog: record each event by itself, however many they are. Default: as a user starts it. */
  unlimited?: boolean;
  /** bpftrace: print what losslog records. Default: a minimal script. */
  sameFields?: boolean;
}

export type Event = 'retransmission' | 'drop';

export const TRACEPOINTS: Readonly<Record<Event, string>> = {
  retransmission: 'tcp:tcp_retransmit_skb',
  drop: 'skb:kfree_skb',
};

/** What a contestant has recorded of one load. Absent: it cannot tell. */
export interface Tally {
  /** Events of retransmission, one by one. */
  retransmissions: number;
  /** Segments of those events. */
  segments?: number;
  drops?: number;
  /** Drops that are in its sums only. */
  counted?: number;
  /** Events that it says to have lost. */
  toldLost: number;
  /** What it leaves on disk. */
  bytes: number;
}

export interface Running {
  /** The process that loads its programs. */
  pid: number;
  /** Ends it in order. */
  stop(): Promise<Tally>;
  /** Ends it for sure, and removes what it made. Harmless after {@link stop}. */
  close(): void;
}

export interface Contestant {
  name: string;
  /** Program and version. */
  version: string;
  /** How it is started, for the reader. */
  how: string;
  /** Resolves when it records. */
  start(watch: Watch): Promise<Running>;
}

/** How long a program that does not say when it records is given for it. */
export const ATTACH_MS = 1500;

/** Bytes of all files below a directory. */
export function bytesBelow(directory: string): number {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, entry) => sum + statSync(join(entry.parentPath, entry.name)).size, 0);
}

/** Sum of the first groups of all matches. */
export const sumOf = (text: string, pattern: RegExp): number =>
  [...text.matchAll(pattern)].reduce((sum, [, number]) => sum + Number(number), 0);
