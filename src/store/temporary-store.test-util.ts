/** A store in a directory of its own that is gone after the test. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { Filter } from '../event/filter.ts';
import type { Event } from '../event/kinds.ts';
import { EPOCH } from './arbitrary-event.test-util.ts';
import { StoreReader } from './reader.ts';
import type { StoreSession } from './slice-writer.ts';
import { StoreWriter, type StoreWriterOptions } from './writer.ts';

export const SESSION: StoreSession = {
  bootId: '8f9d2c4e-0000-4000-8000-000000000001',
  losslogVersion: '0.1.0',
  kernel: '6.18.44',
  host: 'alpha',
};

export function temporaryDirectory(t: TestContext): string {
  const dir = mkdtempSync(join(tmpdir(), 'losslog-store-'));
  t.after(() => rmSync(dir, { recursive: true, force: true, maxRetries: 10 }));
  return dir;
}

export function openWriter(dir: string, options: StoreWriterOptions = {}): StoreWriter {
  return StoreWriter.open(dir, SESSION, { now: () => EPOCH, packets: 'all', ...options });
}

/** Everything that a store answers, oldest first. @throws when a slice had to be skipped. */
export function readAll(dir: string, filter: Filter = { all: true }): Event[] {
  const reader = StoreReader.open(dir);
  try {
    const events = [...reader.events(filter, { order: 'oldest', packets: true })];
    if (reader.skipped.length > 0) throw new Error(JSON.stringify(reader.skipped));
    return events;
  } finally {
    reader.close();
  }
}
