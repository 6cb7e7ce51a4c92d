/** What queues of tc(8) have dropped. */

import type { Host } from '../host.ts';

interface Qdisc {
  kind: string;
  drops: number;
}

export function queueDrops(host: Host, device: string, kind: string): number {
  const queues = JSON.parse(host.exec('tc', '-s', '-j', 'qdisc', 'show', 'dev', device)) as Qdisc[];
  return queues.filter((queue) => queue.kind === kind).reduce((sum, { drops }) => sum + drops, 0);
}
