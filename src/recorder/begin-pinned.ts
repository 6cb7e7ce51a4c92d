/** Begins a recording that outlives its recorder: first what a former one left is brought in, then the own programs are pinned. */

import { LosslogError, messageOf } from '../base/errors.ts';
import type { BpfCapture } from '../capture/bpf-capture.ts';
import type { NetnsNames } from '../enrich/netns-names.ts';
import { OwnerResolver } from '../enrich/owner.ts';
import { sampleClocks } from '../linux/clock.ts';
import type { StoreSession, StoreWriter } from '../store/store.ts';
import { CoverageLedger } from './coverage.ts';
import {
  accountOf,
  drainFormer,
  type Estate,
  type Inheritance,
  inherit,
  stopUnreadable,
  whyUnreadable,
} from './inheritance.ts';
import type { Intake } from './intake.ts';
import { Pipeline } from './pipeline.ts';
import { Survival } from './survival.ts';

export interface Beginning {
  estate: Estate;
  session: StoreSession;
  capture: BpfCapture;
  store: StoreWriter;
  storeDir: string;
  intake: Intake;
  /** Of the capture. */
  pipeline: Pipeline;
  names: NetnsNames;
  /** Starts the capture. */
  start(): void;
  onError(message: string): void;
  onTalk(line: string): void;
}

export interface Begun {
  ledger: CoverageLedger;
  /** Undefined: what a former recorder left could not be stored, and keeps the place of the pins. */
  survival: Survival | undefined;
}

/** @throws BPF */
export function beginPinned(beginning: Beginning): Begun {
  const { estate, capture, store, pipeline, start } = beginning;
  const inheritance = inherit(estate, capture.takenOver ? capture : undefined);
  const isFormer = inheritance !== undefined && inheritance.capture !== capture;
  // As close together as can be: what falls between is not recorded.
  if (isFormer) inheritance.capture.detach();
  const unreadable = inheritance ? undefined : stopUnreadable(estate);
  start();
  const ledger = (inheritance && bringIn(beginning, inheritance)) ?? new CoverageLedger(sampleClocks);
  if (unreadable) pipeline.emit([ledger.stretch('lost', unreadable.from, whyUnreadable(unreadable), unreadable.count)]);
  store.flush();
  const isStored = store.pending === 0 && !(isFormer && inheritance.capture.isHeld);
  if (isFormer) inheritance.capture.close();
  if ((isFormer || unreadable) && !isStored) {
    beginning.onTalk(
      'not pinned: what an earlier recorder left in the kernel cannot be stored yet, and keeps its place',
    );
    return { ledger, survival: undefined };
  }
  if (isFormer || unreadable) estate.pins.removeAll();
  return { ledger, survival: pinned(beginning, inheritance) };
}

/** @returns the ledger of losses, where the capture goes on with the same programs. */
function bringIn({ capture, store, intake, pipeline, names, onError }: Beginning, inheritance: Inheritance) {
  const former = inheritance.capture;
  intake.stored = inheritance.stored;
  if (former === capture) {
    pipeline.add(capture.takeSummaries().summaries);
    capture.drain(store.room);
    pipeline.flush();
  } else {
    const owners = new OwnerResolver(former.owners, onError);
    const formerPipeline = new Pipeline(owners, names, intake.write, () => store.afterStored(former.checkpoint()));
    drainFormer(inheritance, formerPipeline, store, onError);
  }
  intake.stored = undefined;
  const { ledger, events } = accountOf(inheritance, intake.written);
  pipeline.emit(events);
  return former === capture ? ledger : undefined;
}

/** A kernel that does not let it be pinned still records. */
function pinned({ estate, session, capture, storeDir, onTalk }: Beginning, inheritance: Inheritance | undefined) {
  const { losslogVersion, filter } = session;
  const told = capture.takenOver && inheritance ? inheritance.told : new CoverageLedger(sampleClocks).told;
  try {
    return new Survival({ pins: estate.pins, capture, storeDir, losslogVersion, filter }, told);
  } catch (error) {
    if (!(error instanceof LosslogError) || error.code !== 'BPF') throw error;
    estate.pins.removeAll();
    onTalk(`not pinned, so that recording ends with this process: ${messageOf(error)}`);
    return undefined;
  }
}
