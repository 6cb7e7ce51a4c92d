/** Reads the counters of a network namespace together with what was recorded of it, at one moment. */

import { errnoOf, LosslogError } from '../base/errors.ts';
import type { Audit } from '../capture/capture.ts';
import { type DeviceCounters, readDeviceCounters, readMissed } from '../linux/device-counters.ts';
import { type NetnsPlace, netnsOf, ownNetns } from '../linux/netns.ts';
import { ProcText } from '../linux/proc-text.ts';
import { inNetns } from '../linux/setns.ts';
import { CounterTable } from '../linux/snmp.ts';
import { type Reading, WATCHED } from './netns-watch.ts';
import type { RecordedTotals } from './recorded-totals.ts';

/**
 * Nothing may have been recorded for so long before a reading that is compared. The kernel counts a segment some 5 to 50 µs before its
 * tracepoint fires, or after (docs/events/retransmit.md): one that was counted may not be recorded yet.
 */
const QUIET_NS = 200_000n;

export interface NetnsReaderOptions {
  root?: string;
  /** Absent: nothing is compared. */
  audit?: Audit;
  totals: RecordedTotals;
  /** Time since boot in ns. */
  now(): bigint;
}

type Raw = Pick<Reading, 'values' | 'devices'>;

export class NetnsReader {
  readonly #root: string;
  readonly #audit: Audit | undefined;
  readonly #totals: RecordedTotals;
  readonly #now: () => bigint;
  readonly #own: number;
  readonly #text = new ProcText();
  readonly #table = new CounterTable(WATCHED);

  constructor({ root = '/', audit, totals, now }: NetnsReaderOptions) {
    this.#root = root;
    this.#audit = audit;
    this.#totals = totals;
    this.#now = now;
    this.#own = ownNetns(root);
  }

  /** @returns undefined when the namespace cannot be looked into any more, or never could */
  read(inode: number, place: NetnsPlace): Reading | undefined {
    const hasAll = this.#audit?.catchUp() === true;
    const recorded = { ...this.#totals.of(inode) };
    const beginNs = this.#now();
    const raw = this.#through(inode, place);
    if (!raw) return undefined;
    const bootNs = this.#now();
    const isQuiet =
      hasAll &&
      this.#audit?.catchUp() === true &&
      this.#totals.of(inode).records === recorded.records &&
      recorded.lastBootNs + QUIET_NS < beginNs;
    return { bootNs, ...raw, ...(isQuiet ? { recorded } : {}) };
  }

  #through(inode: number, { pid, path }: NetnsPlace): Raw | undefined {
    const raw = pid === undefined ? undefined : attempt(() => this.#readAt(`${this.#root}/proc/${pid}/net`, inode));
    // The number of a process that ended may belong to one elsewhere.
    if (raw && netnsOf(pid as number, this.#root) === inode) return raw;
    return path === undefined
      ? undefined
      : attempt(() => inNetns(path, () => this.#readAt('/proc/thread-self/net', inode)));
  }

  #readAt(directory: string, inode: number): Raw {
    const values = this.#table.read(directory, this.#text);
    const devices = readDeviceCounters(directory, this.#text);
    if (inode === this.#own) addMissed(devices, readMissed(this.#root));
    return { values, devices };
  }
}

/** Takes what the rings of the cards had no room for out of what was dropped. */
function addMissed(devices: Map<string, DeviceCounters>, missed: ReadonlyMap<string, number>): void {
  for (const [device, count] of missed) {
    const counters = devices.get(device);
    if (!counters) continue;
    const dropped = Math.max(0, (counters.get('rx_dropped') ?? 0) - count);
    devices.set(device, new Map([...counters, ['rx_dropped', dropped], ['rx_missed_errors', count]]));
  }
}

/** Undefined where the namespace or its process is gone, may not be looked into, or no file can be opened now. */
function attempt<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    const isOrdinary = error instanceof LosslogError ? error.code !== 'INTERNAL' : errnoOf(error) !== undefined;
    if (!isOrdinary) throw error;
    return undefined;
  }
}
