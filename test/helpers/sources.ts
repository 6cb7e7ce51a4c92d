/** The same losses recorded by every source at once, and what each may leave unsaid. */

import assert from 'node:assert/strict';
import type { Host } from '../../lab/host.ts';
import { type JsonEvent, Recorder } from '../../lab/recorder.ts';
import type { Kind } from '../../src/event/kinds.ts';
import { requires } from './requires.ts';

export type Source = 'bpf' | 'ftrace' | 'kprobe';

/** The sources that work on this kernel beside BPF. */
export const others: readonly ('ftrace' | 'kprobe')[] = (['ftrace', 'kprobe'] as const).filter(
  (source) => requires('root', 'btf', source).skip === false,
);

/** Records `hosts` by BPF and by `sources` while `cause` runs. */
export async function recordBySources<S extends Source>(
  hosts: readonly Host[],
  sources: readonly S[],
  cause: () => Promise<void>,
): Promise<Map<S | 'bpf', JsonEvent[]>> {
  await using stack = new AsyncDisposableStack();
  const recorders = new Map<S | 'bpf', Recorder>();
  for (const source of ['bpf', ...sources] as const)
    recorders.set(source, stack.use(await Recorder.start({ hosts, args: ['--source', source] })));
  await cause();
  for (const recorder of recorders.values()) await recorder.stop();
  return new Map([...recorders].map(([source, recorder]) => [source, recorder.events()] as const));
}

export const ofKind = <K extends Kind>(events: readonly JsonEvent[], kind: K): JsonEvent<K>[] =>
  events.filter((event): event is JsonEvent<K> => event.kind === kind);

/** Fields that a source does not know, by kind; every other field of BPF's event must be there, and equal. */
const UNKNOWN: Record<'ftrace' | 'kprobe', { retransmit: readonly string[]; drop: readonly string[] }> = {
  ftrace: {
    // The tracepoint tells addresses, ports, the state, and since 6.17 the error.
    retransmit: [
      ...['segments', 'bytes', 'seq', 'endSeq', 'caState', 'srttUs', 'rtoMs', 'cwnd', 'ssthresh', 'inFlight'],
      ...['retransmits', 'totalRetransmits', 'socketCookie', 'device', 'ack', 'spentUs'],
    ],
    // The tracepoint tells the EtherType, the reason and the place.
    drop: [
      ...['src', 'sport', 'dst', 'dport', 'netns', 'netnsName', 'device', 'direction', 'protocol', 'length'],
      ...['cgroup', 'container', 'uid', 'socketInode', 'socketCookie', 'pid', 'process', 'ownerHow'],
    ],
  },
  kprobe: {
    // What changes between the call and the sending; a cookie that nobody asked for before.
    retransmit: ['segments', 'bytes', 'endSeq', 'totalRetransmits', 'device', 'socketCookie', 'spentUs'],
    // Its owners are read from /proc: one that ended with its last packet may be gone.
    drop: ['device', 'direction', 'socketCookie', 'cgroup', 'container', 'pid', 'process'],
  },
};

/** When it was and how its owner was found are a matter of the source itself. */
const OWN = new Set(['time', 'bootNs', 'ownerHow']);
/** Between the probe of one source and that of another; an emulated machine takes milliseconds. */
const MAX_APART_NS = 1e9;

/** That the events of a source are those of BPF, field by field, in their order. */
export function assertSame<K extends 'retransmit' | 'drop'>(
  source: 'ftrace' | 'kprobe',
  kind: K,
  told: readonly JsonEvent<K>[],
  bpf: readonly JsonEvent<K>[],
): void {
  assert.equal(told.length, bpf.length, `${source} told ${told.length} of ${bpf.length} events`);
  assert.ok(bpf.length > 0, 'nothing was recorded');
  const unknown = new Set(UNKNOWN[source][kind]);
  for (const [i, event] of told.entries()) {
    const other = bpf[i] as JsonEvent<K>;
    const message = `event ${i} of ${source}: ${JSON.stringify([event, other], undefined, 1)}`;
    const names = Object.keys(event).filter((name) => !OWN.has(name) && !isUnknown(event, name));
    assert.deepEqual(pick(event, names), pick(other, names), message);
    const lacking = Object.keys(other).filter((name) => !(name in event) && !unknown.has(name) && !OWN.has(name));
    assert.deepEqual(lacking, [], message);
    assert.ok(Math.abs(Number(event.bootNs) - Number(other.bootNs)) < MAX_APART_NS, message);
  }
}

/** The field is required, and so says in a word that the source does not know. */
const isUnknown = (event: JsonEvent, name: string): boolean =>
  name === 'cause' && event.kind === 'retransmit' && event.cause === 'unknown';

function pick(event: JsonEvent, names: readonly string[]): Record<string, unknown> {
  const fields = event as unknown as Record<string, unknown>;
  return Object.fromEntries(names.map((name) => [name, fields[name]]));
}
