/** Programs in the kernel and their maps, whether this process loaded them or an earlier one left them pinned. */

import { closeSync, readSync } from 'node:fs';
import { LosslogError } from '../base/errors.ts';
import { lastErrno, libbpf } from './libbpf.ts';
import type { BpfMap } from './map.ts';

export interface LoadedPrograms {
  /** @throws INTERNAL, BPF when there is no such map. */
  map(name: string): BpfMap;
  /** The file descriptor of a program. */
  programFd(name: string): number;
  /** Runs an iterator program to its end and returns what it wrote. @throws BPF */
  iterate(program: string): Buffer;
  /** Stops all programs; the rings keep what they hold until they are unmapped. */
  detach(): void;
  close(): void;
}

/** enum bpf_attach_type, include/uapi/linux/bpf.h */
const BPF_TRACE_ITER = 28;
const READ_CHUNK = 256 * 1024;

/** Runs an iterator program to its end and returns what it wrote. @throws BPF */
export function runIterator(programFd: number): Buffer {
  const link = checked(libbpf().bpf_link_create(programFd, 0, BPF_TRACE_ITER, null), 'attach');
  try {
    return readToEnd(checked(libbpf().bpf_iter_create(link), 'run'));
  } finally {
    closeSync(link);
  }
}

function checked(result: unknown, what: string): number {
  const fd = Number(result);
  if (fd < 0) throw new LosslogError('BPF', `cannot ${what} an iterator: ${lastErrno()}`);
  return fd;
}

function readToEnd(fd: number): Buffer {
  const chunks: Buffer[] = [];
  try {
    for (;;) {
      const chunk = Buffer.alloc(READ_CHUNK);
      const length = readSync(fd, chunk);
      if (length === 0) return Buffer.concat(chunks);
      chunks.push(chunk.subarray(0, length));
    }
  } finally {
    closeSync(fd);
  }
}
