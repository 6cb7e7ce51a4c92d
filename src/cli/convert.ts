/** `losslog convert`. */

import { createReadStream, statSync } from 'node:fs';
import { createGunzip, createZstdDecompress } from 'node:zlib';
import { errnoOf, LosslogError, messageOf } from '../base/errors.ts';
import { escapeJson } from '../base/escape.ts';
import { type WallNs, wallFromMs, wallNs } from '../base/time.ts';
import { fitsBoot, lostCoverage, timed } from '../capture/trace-log/clock.ts';
import type { Endian } from '../capture/trace-log/events.ts';
import { TraceLogReader } from '../capture/trace-log/reader.ts';
import { toJson } from '../event/json.ts';
import type { Event, UntimedEvent } from '../event/kinds.ts';
import { localTime } from '../event/local-time.ts';
import { formatEvent } from '../event/text.ts';
import { wallFromMonotonic } from '../linux/clock.ts';
import { ConvertedStore } from './converted-store.ts';
import { type Output, talk } from './output.ts';
import { Progress } from './progress.ts';

interface Values {
  json?: true;
  'boot-time'?: WallNs;
  store?: string;
  endian?: Endian;
}

/** Broken lines told one by one; the rest is counted. */
const TOLD = 10;
const PIECE = 65_536;
const CHUNK = 65_536;
const INTERRUPTED = 130;

/** Reads the log to its end, or to Ctrl-C. */
export async function convert(values: Values, output: Output, file: string): Promise<number> {
  const conversion = new Conversion(values, output, file);
  const stop = new AbortController();
  const onInterrupt = (): void => stop.abort();
  process.once('SIGINT', onInterrupt);
  try {
    await conversion.run(stop.signal);
  } finally {
    process.off('SIGINT', onInterrupt);
    conversion.close();
  }
  return stop.signal.aborted ? INTERRUPTED : 0;
}

class Conversion {
  readonly #values: Values;
  readonly #output: Output;
  readonly #file: string;
  readonly #reader: TraceLogReader;
  readonly #progress = new Progress();
  readonly #store: ConvertedStore | undefined;
  #piece = '';
  #events = 0;
  #broken = 0;
  #lost = 0;
  /** Wall time of the stamp 0; undefined until the first stamp, and when it is not known. */
  #bootedAt: WallNs | undefined;
  #isClockChosen = false;

  constructor(values: Values, output: Output, file: string) {
    this.#values = values;
    this.#output = output;
    this.#file = file;
    this.#store = values.store === undefined ? undefined : new ConvertedStore(values.store, file);
    this.#reader = new TraceLogReader(values.endian ?? 'little', {
      onEvent: (event, atNs) => {
        this.#chooseClock(atNs);
        this.#events++;
        this.#emit(timed(event, atNs, this.#bootedAt));
      },
      onLost: (lost) => {
        this.#chooseClock(lost.fromNs ?? lost.untilNs);
        this.#lost += lost.count ?? 0;
        this.#emit(lostCoverage(lost, this.#bootedAt));
      },
      onBroken: (line, why) => {
        if (++this.#broken <= TOLD) talk(`line ${line}: ${why}`);
      },
    });
  }

  /** Reads everything. @throws NOT_FOUND, NOT_PERMITTED, FILE */
  async run(signal: AbortSignal): Promise<void> {
    const size = this.#file === '-' ? undefined : sizeOf(this.#file);
    try {
      const raw = this.#file === '-' ? process.stdin : createReadStream(this.#file, { highWaterMark: CHUNK });
      for await (const chunk of unpacked(raw, this.#file)) {
        this.#reader.push(chunk as Buffer);
        if (this.#piece.length >= PIECE) await this.#flush();
        const share = size === undefined || !('bytesRead' in raw) ? undefined : (raw.bytesRead as number) / size;
        this.#progress.show(share, `${this.#reader.lines} lines`);
        if (signal.aborted) break;
      }
    } catch (error) {
      throw readError(this.#file, error);
    } finally {
      this.#progress.clear();
    }
    this.#reader.end();
    await this.#flush();
    talk(this.#summary());
  }

  close(): void {
    this.#store?.close();
  }

  #emit(event: Event | UntimedEvent): void {
    if (this.#store) {
      if (event.time === undefined) throw noTimes();
      this.#store.write(event);
    } else this.#piece += `${this.#line(event)}\n`;
  }

  #line(event: Event | UntimedEvent): string {
    if (this.#values.json) return escapeJson(toJson(event));
    return formatEvent(event, { width: this.#output.width, color: this.#output.color });
  }

  async #flush(): Promise<void> {
    const piece = this.#piece;
    this.#piece = '';
    await this.#output.writeAndWait(piece);
  }

  /** By what the user says; else by this host's clocks, if the log can be of this boot. */
  #chooseClock(firstNs: bigint | undefined): void {
    if (this.#isClockChosen) return;
    this.#isClockChosen = true;
    this.#bootedAt = this.#values['boot-time'];
    if (this.#bootedAt !== undefined) return;
    const bootedAt = wallFromMonotonic();
    const writtenAt = this.#file === '-' ? wallFromMs(Date.now()) : modifiedAt(this.#file);
    if (firstNs !== undefined && fitsBoot(firstNs, bootedAt, writtenAt)) {
      this.#bootedAt = bootedAt;
      talk(
        `times are by this host's clock, as of a log of this boot (since ${localTime(bootedAt, 0)}); --boot-time sets another`,
      );
    } else talk('the log is not of this boot and has no wall-clock times: --boot-time says when its host was booted');
  }

  #summary(): string {
    const { lines, foreign } = this.#reader;
    const parts = [`${counted(this.#events, 'event')} in ${counted(lines, 'line')}`];
    if (foreign > 0) parts.push(`${counted(foreign, 'other line')} skipped`);
    if (this.#broken > 0) parts.push(`${this.#broken} broken`);
    if (this.#lost > 0) parts.push(`the trace buffer had lost ${counted(this.#lost, 'event')}`);
    return parts.join('; ');
  }
}

const counted = (count: number, what: string): string => `${count} ${what}${count === 1 ? '' : 's'}`;

const noTimes = (): LosslogError =>
  new LosslogError('USAGE', 'a store needs wall-clock times, which this log has not', {
    hint: 'give --boot-time T: when the host of the log was booted (uptime -s there)',
  });

function unpacked(raw: NodeJS.ReadableStream, file: string): AsyncIterable<unknown> {
  if (file.endsWith('.gz')) return raw.pipe(createGunzip());
  return file.endsWith('.zst') ? raw.pipe(createZstdDecompress()) : raw;
}

const sizeOf = (file: string): number | undefined => statSync(file, { throwIfNoEntry: false })?.size || undefined;

const modifiedAt = (file: string): WallNs => wallNs(statSync(file, { bigint: true }).mtimeNs);

function readError(file: string, cause: unknown): unknown {
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
