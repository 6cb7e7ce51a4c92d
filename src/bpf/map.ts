/** A map of a loaded object: lookups by bytes, and its memory where it can be mapped. */

import { LosslogError } from '../base/errors.ts';
import { lastErrno, libbpf } from './libbpf.ts';
import { Mapping } from './memory.ts';
import { RingBuffer } from './ring.ts';

const BPF_ANY = 0;

export class BpfMap {
  readonly fd: number;
  readonly maxEntries: number;

  constructor(fd: number, maxEntries: number) {
    this.fd = fd;
    this.maxEntries = maxEntries;
  }

  /** Fills `value` and returns true, or returns false when the key is not there. */
  lookup(key: Uint8Array, value: Uint8Array): boolean {
    return libbpf().bpf_map_lookup_elem(this.fd, key, value) === 0;
  }

  /** @throws BPF when the map is full. */
  update(key: Uint8Array, value: Uint8Array): void {
    if (libbpf().bpf_map_update_elem(this.fd, key, value, BPF_ANY) !== 0) {
      throw new LosslogError('BPF', `cannot write to a BPF map: ${lastErrno()}`);
    }
  }

  /** The memory of a global section (`.bss`): live, without a system call. */
  mapMemory(size: number): Mapping {
    return new Mapping(this.fd, size, 0, false);
  }

  /** For a map of type RINGBUF. */
  ring(): RingBuffer {
    return new RingBuffer(this.fd, this.maxEntries);
  }
}
