/** A map of a loaded object: lookups by bytes, and its memory where it can be mapped. */

import { LosslogError } from '../base/errors.ts';
import { lastErrno, libbpf } from './libbpf.ts';
import { Mapping } from './memory.ts';
import { RingBuffer } from './ring.ts';

const BPF_ANY = 0;
const ENOENT = 2;
const ENOSPC = 28;
/** Entries read by one call; a bucket of a hash map never holds as many. */
const READ_BATCH = 2048;

/** Entries of a hash map as the kernel copied them: keys and values one after the other. */
export interface Entries {
  keys: Buffer;
  values: Buffer;
  count: number;
}

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
      throw failure('write to');
    }
  }

  /**
   * Every entry of a hash map, in batches (Linux 5.6). Entries that are made or removed meanwhile may be there or not.
   * @throws BPF
   */
  *entries(keySize: number, valueSize: number): Generator<Entries> {
    const keys = Buffer.alloc(READ_BATCH * keySize);
    const values = Buffer.alloc(READ_BATCH * valueSize);
    const cursor = Buffer.alloc(Math.max(keySize, Uint32Array.BYTES_PER_ELEMENT));
    for (let isFirst = true, isMore = true; isMore; isFirst = false) {
      const count: [number] = [READ_BATCH];
      const from = isFirst ? null : cursor;
      const result = Number(libbpf().bpf_map_lookup_batch(this.fd, from, cursor, keys, values, count, null));
      if (result !== 0 && result !== -ENOENT && result !== -ENOSPC) throw failure('read');
      isMore = result !== -ENOENT;
      if (count[0] > 0) yield { keys, values, count: count[0] };
    }
  }

  /** Removes `count` keys that lie one after the other. @throws BPF */
  remove(keys: Uint8Array, count: number): void {
    if (count === 0) return;
    const result = Number(libbpf().bpf_map_delete_batch(this.fd, keys, [count], null));
    if (result !== 0 && result !== -ENOENT) throw failure('write to');
  }

  /** The memory of a global section (`.bss`): live, without a system call. */
  mapMemory(size: number, writable = false): Mapping {
    return new Mapping(this.fd, size, 0, writable);
  }

  /** For a map of type RINGBUF. */
  ring(): RingBuffer {
    return new RingBuffer(this.fd, this.maxEntries);
  }
}

const failure = (what: string): LosslogError => new LosslogError('BPF', `cannot ${what} a BPF map: ${lastErrno()}`);
