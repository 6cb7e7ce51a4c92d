/** Pinned BPF objects: each is a file of a directory on bpffs that keeps it, whoever made it (bpf(2), BPF_OBJ_PIN). */

import { closeSync, readdirSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { LosslogError, messageOf } from '../base/errors.ts';
import { lastErrno, libbpf } from './libbpf.ts';

/** In the order in which they are to be removed: links are what records. */
export const PIN_TYPES = ['link', 'program', 'map', 'ledger'] as const;
export type PinType = (typeof PIN_TYPES)[number];

export class PinDirectory {
  readonly path: string;

  constructor(path: string) {
    this.path = path;
  }

  /** Names of the pinned objects of a type. */
  names(type: PinType): string[] {
    const prefix = `${type}_`;
    const files = readdirSync(this.path).filter((file) => file.startsWith(prefix));
    return files.map((file) => file.slice(prefix.length)).sort();
  }

  has(type: PinType, name: string): boolean {
    return this.names(type).includes(fileName(name));
  }

  /** @throws BPF */
  pin(type: PinType, name: string, fd: number): void {
    const path = this.#path(type, name);
    if (Number(libbpf().bpf_obj_pin(fd, path)) === 0) return;
    throw new LosslogError('BPF', `cannot pin ${path}: ${lastErrno()}`);
  }

  /** A descriptor of a pinned object, which the caller closes. @throws BPF */
  open(type: PinType, name: string): number {
    const path = this.#path(type, name);
    const fd = Number(libbpf().bpf_obj_get(path));
    if (fd >= 0) return fd;
    throw new LosslogError('BPF', `cannot open ${path}: ${lastErrno()}`);
  }

  /**
   * Removes the pins of a type; the objects go with their last user. A link that goes detaches its program.
   * @returns how many there were. @throws BPF when nothing can be opened any more
   */
  remove(type: PinType): number {
    const names = this.#namesToRemove(type);
    for (const name of names) {
      // Closing the last descriptor frees a link at once; unlinking alone leaves that to a worker of the kernel.
      const fd = Number(libbpf().bpf_obj_get(this.#path(type, name)));
      unlinkSync(this.#path(type, name));
      if (fd >= 0) closeSync(fd);
    }
    return names.length;
  }

  #namesToRemove(type: PinType): string[] {
    try {
      return this.names(type);
    } catch (cause) {
      throw new LosslogError('BPF', `what is pinned in ${this.path} cannot be removed: ${messageOf(cause)}`, {
        hint: 'losslog stop removes it, the next losslog record goes on with it',
        cause,
      });
    }
  }

  #path(type: PinType, name: string): string {
    return join(this.path, `${type}_${fileName(name)}`);
  }
}

/** bpffs keeps dots for itself (kernel/bpf/inode.c, bpf_lookup()): `.bss` is `bss`. */
const fileName = (name: string): string => name.replaceAll('.', '');
