/** Which wall time the stamps of a trace log stand for, and what is to be said about it. */

import { statSync } from 'node:fs';
import { LosslogError } from '../base/errors.ts';
import { type WallNs, wallFromMs, wallNs } from '../base/time.ts';
import { fitsBoot } from '../capture/trace-log/clock.ts';
import { localTime } from '../event/local-time.ts';
import { wallFromMonotonic } from '../linux/clock.ts';
import { lastStampNs } from './log-source.ts';
import { talk } from './output.ts';

/** `given`: by --boot-time; `host`: of this boot; `other`: of a boot that is not known; `none`: stamps that are no times. */
type Basis = 'given' | 'host' | 'other' | 'none';

export class LogClock {
  readonly #file: string;
  readonly #given: WallNs | undefined;
  #basis: Basis | undefined;
  #bootedAt: WallNs | undefined;
  #writtenAt: WallNs | undefined;
  #beyond = 0;

  /** @param given when the host of the log was booted, where the user says so */
  constructor(file: string, given: WallNs | undefined) {
    this.#file = file;
    this.#given = given;
  }

  /** Wall time of the stamp 0, undefined where it is not known; decided by the first stamp. */
  bootedAt(atNs: bigint | undefined): WallNs | undefined {
    if (this.#basis === undefined || (this.#basis === 'none' && atNs !== undefined)) this.#decide(atNs);
    if (this.#basis === 'host' && atNs !== undefined && !this.#fits(atNs)) this.#beyond++;
    return this.#bootedAt;
  }

  /** What is only known at the end. */
  get remark(): string | undefined {
    if (this.#beyond === 0) return undefined;
    const stamps = this.#beyond === 1 ? '1 stamp lies' : `${this.#beyond} stamps lie`;
    return `${stamps} after the log was written: it is of another boot, and its times are wrong; --boot-time says when its host was booted`;
  }

  /** An event without a time cannot be stored. */
  get storeError(): LosslogError {
    const isClock = this.#basis === 'none' || this.#basis === 'given';
    return new LosslogError('USAGE', 'a store needs wall-clock times, which this log has not', {
      hint: isClock
        ? 'its stamps are no times since boot: record it with another trace_clock, and without latency-format'
        : 'give --boot-time T: when the host of the log was booted (uptime -s there)',
    });
  }

  #decide(atNs: bigint | undefined): void {
    if (atNs === undefined) this.#set('none', undefined);
    else if (this.#given !== undefined) this.#set('given', this.#given);
    else if (this.#fits(atNs) && this.#fits(lastStampNs(this.#file) ?? atNs)) this.#set('host', wallFromMonotonic());
    else this.#set('other', undefined);
  }

  #set(basis: Basis, bootedAt: WallNs | undefined): void {
    this.#basis = basis;
    this.#bootedAt = bootedAt;
    if (basis === 'none') {
      talk('its stamps are no times since boot (latency-format, or a trace_clock that counts): events have no time');
    } else if (basis === 'other') {
      talk('the log is not of this boot and has no wall-clock times: --boot-time says when its host was booted');
    } else if (basis === 'host') {
      const since = localTime(bootedAt as WallNs, 0);
      talk(`times are by this host's clock, as of a log of this boot (since ${since}); --boot-time sets another`);
    }
  }

  #fits(atNs: bigint): boolean {
    this.#writtenAt ??= writtenAt(this.#file);
    return fitsBoot(atNs, this.#bootedAt ?? wallFromMonotonic(), this.#writtenAt);
  }
}

/** Pipes, and files that the kernel makes up (tracefs), are written while they are read. */
function writtenAt(file: string): WallNs {
  const now = wallFromMs(Date.now());
  if (file === '-') return now;
  const { mtimeNs, size } = statSync(file, { bigint: true });
  return size === 0n ? now : wallNs(mtimeNs);
}
