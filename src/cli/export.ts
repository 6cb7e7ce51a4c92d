/** `losslog export`. */

import { closeSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { setImmediate as turn } from 'node:timers/promises';
import { errnoOf, LosslogError, messageOf } from '../base/errors.ts';
import { wallFromMs } from '../base/time.ts';
import type { Filter } from '../event/filter.ts';
import { csv } from '../export/csv.ts';
import type { EventFormat, ExportFormat } from '../export/format.ts';
import { jsonl } from '../export/jsonl.ts';
import { pcapng } from '../export/pcapng.ts';
import { version } from '../recorder/version.ts';
import { StoreReader } from '../store/reader.ts';
import { storeDir } from './default-store.ts';
import { type filterFlags, toFilter } from './filters.ts';
import type { ValuesOf } from './flag.ts';
import { type Output, talk } from './output.ts';
import { Progress } from './progress.ts';
import { remarks } from './remarks.ts';

type Values = ValuesOf<typeof filterFlags> & { format: ExportFormat; output?: string; store?: string };

/** Written in pieces of about this many bytes. */
const PIECE = 262_144;
/** Exit code of a command that Ctrl-C ended, as shells give it. */
const INTERRUPTED = 130;

interface Writing {
  format(): EventFormat;
  /** Whether it makes use of captured packets. */
  packets: boolean;
}

const FORMATS: Record<ExportFormat, Writing> = {
  jsonl: { format: jsonl, packets: false },
  csv: { format: csv, packets: false },
  pcapng: { format: () => pcapng(`losslog ${version()}`), packets: true },
};

/** Writes every event that passes the filters, oldest first. Ctrl-C ends it and leaves no half file behind. */
export async function exportEvents(values: Values, output: Output): Promise<number> {
  const filter = toFilter(values);
  const reader = StoreReader.open(storeDir(values.store));
  const stop = new AbortController();
  const onInterrupt = (): void => stop.abort();
  process.once('SIGINT', onInterrupt);
  try {
    const target = values.output === undefined ? toStdout(values.format, output) : toFile(values.output);
    const isDone = await writeAll(reader, filter, FORMATS[values.format], target, stop.signal);
    if (!isDone) return INTERRUPTED;
    for (const line of remarks(reader, filter, { empty: target.events === 0 })) talk(line);
  } finally {
    process.off('SIGINT', onInterrupt);
    reader.close();
  }
  return 0;
}

interface Target {
  events: number;
  write(bytes: Uint8Array): Promise<void>;
  /** @param isWhole everything was written */
  close(isWhole: boolean): void;
}

/** @returns false when it was ended before everything was written. */
async function writeAll(
  reader: StoreReader,
  filter: Filter,
  { format: beginFormat, packets }: Writing,
  target: Target,
  signal: AbortSignal,
): Promise<boolean> {
  const format = beginFormat();
  const progress = new Progress();
  const begin = filter.since ?? reader.begins() ?? 0n;
  const span = Number((filter.until ?? wallFromMs(Date.now())) - begin);
  let pieces: Uint8Array[] = [format.begin()];
  let size = 0;
  let leftOut = 0;
  let isWhole = false;
  const flush = async (): Promise<void> => {
    await target.write(Buffer.concat(pieces));
    pieces = [];
    size = 0;
    await turn(); // to the handler of Ctrl-C
  };
  try {
    for (const event of reader.events(filter, { order: 'oldest', packets })) {
      const bytes = format.add(event);
      if (bytes) {
        pieces.push(bytes);
        size += bytes.length;
        target.events++;
      } else leftOut++;
      if (size < PIECE) continue;
      progress.show(Number(event.time - begin) / span, `${target.events} events`);
      await flush();
      if (signal.aborted) return false;
    }
    await flush();
    isWhole = !signal.aborted;
  } finally {
    progress.clear();
    target.close(isWhole);
  }
  if (leftOut > 0)
    talk(`${leftOut} ${leftOut === 1 ? 'event is' : 'events are'} no IP packet and left out (jsonl and csv have all)`);
  return isWhole;
}

function toStdout(format: ExportFormat, output: Output): Target {
  if (format === 'pcapng' && output.isTty) {
    throw new LosslogError('USAGE', 'pcapng is not for a terminal', {
      hint: 'give -o FILE, or pipe it: | tshark -r -',
    });
  }
  return { events: 0, write: (bytes) => output.writeAndWait(bytes), close: () => {} };
}

/** Writes beside the file and renames at the end, so that an export that failed leaves what was there. */
function toFile(path: string): Target {
  const aside = `${path}.${process.pid}.partial`;
  const fd = attempt(path, () => openSync(aside, 'wx', 0o600));
  return {
    events: 0,
    write: async (bytes) => attempt(path, () => writeFully(fd, bytes)),
    close: (isWhole) => {
      closeSync(fd);
      if (isWhole) attempt(path, () => renameSync(aside, path));
      else rmSync(aside, { force: true });
    },
  };
}

function writeFully(fd: number, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at);
}

function attempt<T>(path: string, step: () => T): T {
  try {
    return step();
  } catch (cause) {
    const isForbidden = ['EACCES', 'EPERM', 'EROFS'].includes(errnoOf(cause) ?? '');
    throw new LosslogError(isForbidden ? 'NOT_PERMITTED' : 'FILE', `cannot write ${path}: ${messageOf(cause)}`, {
      hint: 'look at the directory, its rights and its free space',
      cause,
    });
  }
}
