/** What user space uses of the compiled object, by name, and whether pins hold all of it. */

import { possibleCpus } from '../linux/cpus.ts';
import { bound } from '../wire/layout.ts';
import { type Probe, programsOf } from './kernel-facts.ts';
import { SOCKET_LISTER } from './kernel-owners.ts';
import type { PinSet } from './pin-set.ts';

/** The iterator over listening sockets. */
export const LISTENER_LISTER = 'list_listeners';
export const RINGS = ['connection_ring', 'drop_ring'];
/** The maps that this side reads. */
const NEEDED_MAPS = [...RINGS, '.bss', 'summaries', 'summary_totals', 'owners', 'cgroup_paths'];

/** CPUs that have counters of their own in `.bss`; only those that there may be are ever written to. */
export const countingCpus = (): number => Math.min(possibleCpus(), bound.cpus);

export function programNames(probes: readonly Probe[]): string[] {
  return probes.map(programsOf).flatMap(({ first, rescue }) => [first, rescue]);
}

/** Whether every program of these probes is pinned with all that it needs; `link`: and attached. */
export function isWhole({ directory }: PinSet, probes: readonly Probe[], type: 'program' | 'link'): boolean {
  const names = new Set(directory.names(type));
  const arePinned = probes.map(programsOf).every(({ first, rescue }) => names.has(first) && names.has(rescue));
  const hasListers = [SOCKET_LISTER, LISTENER_LISTER].every((name) => directory.has('program', name));
  return arePinned && hasListers && NEEDED_MAPS.every((name) => directory.has('map', name));
}
