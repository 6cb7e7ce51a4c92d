/** Owners of sockets from /proc alone, for sources that cannot ask the kernel by BPF. */

import { listProcesses, processCgroup, processName, processSockets } from '../../linux/proc.ts';
import type { NotedOwner, OwnerSource, ProcessRef } from '../../wire/owner-records.ts';

/** Paths that are kept: a container that is gone keeps its name. */
const MAX_CGROUPS = 65_536;

export class ProcOwners implements OwnerSource {
  readonly #paths: string[] = [];
  readonly #ids = new Map<string, bigint>();

  /** Some µs for every file that is open on this host. */
  listSockets(): Map<bigint, ProcessRef> {
    const sockets = new Map<bigint, ProcessRef>();
    for (const pid of listProcesses()) {
      const inodes = processSockets(pid);
      if (inodes.length === 0) continue;
      const owner = this.#processRef(pid);
      for (const inode of inodes) if (!sockets.has(inode)) sockets.set(inode, owner);
    }
    return sockets;
  }

  /** Nothing is noted ahead of a loss. */
  notedOwner(): NotedOwner | undefined {
    return undefined;
  }

  cgroupPath(id: bigint): string | undefined {
    return this.#paths[Number(id)];
  }

  #processRef(pid: number): ProcessRef {
    const path = processCgroup(pid);
    return {
      pid,
      process: processName(pid),
      cgroupId: path === undefined ? -1n : this.#idOf(path),
      cgroupHierarchy: 0,
    };
  }

  #idOf(path: string): bigint {
    const known = this.#ids.get(path);
    if (known !== undefined) return known;
    if (this.#paths.length >= MAX_CGROUPS) return -1n;
    const id = BigInt(this.#paths.push(path) - 1);
    this.#ids.set(path, id);
    return id;
  }
}
