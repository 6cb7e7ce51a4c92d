/** What the sampler found, as events. */

import type { WallNs } from '../base/time.ts';
import type { CounterEvent, CoverageEvent } from '../event/kinds.ts';
import type { Decoded } from '../wire/head.ts';
import type { Compared } from './comparison.ts';
import type { Share } from './listener-share.ts';
import type { ComparedStretch, Unseen } from './sampler-options.ts';

const UNTOLD = 'this kernel does not tell of retransmissions that failed';
const WHY = { failures: UNTOLD, more: 'some of them resend nothing' } as const;

/** One event for each counter. @param name of the namespace */
export function coverageOf(
  { netns, fromNs, untilNs, compared }: ComparedStretch,
  name: string | undefined,
  toWall: (bootNs: bigint) => WallNs,
): CoverageEvent[] {
  const isMissing = compared.some(({ relation, recorded, kernel }) => relation === 'exact' && kernel > recorded);
  return compared.map((one) => ({
    kind: 'coverage',
    time: toWall(untilNs),
    bootNs: untilNs,
    from: toWall(fromNs),
    until: toWall(untilNs),
    ...verdict(one, isMissing),
    netns,
    ...(name === undefined ? {} : { netnsName: name }),
    counter: one.counter,
    recorded: one.recorded,
    kernel: one.kernel,
  }));
}

type Verdict = Pick<CoverageEvent, 'state' | 'count' | 'why'>;

/** @param isMissing whether something is missing in all, and not only counted as of another cause */
function verdict({ relation, recorded, kernel }: Compared, isMissing: boolean): Verdict {
  const count = kernel - recorded;
  if (count === 0) return { state: 'recording' };
  if (relation === 'more') return { state: 'recording', why: WHY.more };
  if (count < 0) return { state: 'recording', why: 'more was recorded than the kernel counted' };
  if (relation === 'failures') return { state: 'blind', count, why: WHY.failures };
  if (!isMissing) return { state: 'recording', why: 'the kernel counted them as of another cause' };
  return { state: 'lost', count };
}

const UNSEEN =
  'some network namespaces were not looked at before the end: what only counters tell of their last minutes is missing';

export function unseenText({ count, of }: Unseen): string {
  return `the counters of ${count} of ${of} network namespaces were not read again before the end`;
}

export function unseenOf({ fromNs }: Unseen, untilNs: bigint, toWall: (bootNs: bigint) => WallNs): CoverageEvent {
  const [from, until] = [toWall(fromNs), toWall(untilNs)];
  return { kind: 'coverage', time: until, bootNs: untilNs, from, until, state: 'blind', why: UNSEEN };
}

/** The event of a counter that grew, and its owner's cgroup for enrichment. */
export function counterOf(
  { growth, count, listener }: Share,
  netns: number | undefined,
  toWall: (bootNs: bigint) => WallNs,
): Decoded {
  const { counter, class: harm, device, fromNs, untilNs } = growth;
  const event: CounterEvent = {
    kind: 'counter',
    time: toWall(untilNs),
    bootNs: untilNs,
    counter,
    count,
    from: toWall(fromNs),
    until: toWall(untilNs),
    class: harm,
    ...(netns === undefined ? {} : { netns }),
    ...(device === undefined ? {} : { device }),
  };
  if (!listener) return { event, socket: { sk: 0n, cgroupId: 0n, cgroupHierarchy: 0 } };
  const { src, sport, uid, inode, cookie, queue, backlog, synQueue, owner } = listener;
  Object.assign(event, {
    family: src.length === 4 ? 'ipv4' : 'ipv6',
    src,
    sport,
    uid,
    socketInode: inode,
    ...(cookie === undefined ? {} : { socketCookie: cookie }),
    pid: owner.pid,
    ...(owner.process === undefined ? {} : { process: owner.process }),
    ownerHow: 'fd',
    queue,
    backlog,
    synQueue,
  } satisfies Partial<CounterEvent>);
  return { event, socket: { sk: 0n, cgroupId: owner.cgroupId, cgroupHierarchy: owner.cgroupHierarchy } };
}
