/** What the explanation reads of the events, and nothing more. Times are ns since the base of the reading. */

import type { ResetEvent, RetransmitEvent } from '../event/kinds.ts';
import { FLOW, OWNER, type ScanRow, SOURCE } from '../store/scan.ts';
import type { Endpoint, FlowKey, Flows, Translation } from './flows.ts';
import type { Range } from './sequence.ts';

/** Where it happened and whose it was; the same object for many events. */
export interface Owner {
  readonly netns?: number;
  readonly netnsName?: string;
  readonly device?: string;
  readonly process?: string;
  readonly container?: string;
}

const NOBODY: Owner = {};

interface Common {
  readonly at: number;
  /** Whether it is asked for, or only read because it may explain something. */
  readonly isAsked: boolean;
  /** Seen from the sender of the packet; of a reset from the local end. Undefined without addresses. */
  readonly flow: FlowKey | undefined;
  readonly owner: Owner;
}

export interface Resent extends Common {
  readonly kind: 'retransmit';
  readonly cause: RetransmitEvent['cause'];
  readonly failed: string | undefined;
  readonly range: Range | undefined;
  readonly segments: number;
  readonly rtoMs: number | undefined;
  readonly ack: number | undefined;
  /** How long TCP had been sending it at `at`, in µs. */
  readonly spentUs: number | undefined;
}

export interface Dropped extends Common {
  readonly kind: 'drop';
  readonly reason: string | undefined;
  readonly location: string | undefined;
  readonly class: 'loss' | 'benign' | 'unknown';
  readonly direction: 'rx' | 'tx' | 'forward' | undefined;
  readonly protocol: string | undefined;
  readonly tcpFlags: string | undefined;
  readonly range: Range | undefined;
  readonly ack: number | undefined;
  readonly length: number | undefined;
  /** What connection tracking says of a connection whose addresses are translated; `flow` is as it was opened then. */
  readonly nat: Translation | undefined;
  /** What of its range was not sent again yet. */
  left: Range[];
  /** It is a second copy of what was sent again: nothing was lost by it. */
  isCopy: boolean;
  /** It has been given to an incident. */
  isTold: boolean;
}

export interface Reset extends Common {
  readonly kind: 'reset';
  readonly direction: ResetEvent['direction'];
  readonly reason: string | undefined;
  readonly state: string | undefined;
}

/** A counter of the kernel that grew. */
export interface Grown extends Common {
  readonly kind: 'counter';
  readonly counter: string;
  readonly count: number;
  readonly class: 'loss' | 'benign' | 'unknown';
  /** When it was read before, and when it was read. */
  readonly from: number;
  readonly until: number;
  readonly queue: number | undefined;
  readonly backlog: number | undefined;
  readonly synQueue: number | undefined;
  /** The listening socket, where it is known which one it was; an address of zeros listens on all. */
  readonly listener: Endpoint | undefined;
}

/** Drops or retransmissions that were counted and not recorded one by one. */
export interface Summed extends Common {
  readonly kind: 'summary';
  readonly events: number;
  /** What each of them would have been. */
  readonly each: Dropped | Resent | Reset;
}

/** What a connection had sent by a report of it. */
export interface Sent extends Common {
  readonly kind: 'connection';
  readonly segments: number;
  readonly retransmitted: number;
  /** Of these, what the peer said it had got twice. */
  readonly spurious: number;
  /** How often packets were acknowledged out of order. */
  readonly reordered: number;
}

export type Fact = Resent | Dropped | Reset | Grown | Summed | Sent;

const COMMON = [FLOW, 'sport', 'dport', OWNER] as const;
/** Values before those of the columns: time and mark. */
const HEAD = 2;
/** Place of the first column that is not common. */
const OWN = HEAD + COMMON.length;

export const RESENT_COLUMNS = [...COMMON, 'cause', 'failed', 'seq', 'endSeq', 'segments', 'rtoMs', 'ack', 'spentUs'];
export const DROPPED_COLUMNS = [
  ...COMMON,
  ...['reason', 'location', 'class', 'direction', 'protocol', 'tcpFlags', 'seq', 'endSeq', 'ack', 'length', 'nat'],
];
export const GROWN_COLUMNS = [
  ...COMMON,
  ...['counter', 'count', 'class', 'from', 'until', 'queue', 'backlog', 'synQueue', SOURCE],
];
export const SUMMED_COLUMNS = [
  ...COMMON,
  ...['of', 'events', 'segments', 'reason', 'location', 'class', 'direction', 'protocol', 'cause', 'failed'],
];
export const SENT_COLUMNS = [...COMMON, 'segments', 'retransmitted', 'spurious', 'reordered'];
export const RESET_COLUMNS = [...COMMON, 'direction', 'reason', 'state'];

type Value = string | number | boolean | null | undefined;

/** The value of a column; undefined when absent. */
const valueAt = <T>(row: ScanRow, at: number): T | undefined => ((row[at] as Value) ?? undefined) as T | undefined;

/** Without its end (the source kprobe, which does not know where the kernel will cut it), the first byte stands for all. */
function rangeAt(row: ScanRow, at: number): Range | undefined {
  const [begin, end] = [row[at], row[at + 1]] as (number | null)[];
  if (begin === null || begin === undefined) return undefined;
  return { begin, end: end ?? (begin + 1) >>> 0 };
}

export function resentOf(row: ScanRow, flows: Flows): Resent {
  return {
    kind: 'retransmit',
    at: row[0],
    isAsked: row[1],
    flow: flowOf(row, flows),
    owner: ownerAt(row),
    cause: row[OWN] as unknown as Resent['cause'],
    failed: valueAt(row, OWN + 1),
    range: rangeAt(row, OWN + 2),
    segments: valueAt(row, OWN + 4) ?? 1,
    rtoMs: valueAt(row, OWN + 5),
    ack: valueAt(row, OWN + 6),
    spentUs: valueAt(row, OWN + 7),
  };
}

export function droppedOf(row: ScanRow, flows: Flows): Dropped {
  const range = rangeAt(row, OWN + 6);
  const flow = flowOf(row, flows);
  const text: string | undefined = valueAt(row, OWN + 10);
  const nat = text === undefined || flow === undefined ? undefined : flows.translation(text);
  return {
    kind: 'drop',
    at: row[0],
    isAsked: row[1],
    flow: nat === undefined || flow === undefined ? flow : flows.asOpened(flow, nat),
    owner: ownerAt(row),
    reason: valueAt(row, OWN),
    location: valueAt(row, OWN + 1),
    class: row[OWN + 2] as unknown as Dropped['class'],
    direction: valueAt(row, OWN + 3),
    protocol: valueAt(row, OWN + 4),
    tcpFlags: valueAt(row, OWN + 5),
    range,
    ack: valueAt(row, OWN + 8),
    length: valueAt(row, OWN + 9),
    nat,
    left: range && range.begin !== range.end ? [range] : [],
    isCopy: false,
    isTold: false,
  };
}

export function resetOf(row: ScanRow, flows: Flows): Reset {
  return {
    kind: 'reset',
    at: row[0],
    isAsked: row[1],
    flow: flowOf(row, flows),
    owner: ownerAt(row),
    direction: row[OWN] as unknown as Reset['direction'],
    reason: valueAt(row, OWN + 1),
    state: valueAt(row, OWN + 2),
  };
}

export function grownOf(row: ScanRow, flows: Flows): Grown {
  const source = row[OWN + 8] as unknown as string;
  const port: number | undefined = valueAt(row, HEAD + 1);
  return {
    kind: 'counter',
    at: row[0],
    isAsked: row[1],
    flow: undefined,
    owner: ownerAt(row),
    counter: row[OWN] as unknown as string,
    count: row[OWN + 1] as unknown as number,
    class: row[OWN + 2] as unknown as Grown['class'],
    from: row[OWN + 3] as unknown as number,
    until: row[OWN + 4] as unknown as number,
    queue: valueAt(row, OWN + 5),
    backlog: valueAt(row, OWN + 6),
    synQueue: valueAt(row, OWN + 7),
    listener: source === '' || port === undefined ? undefined : flows.endpoint(source, port),
  };
}

export function sentOf(row: ScanRow, flows: Flows): Sent {
  return {
    kind: 'connection',
    at: row[0],
    isAsked: row[1],
    flow: flowOf(row, flows),
    owner: ownerAt(row),
    segments: valueAt(row, OWN) ?? 0,
    retransmitted: valueAt(row, OWN + 1) ?? 0,
    spurious: valueAt(row, OWN + 2) ?? 0,
    reordered: valueAt(row, OWN + 3) ?? 0,
  };
}

export function summedOf(row: ScanRow, flows: Flows): Summed {
  const common = { at: row[0], isAsked: row[1], flow: flowOf(row, flows), owner: ownerAt(row) };
  return {
    ...common,
    kind: 'summary',
    events: row[OWN + 1] as unknown as number,
    each: eachOf(row, common),
  };
}

function eachOf(row: ScanRow, common: Common): Summed['each'] {
  const kind = row[OWN] as unknown as Summed['each']['kind'];
  const reason: string | undefined = valueAt(row, OWN + 3);
  if (kind === 'reset') {
    return { ...common, kind, reason, direction: valueAt(row, OWN + 6) ?? 'received', state: undefined };
  }
  if (kind === 'retransmit') {
    const segments: number = valueAt(row, OWN + 2) ?? 0;
    const cause: Resent['cause'] = valueAt(row, OWN + 8) ?? 'unknown';
    const unknown = { range: undefined, rtoMs: undefined, ack: undefined, spentUs: undefined };
    return { ...common, ...unknown, kind, segments, cause, failed: valueAt(row, OWN + 9) };
  }
  const place = { location: valueAt<string>(row, OWN + 4), direction: valueAt<Dropped['direction']>(row, OWN + 6) };
  const packet = { protocol: valueAt<string>(row, OWN + 7), tcpFlags: undefined, range: undefined, ack: undefined };
  const dropClass: Dropped['class'] = valueAt(row, OWN + 5) ?? 'unknown';
  return {
    ...common,
    ...place,
    ...packet,
    kind,
    reason,
    class: dropClass,
    length: undefined,
    nat: undefined,
    left: [],
    isCopy: false,
    isTold: false,
  };
}

const ownerAt = (row: ScanRow): Owner => (row[HEAD + 3] as Owner | null) ?? NOBODY;

function flowOf(row: ScanRow, flows: Flows): FlowKey | undefined {
  const addresses = row[HEAD] as unknown as string;
  return addresses === '' ? undefined : flows.key(addresses, valueAt(row, HEAD + 1) ?? 0, valueAt(row, HEAD + 2) ?? 0);
}
