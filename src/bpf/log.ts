/** What libbpf and the verifier say, kept for the error that follows. */

import koffi from 'koffi';
import { libbpf, libc } from './libbpf.ts';

const KEPT_LINES = 400;
/** A refused program comes with its whole verifier log in one message. */
const MESSAGE_BYTES = 4 * 1024 * 1024;
const LEVEL_DEBUG = 2;

const lines: string[] = [];
let registered = false;

/** From here on libbpf prints nothing: its last lines are kept. */
export function captureLog(): void {
  if (registered) return;
  registered = true;
  const callbackType = koffi.proto('int losslog_libbpf_print(int level, const char *format, void *args)');
  const callback = koffi.register((level: number, format: string, args: unknown) => {
    if (level < LEVEL_DEBUG) keep(format, args);
    return 0;
  }, koffi.pointer(callbackType));
  libbpf().libbpf_set_print(callback);
}

function keep(format: string, args: unknown): void {
  const message = Buffer.alloc(MESSAGE_BYTES);
  const length = Math.min(Number(libc().vsnprintf(message, MESSAGE_BYTES, format, args)), MESSAGE_BYTES - 1);
  lines.push(...message.toString('utf8', 0, length).split('\n').filter(Boolean).slice(-KEPT_LINES));
  if (lines.length > KEPT_LINES) lines.splice(0, lines.length - KEPT_LINES);
}

/** The last lines, oldest first; clears them. */
export function takeLog(): string[] {
  return lines.splice(0);
}
