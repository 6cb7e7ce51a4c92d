/** Memory of BPF maps, mapped into this process. */

import koffi from 'koffi';
import { LosslogError } from '../base/errors.ts';
import { lastErrno, libc, type Pointer } from './libbpf.ts';

const PROT_READ = 1;
const PROT_WRITE = 2;
const MAP_SHARED = 1;
const SC_PAGESIZE = 30; // glibc and musl, on every architecture

/** Bytes of a memory page: 4096, or up to 65536 on arm64. */
export function pageSize(): number {
  return Number(libc().sysconf(SC_PAGESIZE));
}

/**
 * A shared mapping of a file descriptor. After {@link close} its bytes are gone: reading them would end the process, so
 * whoever took `bytes` must have let go of it.
 */
export class Mapping {
  readonly bytes: ArrayBuffer;
  #address: Pointer;
  readonly #length: number;

  /** @throws BPF when the kernel refuses the mapping. */
  constructor(fd: number, length: number, offset: number, writable: boolean) {
    const protection = writable ? PROT_READ | PROT_WRITE : PROT_READ;
    this.#address = libc().mmap(null, length, protection, MAP_SHARED, fd, offset);
    this.#length = length;
    if (koffi.address(this.#address) === 0xffff_ffff_ffff_ffffn) {
      throw new LosslogError('BPF', `cannot map ${length} bytes of a BPF map: ${lastErrno()}`);
    }
    this.bytes = koffi.view(this.#address, length);
  }

  close(): void {
    if (this.#address === null) return;
    libc().munmap(this.#address, this.#length);
    this.#address = null;
  }
}
