/** The bytes of a trace log: a file, packed or not, standard input, or one of tracefs. */

import { closeSync, constants, createReadStream, openSync, readSync, type Stats, statSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { setTimeout } from 'node:timers/promises';
import { createGunzip, createZstdDecompress } from 'node:zlib';
import { errnoOf, LosslogError, messageOf } from '../base/errors.ts';
import { parseTraceLine } from '../capture/trace-log/line.ts';
import { stampNs } from '../capture/trace-log/stamp.ts';

export interface LogSource {
  readonly pieces: AsyncIterable<Buffer>;
  /** Share of the file that has been read, 0 to 1; undefined where its size is not known. */
  share(): number | undefined;
}

const PIECE = 65_536;
/** How often a file that gives nothing at the moment is asked again. */
const PAUSE_MS = 100;

/** @param file path, or - for standard input @param signal ends the source, also while a pipe is silent @throws NOT_FOUND */
export function openLog(file: string, signal: AbortSignal): LogSource {
  if (file === '-') return { pieces: endedBy(signal, process.stdin), share: () => undefined };
  const stats = statOf(file);
  if (stats.isFile() && stats.size === 0) return { pieces: polled(file, signal), share: () => undefined };
  const raw = createReadStream(file, { highWaterMark: PIECE });
  const share = stats.isFile() ? () => raw.bytesRead / stats.size : () => undefined;
  return { pieces: endedBy(signal, unpacked(raw, file)), share };
}

/** The last stamp of a file, ns; undefined where it cannot be known without reading all of it. */
export function lastStampNs(file: string): bigint | undefined {
  if (file === '-' || unpackerOf(file)) return undefined;
  const stats = statOf(file);
  if (!stats.isFile() || stats.size === 0) return undefined;
  const lines = tailOf(file, stats.size).toString('latin1').split('\n').reverse();
  for (const line of lines) {
    const parsed = parseTraceLine(line);
    const stamp = parsed && stampNs(parsed);
    if (stamp !== undefined) return stamp;
  }
  return undefined;
}

function tailOf(file: string, size: number): Buffer {
  const fd = openSync(file, 'r');
  try {
    const piece = Buffer.alloc(Math.min(size, PIECE));
    return piece.subarray(0, readSync(fd, piece, 0, piece.length, size - piece.length));
  } finally {
    closeSync(fd);
  }
}

function statOf(file: string): Stats {
  try {
    return statSync(file);
  } catch (error) {
    throw readError(file, error);
  }
}

function endedBy(signal: AbortSignal, stream: NodeJS.ReadableStream & { destroy?(): void }): AsyncIterable<Buffer> {
  signal.addEventListener('abort', () => stream.destroy?.());
  return stream as unknown as AsyncIterable<Buffer>;
}

function unpacked(raw: NodeJS.ReadableStream, file: string): NodeJS.ReadableStream {
  const unpack = unpackerOf(file)?.();
  if (!unpack) return raw;
  raw.on('error', (error) => unpack.destroy(error));
  return raw.pipe(unpack);
}

function unpackerOf(file: string): (() => NodeJS.ReadWriteStream & { destroy(error: Error): unknown }) | undefined {
  if (file.endsWith('.gz')) return createGunzip;
  return file.endsWith('.zst') ? createZstdDecompress : undefined;
}

/**
 * A file that the kernel makes up as it is read. A read of trace_pipe waits for events, in a thread that would keep the process
 * from ending: hence without waiting (tracing_wait_pipe() in kernel/trace/trace.c heeds O_NONBLOCK).
 */
async function* polled(file: string, signal: AbortSignal): AsyncGenerator<Buffer> {
  const handle = await open(file, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    while (!signal.aborted) {
      const piece = await nextPiece(handle);
      if (piece?.length === 0) return;
      if (piece) yield piece;
      else await setTimeout(PAUSE_MS, undefined, { signal }).catch(() => {});
    }
  } finally {
    await handle.close();
  }
}

/** Undefined when there is nothing at the moment, empty at the end. */
async function nextPiece(handle: Awaited<ReturnType<typeof open>>): Promise<Buffer | undefined> {
  const buffer = Buffer.allocUnsafe(PIECE);
  try {
    const { bytesRead } = await handle.read(buffer, 0, PIECE, null);
    return buffer.subarray(0, bytesRead);
  } catch (error) {
    if (errnoOf(error) === 'EAGAIN') return undefined;
    throw error;
  }
}

/** First bytes of recordings that are no text (perf.data: tools/perf/Documentation/perf.data-file-format.txt; trace.dat(5)), and what makes text of them. */
const RECORDINGS = [
  { magic: Buffer.from('PERFILE2'), of: 'perf record', toText: 'perf script -i' },
  { magic: Buffer.from('\x17\x08Dtracing', 'latin1'), of: 'trace-cmd record', toText: 'trace-cmd report -i' },
] as const;

/** @param first the first bytes of the log @throws DECODE when they are of a binary recording */
export function requireText(first: Buffer, file: string): void {
  const recording = RECORDINGS.find(({ magic }) => first.subarray(0, magic.length).equals(magic));
  if (!recording) return;
  const name = file === '-' ? 'standard input' : file;
  throw new LosslogError('DECODE', `${name} is a binary recording of ${recording.of}`, {
    hint: `make text of it: ${recording.toText} ${file} | losslog convert -`,
  });
}

/** What an error that came up while the log was read means to the user. */
export function readError(file: string, cause: unknown): unknown {
  const errno = errnoOf(cause);
  if (cause instanceof LosslogError || errno === undefined) return cause;
  const name = file === '-' ? 'standard input' : file;
  if (errno === 'ENOENT') {
    return new LosslogError('NOT_FOUND', `there is no file ${name}`, {
      hint: 'give a trace log, or - for standard input',
    });
  }
  const code = errno === 'EACCES' || errno === 'EPERM' ? 'NOT_PERMITTED' : 'FILE';
  return new LosslogError(code, `cannot read ${name}: ${messageOf(cause)}`, { cause });
}
