/**
 * What recorders leave for each other beside the pinned programs: a map of one value that only user space touches, in JSON, so
 * that a later release can read it. One update is one system call: a kill -9 leaves it as it was before or after.
 */

import { ArrayMap } from '../bpf/array-map.ts';
import type { PinDirectory } from '../bpf/pin-directory.ts';
import type { CountPlaces } from './held-counts.ts';

const NAME = 'json';
const SIZE = 8 * 1024;
/** Counts up when a former release would misunderstand a ledger. */
const FORMAT = 1;

export interface Ledger {
  readonly losslogVersion: string;
  /** The recorder that wrote it last. */
  readonly pid: number;
  /** The store that the events are for, its real path. */
  readonly store: string;
  /** What the bytes in the maps mean: a hash of their layout. */
  readonly layout: string;
  /** Which programs, and how they are configured: a hash. */
  readonly programs: string;
  /** Where events lie that were only counted: a release of another layout cannot tell what they are, but how many. */
  readonly counts: CountPlaces;
  /** Tracepoints that are recorded. */
  readonly probes: readonly string[];
  /** The filter in force, in words. */
  readonly filter?: string;
  /** Time since boot, in ns, when the programs were attached. */
  readonly attached: string;
  /** Time since boot, in ns, of the recorder's last word: it says every few seconds that it lives. */
  readonly alive: string;
  /** The recorder ended on purpose and left the kernel recording. */
  readonly detached: boolean;
  /** Losses by their sentence, as told in the coverage that was stored until `toldUntil`, a time since boot in ns. */
  readonly told: Readonly<Record<string, number>>;
  readonly toldUntil: string;
  /** Events that found a ring full, as told in coverage of the limits. */
  readonly noRoom: number;
  /** By tracepoint: how often the kernel had skipped its first program before all were attached. */
  readonly skipped: Readonly<Record<string, number>>;
}

/** The ledger of a directory, open for reading and writing. */
export class PinnedLedger {
  readonly #map: ArrayMap;

  private constructor(map: ArrayMap) {
    this.#map = map;
  }

  /** @throws BPF when there is none */
  static open(directory: PinDirectory): PinnedLedger {
    return new PinnedLedger(ArrayMap.open(directory, NAME, SIZE));
  }

  /** @throws BPF */
  static create(directory: PinDirectory): PinnedLedger {
    const map = ArrayMap.create('losslog_ledger', SIZE);
    directory.pin('ledger', NAME, map.fd);
    return new PinnedLedger(map);
  }

  static exists(directory: PinDirectory): boolean {
    return directory.has('ledger', NAME);
  }

  /** @returns undefined when this release does not understand it. */
  read(): Ledger | undefined {
    try {
      const text = this.#map.read().toString('utf8').replace(/\0+$/, '');
      const { format, ...ledger } = JSON.parse(text) as Ledger & { format: number };
      return format === FORMAT ? ledger : undefined;
    } catch {
      return undefined;
    }
  }

  /** @throws BPF */
  write(ledger: Ledger): void {
    this.#map.write(Buffer.from(JSON.stringify({ format: FORMAT, ...ledger })));
  }

  close(): void {
    this.#map.close();
  }
}

/** @returns undefined when there is none, or none that this release understands. */
export function readLedger(directory: PinDirectory): Ledger | undefined {
  if (!PinnedLedger.exists(directory)) return undefined;
  const ledger = PinnedLedger.open(directory);
  try {
    return ledger.read();
  } finally {
    ledger.close();
  }
}
