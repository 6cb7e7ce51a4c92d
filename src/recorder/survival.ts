/**
 * What outlives a recorder: its programs go on in the kernel, pinned, and the next recorder of the store takes over
 * (docs/design/survival.md).
 */

import { LosslogError } from '../base/errors.ts';
import { NS_PER_S } from '../base/time.ts';
import type { BpfCapture } from '../capture/bpf-capture.ts';
import { countPlaces } from '../capture/held-counts.ts';
import type { Ledger } from '../capture/pin-ledger.ts';
import { realStore } from '../capture/pin-place.ts';
import { PinSet } from '../capture/pin-set.ts';
import { bootNow } from '../linux/clock.ts';
import type { ToldLosses } from './coverage.ts';

/** No pins, on purpose. */
export const NO_PINS = 'none';

/**
 * The pins of a store, or why there are none.
 * @throws BPF when another recorder has them; for a directory that the user gave also NOT_PERMITTED, USAGE
 */
export function openPins(storeDir: string, given: string | undefined): PinSet | string {
  if (given === NO_PINS) return '--pin none';
  try {
    return PinSet.open(storeDir, given);
  } catch (error) {
    const isOfHost =
      error instanceof LosslogError && (error.code === 'NOT_PERMITTED' || error.code === 'NOT_SUPPORTED');
    if (given !== undefined || !isOfHost) throw error;
    return error.message;
  }
}

/** Twice in the time in which the store notes the same. */
const BEAT_NS = 5n * NS_PER_S;

export interface SurvivalOptions {
  pins: PinSet;
  capture: BpfCapture;
  storeDir: string;
  losslogVersion: string;
  filter: string | undefined;
}

/** The pins of the recording that goes on. */
export class Survival {
  readonly #options: SurvivalOptions;
  #ledger: Ledger;

  /** Pins what the capture attached, or goes on with what it took over. @throws BPF */
  constructor(options: SurvivalOptions, told: ToldLosses) {
    const { pins, capture, losslogVersion, storeDir, filter } = options;
    const { layout, programs } = capture.identity;
    const now = String(bootNow());
    this.#options = options;
    this.#ledger = {
      losslogVersion,
      pid: process.pid,
      store: realStore(storeDir),
      layout,
      programs,
      counts: countPlaces(),
      probes: capture.probes,
      ...(filter === undefined ? {} : { filter }),
      attached: capture.takenOver?.attached ?? now,
      alive: now,
      detached: false,
      told: Object.fromEntries(told.totals),
      toldUntil: String(told.until.boot),
      noRoom: capture.noRoom,
      skipped: capture.skippedBefore,
    };
    pins.writeLedger(this.#ledger);
    capture.pin(pins);
  }

  get path(): string {
    return this.#options.pins.path;
  }

  /** Says every few seconds that this recorder lives. @throws BPF */
  beat(): void {
    if (bootNow() - BigInt(this.#ledger.alive) < BEAT_NS) return;
    this.#update({ alive: String(bootNow()), noRoom: this.#options.capture.noRoom });
  }

  /** Says which losses are told by what is stored now. @throws BPF */
  noteTold({ totals, until }: ToldLosses): void {
    this.#update({ told: Object.fromEntries(totals), toldUntil: String(until.boot) });
  }

  /** Drains a last time and leaves everything at work in the kernel. @throws BPF */
  leave(): void {
    this.#options.capture.leave();
    this.#update({ alive: String(bootNow()), detached: true });
  }

  get capacity(): { connections: number; drops: number } {
    return this.#options.capture.capacity;
  }

  /**
   * Removes everything from the kernel, unless records are there that could not be stored: these stay.
   * @returns whether all is gone.
   */
  end(): boolean {
    if (this.#options.capture.isHeld) return false;
    this.#options.pins.removeAll();
    return true;
  }

  #update(change: Partial<Ledger>): void {
    this.#ledger = { ...this.#ledger, ...change };
    this.#options.pins.writeLedger(this.#ledger);
  }
}
