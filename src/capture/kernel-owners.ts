/** What the kernel side knows of owners, for src/enrich to ask. */

import type { BpfMap } from '../bpf/map.ts';
import type { LoadedPrograms } from '../bpf/programs.ts';
import {
  CGROUP_PATH_SIZE,
  decodeCgroupPath,
  decodeNotedOwner,
  decodeSocketList,
  encodeCgroupKey,
  NOTED_OWNER_SIZE,
  type NotedOwner,
  type OwnerSource,
  type ProcessRef,
} from '../wire/owner-records.ts';

/** The iterator over open sockets. */
export const SOCKET_LISTER = 'list_sockets';

export class KernelOwners implements OwnerSource {
  readonly #object: LoadedPrograms;
  readonly #noted: BpfMap;
  readonly #cgroupPaths: BpfMap;
  readonly #notedValue = Buffer.alloc(NOTED_OWNER_SIZE);
  readonly #pathValue = Buffer.alloc(CGROUP_PATH_SIZE);

  constructor(object: LoadedPrograms) {
    this.#object = object;
    this.#noted = object.map('owners');
    this.#cgroupPaths = object.map('cgroup_paths');
  }

  /** Every open IP socket in the recorded namespaces by its inode, with a process that holds it. Some µs a file. @throws BPF */
  listSockets(): Map<bigint, ProcessRef> {
    return decodeSocketList(this.#object.iterate(SOCKET_LISTER));
  }

  /** What was noted for the socket at this address. */
  notedOwner(sk: bigint): NotedOwner | undefined {
    const key = Buffer.alloc(8);
    key.writeBigUInt64LE(sk);
    return this.#noted.lookup(key, this.#notedValue) ? decodeNotedOwner(this.#notedValue) : undefined;
  }

  /** The path of a cgroup that a record names, also when it is gone by now. */
  cgroupPath(id: bigint, hierarchy: number): string | undefined {
    const found = this.#cgroupPaths.lookup(encodeCgroupKey(id, hierarchy), this.#pathValue);
    return found ? decodeCgroupPath(this.#pathValue) : undefined;
  }
}
