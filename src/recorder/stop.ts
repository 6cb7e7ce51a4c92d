/** Ends a recording that goes on in the kernel without a recorder. */

import { existsSync } from 'node:fs';
import { LosslogError } from '../base/errors.ts';
import { findPinDirectory } from '../capture/pin-place.ts';
import { type PinCounts, PinSet } from '../capture/pin-set.ts';
import { NetnsNames } from '../enrich/netns-names.ts';
import { OwnerResolver } from '../enrich/owner.ts';
import { readBootIdentity } from '../linux/boot.ts';
import { WallClock } from '../linux/clock.ts';
import { StoreWriter } from '../store/store.ts';
import {
  accountOf,
  drainFormer,
  type Estate,
  estateOf,
  type Inheritance,
  inherit,
  stopUnreadable,
} from './inheritance.ts';
import { Intake } from './intake.ts';
import { Pipeline } from './pipeline.ts';
import { version } from './version.ts';

export interface StopOptions {
  /** Where what the kernel holds is stored; absent: in the store that the recording was for. */
  storeDir: string | undefined;
  /** A directory of pins; that of the store, when absent. */
  pin?: string;
  /** Do not store what the rings hold. */
  discard: boolean;
  onTalk(line: string): void;
}

export interface Stopped {
  /** The directory whose pins were removed. */
  pinned: string;
  /** The store that they recorded for; absent when that is not known. */
  store?: string;
  removed: PinCounts;
  /** Events that were stored now. */
  stored: number;
  /** Records that were thrown away. */
  discarded: number;
}

/**
 * Stores what the kernel recorded alone, then removes every pin.
 * @returns undefined when there is nothing to stop.
 * @throws BPF while a recorder has the pins, or when they cannot be read; STORE, NOT_FOUND
 */
export function stopRecording(options: StopOptions): Stopped | undefined {
  if (options.pin !== undefined && !existsSync(options.pin)) throw noDirectory(options.pin);
  const path = options.pin ?? findPinDirectory(options.storeDir ?? '');
  if (path === undefined) return undefined;
  const pins = PinSet.open('', path);
  try {
    return pins.isEmpty ? undefined : stopPinned(pins, options);
  } finally {
    pins.close();
  }
}

function stopPinned(pins: PinSet, options: StopOptions): Stopped {
  const clock = new WallClock();
  const storeDir = options.storeDir ?? pins.readLedger()?.store ?? '';
  const estate = estateOf(storeDir, pins, clock, readBootIdentity().bootId);
  const store = estate.ledger?.store;
  const removed = pins.counts;
  const counts = options.discard
    ? { stored: 0, discarded: stopUnreadable(estate)?.count ?? 0 }
    : { stored: storeRest(estate, options), discarded: 0 };
  pins.removeAll();
  return { pinned: pins.path, ...(store === undefined ? {} : { store }), removed, ...counts };
}

/** @returns how many events went to the store. */
function storeRest(estate: Estate, options: StopOptions): number {
  const inheritance = inherit(estate);
  if (!inheritance) {
    throw new LosslogError('BPF', `this release cannot read what is left in ${estate.pins.path}`, {
      hint: 'use the losslog that began it, or remove it with --discard',
    });
  }
  try {
    inheritance.capture.detach();
    const count = storeEvents(estate, inheritance, options.onTalk);
    if (inheritance.capture.isHeld) throw notStored(estate.storeDir);
    return count;
  } finally {
    inheritance.capture.close();
  }
}

function storeEvents({ ledger, storeDir }: Estate, inheritance: Inheritance, onTalk: StopOptions['onTalk']): number {
  const { bootId, kernelRelease: kernel, hostName: host } = readBootIdentity();
  const filter = ledger?.filter === undefined ? {} : { filter: ledger.filter };
  const store = StoreWriter.open(storeDir, { bootId, losslogVersion: version(), kernel, host, ...filter });
  try {
    const { capture } = inheritance;
    const intake = new Intake(store);
    intake.stored = inheritance.stored;
    const owners = new OwnerResolver(capture.owners, onTalk);
    const pipeline = new Pipeline(owners, new NetnsNames(onTalk), intake.write, () =>
      store.afterStored(capture.checkpoint()),
    );
    drainFormer(inheritance, pipeline, store, onTalk);
    const count = intake.written;
    store.write(accountOf(inheritance, count).events);
    return count;
  } finally {
    store.close();
  }
}

const noDirectory = (path: string): LosslogError =>
  new LosslogError('NOT_FOUND', `there is no ${path}`, { hint: 'losslog doctor lists what is pinned' });

const notStored = (storeDir: string): LosslogError =>
  new LosslogError('STORE', `${storeDir} cannot take what the kernel recorded; it stays pinned`, {
    hint: 'make room and stop again, or give it up with --discard',
  });
