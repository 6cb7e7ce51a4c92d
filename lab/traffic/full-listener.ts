/**
 * Listens and never accepts: once its accept queue is full, the kernel ignores further SYNs (ListenOverflows).
 *
 * libuv accepts whatever arrives, so the event loop is stopped for good right after listen(). A stopped loop cannot
 * see stdin end; the change of the parent process tells that the lab is gone.
 */

import { writeSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { options, type ProgramOptions } from './program.ts';

export interface FullListenerOptions extends ProgramOptions {
  /** Default: any free one. */
  port?: number;
  /** The queue takes one connection more than this (sk_acceptq_is_full, include/net/sock.h). Default: 1. */
  backlog?: number;
}

const given = options<FullListenerOptions>();
const server = createServer();
server.listen({ port: given.port ?? 0, host: '::', backlog: given.backlog ?? 1 }, () => {
  const { port } = server.address() as AddressInfo;
  writeSync(1, `${JSON.stringify({ pid: process.pid, port })}\n`);
  const parent = process.ppid;
  const pause = new Int32Array(new SharedArrayBuffer(4));
  while (process.ppid === parent) Atomics.wait(pause, 0, 0, 500);
  process.exit(0);
});
