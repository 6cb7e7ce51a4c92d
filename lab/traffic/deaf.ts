/** Binds a UDP port and never reads it. */

import { createSocket } from 'node:dgram';
import { writeSync } from 'node:fs';
import { options, type ProgramOptions } from './program.ts';

export interface DeafOptions extends ProgramOptions {
  family: 4 | 6;
  /** Bytes. Default: 4096. */
  receiveBuffer?: number;
}

const given = options<DeafOptions>();
const socket = createSocket(given.family === 4 ? 'udp4' : 'udp6');
socket.bind(0, () => {
  socket.setRecvBufferSize(given.receiveBuffer ?? 4096);
  // libuv reads whatever comes, so the event loop is stopped for good; a change of the parent tells that the lab is gone.
  writeSync(1, `${JSON.stringify({ port: socket.address().port })}\n`);
  const parent = process.ppid;
  const pause = new Int32Array(new SharedArrayBuffer(4));
  while (process.ppid === parent) Atomics.wait(pause, 0, 0, 500);
  process.exit(0);
});
