/** The pipeline: capture → enrich → sinks. The one place that knows every stage. */

import { setTimeout as sleep } from 'node:timers/promises';
import { LosslogError } from '../base/errors.ts';
import { bootNs, NS_PER_MS, type WallNs } from '../base/time.ts';
import { pollWorks } from '../bpf/poll-check.ts';
import { BpfCapture } from '../capture/bpf-capture.ts';
import type { Capture, CaptureHandlers, SourceName } from '../capture/capture.ts';
import type { Limits } from '../capture/limits.ts';
import type { PinSet } from '../capture/pin-set.ts';
import { HEADERS, type Snaplen } from '../capture/snaplen.ts';
import { NetnsNames } from '../enrich/netns-names.ts';
import { OwnerResolver } from '../enrich/owner.ts';
import type { Event } from '../event/kinds.ts';
import type { RecorderStats } from '../export/recorder-metrics.ts';
import { readBootIdentity } from '../linux/boot.ts';
import { bootNow, sampleClocks, WallClock } from '../linux/clock.ts';
import { listNamedNetns, resolvePresentNetns } from '../linux/netns.ts';
import { StoreLock } from '../store/lock.ts';
import { type StoreSession, StoreWriter } from '../store/store.ts';
import { type Begun, beginPinned } from './begin-pinned.ts';
import { chooseCapture } from './choose-capture.ts';
import { CoverageLedger } from './coverage.ts';
import { ErrorTalk } from './error-talk.ts';
import { beModest, settle } from './footprint.ts';
import { Housekeeping } from './housekeeping.ts';
import { type Estate, estateOf } from './inheritance.ts';
import { Intake } from './intake.ts';
import { LimitedStretches } from './limited.ts';
import { NetnsSampler } from './netns-sampler.ts';
import { Pipeline } from './pipeline.ts';
import { RecordedTotals } from './recorded-totals.ts';
import { NO_PINS, openPins, type Survival } from './survival.ts';
import { counterOf, coverageOf, unseenOf, unseenText } from './told.ts';
import { version } from './version.ts';

export interface RecorderOptions {
  storeDir: string;
  /** Names, paths or inodes of the network namespaces to record; empty: all. */
  netns: readonly string[];
  drops: boolean;
  /** How many events become records; the rest is counted. */
  limits: Limits;
  /** Time between two reports of a connection that lives and goes on resending; a minute, when absent. */
  reportIntervalMs?: number;
  /** How much of a dropped packet is kept; its headers, when absent. */
  snaplen?: Snaplen;
  /** Where events come from; the best that works here, when absent. */
  source?: SourceName;
  /** Of the source kprobe: a file of `losslog offset --json`. */
  offsetsFile?: string;
  /** Bound of the store in bytes. */
  maxBytes?: number;
  /** Bound of the store in time. */
  maxAgeNs?: bigint;
  /** Stop after so long. */
  forNs?: bigint;
  /** A directory on bpffs to pin in, or `none`; one of the store's own, when absent. */
  pin?: string;
  /** At the end, leave the kernel recording; without `forNs` that is at once. */
  detach?: boolean;
  /** Called once every probe is attached. */
  onReady(info: RecorderReady): void;
  /** Called at the end with {@link detach}. */
  onLeft?(left: LeftBehind): void;
  /** Every event, as it goes to the store. */
  onEvents?(events: readonly Event[]): void;
  /** What the user should know, a line each. */
  onTalk(line: string): void;
  /** Ends the recording in order. */
  signal: AbortSignal;
}

export interface RecorderReady {
  storeDir: string;
  kernel: string;
  source: SourceName;
  /** Tracepoints that are recorded. */
  probes: string[];
  /** Tracepoints that this kernel does not have. */
  missing: string[];
  netns: { inode: number; name?: string }[];
  /** How the recorder is doing, while it records. */
  stats(): RecorderStats;
  /** Where the programs are pinned; absent: they end with this process. */
  pinned?: string;
  /** Why they are not pinned, unless the user wanted it so. */
  notPinned?: string;
}

/** What a recorder that ends leaves at work. */
export interface LeftBehind {
  pinned: string;
  /** How many records the kernel holds until another recorder drains them. */
  capacity: { connections: number; drops: number };
}

/** Records drained at once while it is not sure whether they can be stored. */
const CHUNK = 4096;

/**
 * Records until the signal, or for `forNs`; resolves when everything is stored.
 * @throws NOT_FOUND for an unknown namespace, NOT_PERMITTED or NOT_SUPPORTED where this host does not allow it, STORE for the store
 */
export async function runRecorder(options: RecorderOptions): Promise<void> {
  beModest();
  const netns = options.netns.map((text) => resolvePresentNetns(text));
  StoreLock.requireFree(options.storeDir);
  const pins =
    options.source === undefined || options.source === 'bpf' ? openPins(options.storeDir, options.pin) : NO_PINS;
  try {
    await runWithPins(options, netns, pins);
  } finally {
    if (typeof pins !== 'string') pins.close();
  }
}

/** @param pins or why there are none */
async function runWithPins(options: RecorderOptions, netns: readonly number[], pins: PinSet | string): Promise<void> {
  if (options.detach && typeof pins === 'string') throw cannotDetach(pins);
  const identity = readBootIdentity();
  const clock = new WallClock();
  const capture = await chooseCapture(
    {
      netns,
      drops: options.drops,
      limits: options.limits,
      pins: typeof pins === 'string' ? undefined : pins,
      toWall: (time) => clock.toWall(time),
      ...(options.reportIntervalMs === undefined ? {} : { reportIntervalMs: options.reportIntervalMs }),
      ...(options.snaplen === undefined ? {} : { snaplen: options.snaplen }),
      ...(options.source === undefined ? {} : { source: options.source }),
      ...(options.offsetsFile === undefined ? {} : { offsetsFile: options.offsetsFile }),
    },
    options.onTalk,
  );
  if (options.snaplen && capture.source !== 'bpf') {
    options.onTalk(`no bytes of dropped packets are kept (--snaplen): the source ${capture.source} does not have them`);
  }
  try {
    const filter = filterText(netns, options.drops);
    const session = {
      bootId: identity.bootId,
      losslogVersion: version(),
      kernel: identity.kernelRelease,
      host: identity.hostName,
      ...(filter === undefined ? {} : { filter }),
      blind: capture.blindSpots,
    };
    const estate = typeof pins === 'string' ? undefined : estateOf(options.storeDir, pins, clock, identity.bootId);
    const store = StoreWriter.open(options.storeDir, session, {
      onSealThread: settle,
      packets: (options.snaplen ?? HEADERS) === HEADERS ? 'some' : 'all',
      ...(options.maxBytes === undefined ? {} : { maxBytes: options.maxBytes }),
      ...(options.maxAgeNs === undefined ? {} : { maxAgeNs: options.maxAgeNs }),
    });
    let survival: Survival | undefined;
    try {
      survival = await record(options, netns, capture, clock, store, estate && { estate, session }, (pinned) =>
        options.onReady({
          ...ready(options, capture, store, session.kernel, netns),
          ...pinned,
          ...whyNot(options, capture, pins),
        }),
      );
    } finally {
      store.close();
    }
    if (survival) endSurvival(survival, options);
    else if (store.untold) options.onTalk(lostText(store.untold));
  } finally {
    capture.close();
  }
}

async function record(
  options: RecorderOptions,
  netns: readonly number[],
  capture: Capture,
  clock: WallClock,
  store: StoreWriter,
  pinning: { estate: Estate; session: StoreSession } | undefined,
  onAttached: (pinned: Pick<RecorderReady, 'pinned'>) => void,
): Promise<Survival | undefined> {
  const intake = new Intake(store, options.onEvents);
  const limited = new LimitedStretches(sampleClocks);
  const errors = new ErrorTalk(options.onTalk);
  const onError = (message: string): void => errors.add(message);
  const names = new NetnsNames(onError);
  const owners = new OwnerResolver(capture.owners, onError);
  const pipeline = new Pipeline(owners, names, intake.write, () => {
    const release = capture.checkpoint();
    store.afterStored(() => errors.guard(release));
  });
  const toWall = (time: bigint): WallNs => clock.toWall(bootNs(time));
  const totals = new RecordedTotals();
  const sampler = new NetnsSampler({
    ...(capture.audit ? { audit: capture.audit } : {}),
    totals,
    isWanted: (inode) => netns.length === 0 || netns.includes(inode),
    losses: options.drops,
    host: netns.length === 0,
    now: bootNow,
    onCompared: (stretch) => pipeline.emit(coverageOf(stretch, names.nameOf(stretch.netns), toWall)),
    onLoss: (share, inode) => pipeline.add([counterOf(share, inode, toWall)]),
    onUnseen: (unseen) => {
      pipeline.emit([unseenOf(unseen, bootNow(), toWall)]);
      options.onTalk(unseenText(unseen));
    },
    onError,
  });
  const canPoll = await pollWorks();
  let housekeeping: Housekeeping | undefined;
  const handlers: CaptureHandlers = {
    beforeRecords: () => housekeeping?.stir(),
    onEvents: (batch) => {
      totals.add(batch.map(({ event }) => event));
      pipeline.add(batch);
    },
    onError,
    room: () => store.room - pipeline.collected,
  };
  const start = (): void => {
    capture.start(handlers, canPoll);
    owners.prime();
  };
  const { ledger, survival } =
    pinning && capture instanceof BpfCapture
      ? beginPinned({
          ...pinning,
          ...{ capture, store, intake, pipeline, names, start },
          storeDir: options.storeDir,
          onError,
          onTalk: options.onTalk,
        })
      : beginUnpinned(start);
  pipeline.emit(ledger.blind(capture.blindSpots));
  await sampler.begin();
  settle();
  onAttached(survival ? { pinned: survival.path } : {});
  for (const spot of capture.blindSpots) options.onTalk(spot);
  const takeCounted = (): void =>
    errors.guard(() => {
      const counted = capture.takeSummaries();
      if (counted.summaries.length > 0) housekeeping?.stir();
      totals.add(counted.summaries.map(({ event }) => event));
      pipeline.add(counted.summaries);
      pipeline.emit(limited.note(counted));
    });
  const noteLosses = (): void =>
    errors.guard(() => {
      const losses = ledger.losses(capture.losses());
      const { told } = ledger;
      pipeline.emit(losses);
      if (losses.length > 0) store.afterStored(() => errors.guard(() => survival?.noteTold(told)));
    });
  housekeeping = new Housekeeping(() => {
    // While nothing can be stored the kernel goes on adding up.
    if (store.room === Number.POSITIVE_INFINITY) takeCounted();
    const step = clock.sample();
    if (step) pipeline.emit([ledger.clockStep(step)]);
    noteLosses();
    errors.guard(() => survival?.beat());
    errors.flush();
  });
  try {
    await untilDone(options);
  } finally {
    housekeeping.end();
    await sampler.end(takeCounted);
    try {
      if (options.detach && survival) survival.leave();
      else capture.stop();
    } finally {
      drainRest(capture, pipeline, store);
      takeCounted();
      pipeline.emit(limited.end());
      noteLosses();
      pipeline.flush();
      errors.flush();
    }
  }
  return survival;
}

/** What there was no room for while storing failed; it may work by now. What still cannot be stored stays in pinned rings. */
function drainRest(capture: Capture, pipeline: Pipeline, store: StoreWriter): void {
  pipeline.flush();
  if (store.room < Number.POSITIVE_INFINITY && capture instanceof BpfCapture) {
    do {
      store.flush();
      capture.drain(Math.min(store.room, CHUNK));
      pipeline.flush();
    } while (store.room === Number.POSITIVE_INFINITY && capture.isUnread);
  }
  store.afterStored(capture.checkpoint());
}

function beginUnpinned(start: () => void): Begun {
  start();
  return { ledger: new CoverageLedger(sampleClocks), survival: undefined };
}

const lostText = ({ count, why }: { count: number; why: string }): string =>
  `${count} ${count === 1 ? 'event' : 'events'} could not be stored and ${count === 1 ? 'is' : 'are'} lost: ${why}`;

function endSurvival(survival: Survival, { detach, onLeft, onTalk }: RecorderOptions): void {
  if (detach) onLeft?.({ pinned: survival.path, capacity: survival.capacity });
  else if (!survival.end()) {
    onTalk(`not all could be stored: the rest stays in the kernel (${survival.path}) for the next losslog record`);
  }
}

/** A remark where the host, not the user, does not want it. */
function whyNot(
  { pin }: RecorderOptions,
  { source }: Capture,
  pins: PinSet | string,
): Pick<RecorderReady, 'notPinned'> {
  return source === 'bpf' && pin !== NO_PINS && typeof pins === 'string' ? { notPinned: pins } : {};
}

const cannotDetach = (why: string): LosslogError =>
  new LosslogError('NOT_SUPPORTED', `cannot leave the kernel recording: ${why}`, {
    hint: 'record with BPF as root, with bpffs mounted (mount -t bpf bpf /sys/fs/bpf)',
  });

/** Never rejects: an abort is the ordinary end. */
async function untilDone({ forNs, detach, signal }: RecorderOptions): Promise<void> {
  if (detach && forNs === undefined) return;
  const forever = 2 ** 31 - 1;
  const end = forNs === undefined ? Number.POSITIVE_INFINITY : performance.now() + Number(forNs / NS_PER_MS);
  while (!signal.aborted && performance.now() < end) {
    await sleep(Math.min(forever, Math.max(1, end - performance.now())), undefined, { signal }).catch(() => undefined);
  }
}

function filterText(netns: readonly number[], drops: boolean): string | undefined {
  const parts = [netns.length > 0 ? `netns ${netns.join(' ')}` : '', drops ? '' : 'no drops'].filter(Boolean);
  return parts.length > 0 ? parts.join(', ') : undefined;
}

function ready(
  options: RecorderOptions,
  capture: Capture,
  store: StoreWriter,
  kernel: string,
  netns: readonly number[],
): RecorderReady {
  const names = listNamedNetns();
  return {
    storeDir: options.storeDir,
    kernel,
    source: capture.source,
    probes: [...capture.probes],
    missing: [...capture.missing],
    netns: netns.map((inode) => {
      const name = names.get(inode);
      return name === undefined ? { inode } : { inode, name };
    }),
    stats: () => ({
      stored: store.stored,
      unstored: store.unstored,
      pending: store.pending,
      lost: capture.losses(),
      ...capture.stats(),
    }),
  };
}
