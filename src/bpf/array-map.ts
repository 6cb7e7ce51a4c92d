/** A map of one value that no program touches: bytes that outlive the process when they are pinned. */

import { closeSync } from 'node:fs';
import { LosslogError } from '../base/errors.ts';
import { lastErrno, libbpf } from './libbpf.ts';
import { BpfMap } from './map.ts';
import type { PinDirectory } from './pin-directory.ts';

/** enum bpf_map_type, include/uapi/linux/bpf.h */
const BPF_MAP_TYPE_ARRAY = 2;
const KEY = new Uint8Array(4);

export class ArrayMap {
  readonly #map: BpfMap;
  readonly #size: number;

  private constructor(fd: number, size: number) {
    this.#map = new BpfMap(fd, 1);
    this.#size = size;
  }

  /** @throws BPF */
  static create(name: string, size: number): ArrayMap {
    const fd = Number(libbpf().bpf_map_create(BPF_MAP_TYPE_ARRAY, name, KEY.length, size, 1, null));
    if (fd < 0) throw new LosslogError('BPF', `cannot make the map ${name}: ${lastErrno()}`);
    return new ArrayMap(fd, size);
  }

  /** @param size of its value, which must be that it was made with. @throws BPF */
  static open(directory: PinDirectory, name: string, size: number): ArrayMap {
    return new ArrayMap(directory.open('ledger', name), size);
  }

  get fd(): number {
    return this.#map.fd;
  }

  read(): Buffer {
    const value = Buffer.alloc(this.#size);
    this.#map.lookup(KEY, value);
    return value;
  }

  /** Whole or not at all: the kernel copies it in one system call. @throws BPF */
  write(bytes: Uint8Array): void {
    if (bytes.length > this.#size) throw new LosslogError('INTERNAL', `${bytes.length} bytes do not fit the map`);
    const value = Buffer.alloc(this.#size);
    value.set(bytes);
    this.#map.update(KEY, value);
  }

  close(): void {
    closeSync(this.fd);
  }
}
