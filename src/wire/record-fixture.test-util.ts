/** Records captured from real kernels by scripts/capture-records.ts, with what they decode to. */

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type BootNs, wallNs } from '../base/time.ts';
import type { Decoding } from './head.ts';

export interface RecordFixture {
  /** The bytes in hex, 32 a line. */
  record: string[];
  /** What that kernel answered when the record was decoded there. */
  kernel: {
    jiffyMs: number;
    dropReasons: Record<string, { reason: string; subsystem?: string }>;
    resetReasons: Record<string, string>;
    /** By address, `0x…`. */
    symbols: Record<string, string>;
  };
  /** Wall time in ns at boot. */
  bootedAt: string;
  /** As `show --json` prints it. */
  event: Record<string, unknown>;
}

const ROOT = join(import.meta.dirname, '../../testdata/records');

/** Every fixture by its path below testdata/records. */
export function recordFixtures(): Map<string, RecordFixture> {
  const paths = readdirSync(ROOT, { recursive: true, encoding: 'utf8' }).filter((path) => path.endsWith('.json'));
  return new Map(paths.sort().map((path) => [path, JSON.parse(readFileSync(join(ROOT, path), 'utf8'))]));
}

export const bytesOf = ({ record }: RecordFixture): Buffer => Buffer.from(record.join(''), 'hex');

/** Answers as the kernel did from which the fixture is. */
export function decodingOf({ kernel, bootedAt }: RecordFixture): Decoding {
  return {
    jiffyMs: kernel.jiffyMs,
    toWall: (time: BootNs) => wallNs(BigInt(bootedAt) + time),
    dropReason: (code) => kernel.dropReasons[code] ?? { reason: `UNKNOWN_${code}` },
    resetReason: (code) => kernel.resetReasons[code] ?? `UNKNOWN_${code}`,
    symbol: (address) => kernel.symbols[`0x${address.toString(16)}`],
  };
}
