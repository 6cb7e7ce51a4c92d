/**
 * Whether koffi's poll does here what the rings need of it. It is exported but not documented, so it is tried before it is
 * relied on.
 */

import { closeSync } from 'node:fs';
import koffi from 'koffi';
import { LosslogError } from '../base/errors.ts';
import { lastErrno, libc } from './libbpf.ts';

type PollHandle = ReturnType<typeof koffi.node.poll>;

const READABLE = { readable: true };
/** include/uapi/linux/eventfd.h: O_CLOEXEC. */
const EFD_CLOEXEC = 0x80000;
const TIMEOUT_MS = 1000;

/** Waits for a descriptor that is readable from the start, stops, and waits again. @throws BPF without an eventfd */
export async function pollWorks(timeoutMs = TIMEOUT_MS): Promise<boolean> {
  if (typeof koffi.node?.poll !== 'function') return false;
  const fd = Number(libc().eventfd(1, EFD_CLOEXEC));
  if (fd < 0) throw new LosslogError('BPF', `cannot make an eventfd: ${lastErrno()}`);
  try {
    return await firesTwice(fd, timeoutMs);
  } finally {
    closeSync(fd);
  }
}

function firesTwice(fd: number, timeoutMs: number): Promise<boolean> {
  return new Promise((resolve) => {
    let poll: PollHandle | undefined;
    const end = (works: boolean): void => {
      clearTimeout(timer);
      poll?.close();
      poll = undefined;
      resolve(works);
    };
    const timer = setTimeout(end, timeoutMs, false);
    const again = (): void => end(true);
    const first = (): void => {
      poll?.stop();
      poll?.start(READABLE, again as never);
    };
    poll = koffi.node.poll(fd, READABLE, first as never);
  });
}
