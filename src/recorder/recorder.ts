/** The pipeline: capture → enrich → sinks. The one place that knows every stage. */

import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf } from '../base/errors.ts';
import { NS_PER_MS } from '../base/time.ts';
import { pollWorks } from '../bpf/poll-check.ts';
import type { Capture, CaptureHandlers, SourceName } from '../capture/capture.ts';
import type { Limits } from '../capture/limits.ts';
import { NetnsNames } from '../enrich/netns-names.ts';
import { OwnerResolver } from '../enrich/owner.ts';
import type { Event } from '../event/kinds.ts';
import type { RecorderStats } from '../export/recorder-metrics.ts';
import { readBootIdentity } from '../linux/boot.ts';
import { sampleClocks, WallClock } from '../linux/clock.ts';
import { listNamedNetns, resolveNetns } from '../linux/netns.ts';
import { StoreWriter } from '../store/writer.ts';
import { chooseCapture } from './choose-capture.ts';
import { CoverageLedger } from './coverage.ts';
import { LimitedStretches } from './limited.ts';
import { Pipeline } from './pipeline.ts';
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
  /** Called once every probe is attached. */
  onReady(info: RecorderReady): void;
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
}

/** How often losses are counted and the clock is sampled. */
const HOUSEKEEPING_MS = 1000;

/**
 * Records until the signal, or for `forNs`; resolves when everything is stored.
 * @throws NOT_FOUND for an unknown namespace, NOT_PERMITTED or NOT_SUPPORTED where this host does not allow it, STORE for the store
 */
export async function runRecorder(options: RecorderOptions): Promise<void> {
  const netns = options.netns.map((text) => resolveNetns(text));
  const identity = readBootIdentity();
  const clock = new WallClock();
  const capture = await chooseCapture(
    {
      netns,
      drops: options.drops,
      limits: options.limits,
      toWall: (time) => clock.toWall(time),
      ...(options.reportIntervalMs === undefined ? {} : { reportIntervalMs: options.reportIntervalMs }),
      ...(options.source === undefined ? {} : { source: options.source }),
      ...(options.offsetsFile === undefined ? {} : { offsetsFile: options.offsetsFile }),
    },
    options.onTalk,
  );
  try {
    const filter = filterText(netns, options.drops);
    const store = StoreWriter.open(
      options.storeDir,
      {
        bootId: identity.bootId,
        losslogVersion: version(),
        kernel: identity.kernelRelease,
        host: identity.hostName,
        ...(filter === undefined ? {} : { filter }),
      },
      {
        ...(options.maxBytes === undefined ? {} : { maxBytes: options.maxBytes }),
        ...(options.maxAgeNs === undefined ? {} : { maxAgeNs: options.maxAgeNs }),
      },
    );
    try {
      await record(options, capture, clock, store, () =>
        options.onReady(ready(options, capture, store, identity.kernelRelease, netns)),
      );
    } finally {
      store.close();
    }
  } finally {
    capture.close();
  }
}

async function record(
  options: RecorderOptions,
  capture: Capture,
  clock: WallClock,
  store: StoreWriter,
  onAttached: () => void,
): Promise<void> {
  const owners = new OwnerResolver(capture.owners);
  const deliver = (events: readonly Event[]): void => {
    store.write(events);
    options.onEvents?.(events);
  };
  const pipeline = new Pipeline(owners, new NetnsNames(), deliver, () => store.afterStored(capture.checkpoint()));
  const ledger = new CoverageLedger(() => sampleClocks());
  const limited = new LimitedStretches(() => sampleClocks());
  const errors = new ErrorTalk(options.onTalk);
  const canPoll = await pollWorks();
  const handlers: CaptureHandlers = {
    onEvents: (batch) => pipeline.add(batch),
    onError: (message) => errors.add(message),
    room: () => store.room - pipeline.collected,
  };
  capture.start(handlers, canPoll);
  owners.prime();
  pipeline.emit(ledger.blind(capture.blindSpots));
  onAttached();
  for (const spot of capture.blindSpots) options.onTalk(spot);
  const takeCounted = (): void => {
    try {
      const counted = capture.takeSummaries();
      pipeline.add(counted.summaries);
      pipeline.emit(limited.note(counted));
    } catch (error) {
      errors.add(messageOf(error));
    }
  };
  const housekeeping = setInterval(() => {
    // While nothing can be stored the kernel goes on adding up.
    if (store.room === Number.POSITIVE_INFINITY) takeCounted();
    const step = clock.sample();
    if (step) pipeline.emit([ledger.clockStep(step)]);
    pipeline.emit(ledger.losses(capture.losses()));
    errors.flush();
  }, HOUSEKEEPING_MS);
  try {
    await untilDone(options);
  } finally {
    clearInterval(housekeeping);
    capture.stop();
    takeCounted();
    pipeline.emit(limited.end());
    pipeline.emit(ledger.losses(capture.losses()));
    pipeline.flush();
    errors.flush();
  }
}

/** Never rejects: an abort is the ordinary end. */
async function untilDone({ forNs, signal }: RecorderOptions): Promise<void> {
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

/** Errors of single records, told once a second with their number, so that a flood of them is one line. */
class ErrorTalk {
  readonly #talk: (line: string) => void;
  readonly #counts = new Map<string, number>();

  constructor(talk: (line: string) => void) {
    this.#talk = talk;
  }

  add(message: string): void {
    this.#counts.set(message, (this.#counts.get(message) ?? 0) + 1);
  }

  flush(): void {
    for (const [message, count] of this.#counts) this.#talk(count === 1 ? message : `${message} (${count} times)`);
    this.#counts.clear();
  }
}
