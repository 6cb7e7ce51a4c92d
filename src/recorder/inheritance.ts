/** What a former recorder left at work in the kernel, and bringing it into the store: each event once, whatever was cut off. */

import { LosslogError } from '../base/errors.ts';
import { bootNs, type WallNs } from '../base/time.ts';
import { waitForPrograms } from '../bpf/grace.ts';
import { PinnedObject } from '../bpf/pinned-object.ts';
import { BpfCapture } from '../capture/bpf-capture.ts';
import { heldCounts, heldRecords } from '../capture/held-counts.ts';
import type { Ledger } from '../capture/pin-ledger.ts';
import type { PinSet } from '../capture/pin-set.ts';
import { bootNow, type ClockSample, sampleClocks, type WallClock } from '../linux/clock.ts';
import { StoreReader } from '../store/store.ts';
import { StoredSince } from '../store/stored-since.ts';
import type { StoreWriter } from '../store/writer.ts';
import { CoverageLedger, type ToldLosses } from './coverage.ts';
import type { Pipeline } from './pipeline.ts';

/** Records of different CPUs may be a little out of order. */
const SLACK_NS = 1_000_000_000n;
/** Records drained before they are stored. */
const CHUNK = 4096;

export interface Inheritance {
  /** The programs; those of the present capture, when it took them over. */
  readonly capture: BpfCapture;
  /** Since when they were on their own. */
  readonly alone: ClockSample;
  /** The former recorder left on purpose. */
  readonly detached: boolean;
  /** Losses of these programs that are stored. */
  readonly told: ToldLosses;
  /** What is stored of the events that the rings still hold. */
  readonly stored: StoredSince;
}

export interface Estate {
  pins: PinSet;
  ledger: Ledger | undefined;
  clock: WallClock;
  storeDir: string;
  bootId: string;
  /** The last sign of life of a recorder of this boot in the store. */
  formerUntil: WallNs | undefined;
}

/** What is there of a former recorder. Asked before the store is opened, which begins a session. */
export function estateOf(storeDir: string, pins: PinSet, clock: WallClock, bootId: string): Estate {
  const ledger = pins.readLedger();
  return { pins, ledger, clock, storeDir, bootId, formerUntil: ledger && lastSignOfLife(storeDir, bootId) };
}

/** Of a recorder of this boot in the store. */
function lastSignOfLife(storeDir: string, bootId: string): WallNs | undefined {
  try {
    const reader = StoreReader.open(storeDir);
    const session = reader.latestSession();
    reader.close();
    return session?.bootId === bootId ? session.lastNs : undefined;
  } catch (error) {
    if (error instanceof LosslogError) return undefined;
    throw error;
  }
}

/** @param capture the one that took the programs over @returns undefined when nothing was left that this release can read. @throws BPF */
export function inherit({ pins, ledger, clock, storeDir, bootId, formerUntil }: Estate, capture?: BpfCapture) {
  if (!ledger) return undefined;
  const programs = capture ?? BpfCapture.ofPins(pins, ledger, (time) => clock.toWall(time));
  if (!programs) return undefined;
  const boot = bootNs(BigInt(ledger.alive));
  const wall = clock.toWall(boot);
  const alone = { boot, wall: formerUntil !== undefined && formerUntil < wall ? formerUntil : wall };
  const oldest = programs.oldest() ?? bootNow();
  const since = bootNs(oldest < SLACK_NS ? 0n : oldest - SLACK_NS);
  const stored = StoredSince.read(storeDir, bootId, {
    events: since,
    summaries: bootNs(BigInt(ledger.attached)),
    losses: bootNs(BigInt(ledger.toldUntil)),
  });
  const totals = sum(ledger.told, stored.losses);
  const inheritance: Inheritance = {
    capture: programs,
    alone,
    detached: ledger.detached,
    // The stretch of further losses begins with it; what is stored of them is known up to now.
    told: { totals, until: { wall: alone.wall, boot: bootNow() } },
    stored,
  };
  return inheritance;
}

/** Stores what programs recorded that are not to go on. They must be detached. */
export function drainFormer(
  { capture }: Inheritance,
  pipeline: Pipeline,
  store: StoreWriter,
  onError: (message: string) => void,
): void {
  capture.receive({ onEvents: (batch) => pipeline.add(batch), onError });
  pipeline.add(capture.takeSummaries().summaries);
  do {
    pipeline.flush();
    store.flush();
  } while (store.room > CHUNK && capture.drain(CHUNK) > 0);
  store.afterStored(capture.checkpoint());
}

/** What there is to say of the stretch in which the kernel was alone. @param count how many events of it were stored now */
export function accountOf({ capture, alone, detached, told }: Inheritance, count: number) {
  const ledger = new CoverageLedger(sampleClocks, told);
  const losses = ledger.losses(capture.losses());
  const why = `the kernel recorded alone (the recorder ${detached ? 'had left it so' : 'was killed or crashed'}); drained later`;
  return { ledger, events: [ledger.stretch('recording', alone.wall, why, count), ...losses] };
}

/** Records that this release cannot read: how many, since when, and whose. */
export interface Unreadable {
  /** Records, and events that were only counted. */
  count: number;
  /** Whether it is known how many were only counted. */
  isComplete: boolean;
  from: WallNs;
  by: string;
}

/** Stops what is at work and cannot be inherited. @returns undefined when there is nothing. @throws BPF */
export function stopUnreadable({ pins, ledger, clock }: Estate): Unreadable | undefined {
  if (pins.isEmpty) return undefined;
  const object = new PinnedObject(pins.directory);
  object.detach();
  waitForPrograms();
  const records = heldRecords(object, pins.directory.names('map'));
  const counted = ledger?.counts && heldCounts(object, ledger.counts);
  object.close();
  const from = clock.toWall(ledger ? bootNs(BigInt(ledger.alive)) : bootNow());
  return {
    count: records + (counted ?? 0),
    isComplete: counted !== undefined,
    from,
    by: ledger ? `losslog ${ledger.losslogVersion}` : 'another release of losslog',
  };
}

export const whyUnreadable = ({ by, isComplete }: Unreadable): string =>
  `what ${by} left in the kernel cannot be read by this release${isComplete ? '' : '; how many events were only counted is not known'}`;

function sum(told: Readonly<Record<string, number>>, more: ReadonlyMap<string, number>): Map<string, number> {
  const whys = new Set([...Object.keys(told), ...more.keys()]);
  return new Map([...whys].map((why) => [why, (told[why] ?? 0) + (more.get(why) ?? 0)]));
}
