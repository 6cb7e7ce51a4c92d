/** Sends bytes over TCP connections, closes them, and says when the other end has confirmed the end of each. */

import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { answer, obey, options, type ProgramOptions } from './program.ts';

export interface SendOptions extends ProgramOptions {
  host: string;
  port: number;
  /** Bytes to send on each connection. */
  bytes: number;
  /** Bytes a write. Default: 64 KiB. */
  chunkBytes?: number;
  /** Pause after each write. Default: none. */
  pauseMs?: number;
  /** Connections at the same time. Default: 1. */
  connections?: number;
  /** How many connections to make one after the other in each of these places. Default: 1. */
  rounds?: number;
}

export interface SendResult {
  pid: number;
  /** Bytes handed to the kernel. */
  bytes: number;
  /** Connections that were opened and closed without an error. */
  completed: number;
  /** Codes of errors, like ECONNREFUSED, one for each connection that failed. */
  errors: string[];
  /** Local ports, in the order of connecting; at most the first hundred. */
  localPorts: number[];
  milliseconds: number;
}

const given = options<SendOptions>();
const result: SendResult = { pid: process.pid, bytes: 0, completed: 0, errors: [], localPorts: [], milliseconds: 0 };
const chunk = Buffer.alloc(given.chunkBytes ?? 65_536, 'x');

async function write(socket: Socket): Promise<void> {
  for (let left = given.bytes; left > 0; ) {
    const part = left < chunk.length ? chunk.subarray(0, left) : chunk;
    left -= part.length;
    result.bytes += part.length;
    if (!socket.write(part)) await once(socket, 'drain');
    if (given.pauseMs) await new Promise((resolve) => setTimeout(resolve, given.pauseMs));
  }
}

async function sendOnce(): Promise<void> {
  const socket = connect({ host: given.host, port: given.port });
  try {
    await once(socket, 'connect');
    if (result.localPorts.length < 100) result.localPorts.push(socket.localPort ?? 0);
    socket.setNoDelay(true);
    socket.resume();
    const closed = once(socket, 'close');
    await write(socket);
    socket.end();
    await closed;
    result.completed++;
  } catch (error) {
    result.errors.push((error as NodeJS.ErrnoException).code ?? String(error));
    socket.destroy();
  }
}

async function place(): Promise<void> {
  for (let round = 0; round < (given.rounds ?? 1); round++) await sendOnce();
}

obey(() => {});
const start = performance.now();
await Promise.all(Array.from({ length: given.connections ?? 1 }, place));
result.milliseconds = Math.round(performance.now() - start);
answer(result);
process.exit(0);
