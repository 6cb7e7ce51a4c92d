/** A TCP server that reads and forgets. Answers `stats` with what it has got so far. */

import { type AddressInfo, createServer } from 'node:net';
import { answer, obey, options, type ProgramOptions } from './program.ts';

export interface SinkOptions extends ProgramOptions {
  /** Default: any free one. */
  port?: number;
  /** Default: every address of both families. */
  host?: string;
  /** False: accept and never read, so that the receive window closes. Default: true. */
  read?: boolean;
  /** Send every byte back. Default: false. */
  echo?: boolean;
  /** Connections that may wait for accept(). Default: 4096. */
  backlog?: number;
}

export interface SinkStats {
  connections: number;
  /** Connections that ended, well or not. */
  closed: number;
  bytes: number;
}

const given = options<SinkOptions>();
const stats: SinkStats = { connections: 0, closed: 0, bytes: 0 };

const server = createServer({ pauseOnConnect: given.read === false }, (socket) => {
  stats.connections++;
  socket.on('error', () => {});
  socket.on('close', () => stats.closed++);
  if (given.read === false) return;
  if (given.echo) socket.pipe(socket);
  socket.on('data', (data) => {
    stats.bytes += data.length;
  });
});

server.listen({ port: given.port ?? 0, host: given.host ?? '::', backlog: given.backlog ?? 4096 }, () =>
  answer({ pid: process.pid, port: (server.address() as AddressInfo).port }),
);
obey((command) => {
  if (command === 'stats') answer(stats);
});
