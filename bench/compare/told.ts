/** What one tool told of one scenario. */

export interface Told {
  /** Segments that it says were sent again. */
  resent: number;
  /** The drops that it tells, as "reason in function", with their number; for tshark, what its experts say. */
  groups: ReadonlyMap<string, number>;
  /** Of the events that should have an owner, those of which it names a process of the scenario. Absent: it names none. */
  owner?: { right: number; of: number };
  /** What it says of itself that it has not seen. Absent: nothing. */
  missed?: string;
  /** What it says was the cause. Absent: it says none. */
  verdict?: { text: string; isRight: boolean };
}

/** How often each text occurs, the most frequent first. */
export function countEach(texts: Iterable<string>): Map<string, number> {
  const counts = new Map<string, number>();
  for (const text of texts) counts.set(text, (counts.get(text) ?? 0) + 1);
  return new Map([...counts].sort(([, a], [, b]) => b - a));
}

/** The titles that scenarios give the programs that have the sockets; the kernel's comm of a process is its title. */
const TITLES = new Set(['curl', 'nginx', 'rsync', 'slow-server', 'statsd', 'stuck']);

export const isOwner = (process: string | undefined): boolean => process !== undefined && TITLES.has(process);
