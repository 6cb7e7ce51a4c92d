/** Counters of a queueing discipline (tc(8)). */

/** Runs a command in the namespace of the device and returns its stdout. */
export type Exec = (...command: string[]) => string;

interface QdiscStatistics {
  kind: string;
  drops: number;
}

/** Packets that the queue has dropped so far, by the kernel's count. @throws when the device has no such queue */
export function qdiscDrops(exec: Exec, device: string, kind: string): number {
  const text = exec('tc', '-s', '-j', 'qdisc', 'show', 'dev', device);
  const queue = (JSON.parse(text) as QdiscStatistics[]).find((each) => each.kind === kind);
  if (queue === undefined) throw new Error(`${device} has no ${kind} queue`);
  return queue.drops;
}
