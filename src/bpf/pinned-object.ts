/** Programs and maps that an earlier process pinned. */

import { closeSync, readFileSync } from 'node:fs';
import { LosslogError } from '../base/errors.ts';
import { BpfMap } from './map.ts';
import type { PinDirectory } from './pin-directory.ts';
import { type LoadedPrograms, runIterator } from './programs.ts';

export class PinnedObject implements LoadedPrograms {
  readonly #directory: PinDirectory;
  readonly #maps = new Map<string, BpfMap>();
  readonly #programs = new Map<string, number>();

  constructor(directory: PinDirectory) {
    this.#directory = directory;
  }

  map(name: string): BpfMap {
    const known = this.#maps.get(name);
    if (known) return known;
    const fd = this.#directory.open('map', name);
    const map = new BpfMap(fd, maxEntriesOf(fd));
    this.#maps.set(name, map);
    return map;
  }

  programFd(name: string): number {
    const fd = this.#programs.get(name) ?? this.#directory.open('program', name);
    this.#programs.set(name, fd);
    return fd;
  }

  iterate(program: string): Buffer {
    return runIterator(this.programFd(program));
  }

  /** The pins are the only users of the links. */
  detach(): void {
    this.#directory.remove('link');
  }

  close(): void {
    for (const { fd } of this.#maps.values()) closeSync(fd);
    for (const fd of this.#programs.values()) closeSync(fd);
    this.#maps.clear();
    this.#programs.clear();
  }
}

/** Of a map by its descriptor (kernel/bpf/syscall.c, bpf_map_show_fdinfo()). */
function maxEntriesOf(fd: number): number {
  const entries = /^max_entries:\s*(\d+)$/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8'))?.[1];
  if (entries === undefined) throw new LosslogError('BPF', `descriptor ${fd} is no map`);
  return Number(entries);
}
