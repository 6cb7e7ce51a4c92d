/** What BPF programs take, by the kernel's own measuring (kernel.bpf_stats_enabled). */

import type { Lab } from '../../lab/lab.ts';
import type { Contestant, Watch } from './contestants/contestant.ts';
import { programsOf, withBpfStats } from './cost.ts';
import type { Load, Truth } from './loads.ts';
import { play, running } from './measure.ts';

/** Nanoseconds in the kernel's BPF programs, of one event and of each program that ran for most of them. */
export interface ProgramTime {
  nsAnEvent: number;
  nsARun: number[];
}

/** Has the kernel measure the BPF programs of a contestant. `kind` is what the load consists of. */
export function programTime(
  lab: Lab,
  load: Load,
  contestant: Contestant,
  kind: keyof Truth,
  options: Pick<Watch, 'unlimited' | 'sameFields'> = {},
): Promise<ProgramTime> {
  const { hosts, captureAt, events } = load;
  return withBpfStats(() =>
    running(lab, contestant, { hosts, captureAt, events, ...options }, async ({ pid, stop }) => {
      const atStart = programsOf(pid);
      const { truth } = await play(load, { countEvents: kind === 'segments' });
      const count = kind === 'segments' ? (truth.retransmissions ?? truth.segments) : truth.drops;
      const grown = [...programsOf(pid)].map(([id, { ns, runs }]) => ({
        ns: ns - (atStart.get(id)?.ns ?? 0),
        runs: runs - (atStart.get(id)?.runs ?? 0),
      }));
      await stop();
      return {
        nsAnEvent: grown.reduce((sum, { ns }) => sum + ns, 0) / count,
        nsARun: grown.filter(({ runs }) => runs > count / 2).map(({ ns, runs }) => ns / runs),
      };
    }),
  );
}
