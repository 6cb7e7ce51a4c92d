/**
 * Opens one TCP connection and then does what it is told, a command a line:
 * `send BYTES`, `close` (the process lives on, the connection is an orphan while data is in flight), `shutdown` (sends
 * FIN, keeps the socket), `abort` (RST), `exit`. Answers each one but the last with the state of the connection.
 */

import { connect } from 'node:net';
import { answer, obey, options, type ProgramOptions } from './program.ts';

export interface HolderOptions extends ProgramOptions {
  host: string;
  port: number;
  /** Default: any free one. */
  localPort?: number;
  /** Asks the other end after a second of silence, every second, ten times (libuv's uv_tcp_keepalive()). */
  keepAlive?: true;
}

export interface HolderState {
  pid: number;
  localPort: number;
  /** Bytes that came from the other end. */
  received: number;
  /** Bytes that the kernel has taken to send. */
  sent: number;
  /** Code of the error that ended the connection, if one did. */
  error?: string;
}

const given = options<HolderOptions>();
const local = given.localPort === undefined ? {} : { localPort: given.localPort };
const socket = connect({ host: given.host, port: given.port, ...local });
const state: HolderState = { pid: process.pid, localPort: 0, received: 0, sent: 0 };

const actions: Record<string, (argument: string) => void> = {
  send: (bytes) => socket.write(Buffer.alloc(Number(bytes), 'x')),
  close: () => socket.destroy(),
  shutdown: () => socket.end(),
  abort: () => socket.resetAndDestroy(),
  state: () => {},
  exit: () => process.exit(0),
};

function report(): void {
  state.sent = socket.bytesWritten - socket.writableLength;
  answer(state);
}

socket.setNoDelay(true);
if (given.keepAlive) socket.setKeepAlive(true, 1000);
socket.on('data', (data) => {
  state.received += data.length;
});
socket.once('connect', () => {
  state.localPort = socket.localPort ?? 0;
  report();
});
socket.on('error', (error: NodeJS.ErrnoException) => {
  state.error = error.code ?? error.message;
  if (state.localPort === 0) report();
});
obey((line) => {
  const [name = '', argument = ''] = line.split(' ');
  const action = actions[name];
  if (action === undefined) throw new Error(`no command ${name}`);
  action(argument);
  report();
});
