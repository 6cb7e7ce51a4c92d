/** What the metrics ask of the store. Not an endpoint: nobody outside asks it. */

import { statSync } from 'node:fs';
import { join } from 'node:path';
import { wallToMs } from '../../base/time.ts';
import { listSlices } from '../../store/slice-name.ts';
import { isAlive } from '../../store/stretches.ts';
import type { SliceTotals, TotalsBy } from '../../store/totals.ts';
import { defineEndpoint } from '../endpoint.ts';

export interface TotalsAsked {
  /** Files of slices that need not be read: they were sealed when they were. */
  known: readonly string[];
  by: readonly TotalsBy[];
}

export interface TotalsAnswer {
  slices: SliceTotals[];
  isRecording: boolean;
  /** In seconds since 1970; absent when the store is empty. */
  begins?: number;
  bytes: number;
  files: number;
}

export const totals = defineEndpoint({
  path: 'totals',
  summary: 'counts by slice',
  parameters: {},
  schema: {},
  answer: ({ reader, storeDir, now }, values) => {
    const { known, by } = values as unknown as TotalsAsked;
    const session = reader.latestSession();
    const begins = reader.begins();
    const files = listSlices(storeDir);
    const answer: TotalsAnswer = {
      slices: reader.totals(new Set(known), by),
      isRecording: session !== undefined && isAlive(session, now),
      ...(begins === undefined ? {} : { begins: wallToMs(begins) / 1000 }),
      bytes: files.reduce(
        (sum, { file }) => sum + sizeOf(join(storeDir, file)) + sizeOf(join(storeDir, `${file}-wal`)),
        0,
      ),
      files: files.length,
    };
    return JSON.stringify(answer);
  },
});

const sizeOf = (path: string): number => statSync(path, { throwIfNoEntry: false })?.size ?? 0;
