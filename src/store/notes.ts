/** The coverage records of a stretch of time, summed up: a day of many namespaces has tens of thousands. */

import { NS_PER_MINUTE, wallNs } from '../base/time.ts';
import { COVERAGE_STATES, type CoverageEvent } from '../event/kinds.ts';
import type { Stretch } from './session.ts';
import type { SliceReader } from './slice-reader.ts';

/** Coverage records that say the same, added up. */
export interface Noted {
  readonly state: CoverageEvent['state'];
  /** Absent: no comparison. */
  readonly counter?: string;
  readonly why?: string;
  /** How many records. */
  records: number;
  count: number;
  recorded: number;
  kernel: number;
}

/** A record stands at the end of its stretch, which is a minute or two at most. */
export const NOTED_AFTER = 2n * NS_PER_MINUTE;

export class Notes {
  readonly #byKey = new Map<string, Noted>();

  /** Adds the records of a slice whose stretches meet the time asked for. A clock that was set back has its stretch backwards. */
  add(slice: SliceReader, { from, until }: Stretch): void {
    const columns = slice.kinds.get('coverage')?.columns;
    if (!columns) return;
    const [counter, recorded, kernel] = ['counter', 'recorded', 'kernel'].map((name) =>
      columns.has(name) ? name : 'NULL',
    );
    const rows = slice.all(
      `SELECT state, ${counter}, why, count(*), ifnull(sum(count), 0), ifnull(sum(${recorded}), 0), ifnull(sum(${kernel}), 0)
       FROM coverage WHERE min("from", "until") < ? AND max("from", "until") >= ? GROUP BY 1, 2, 3`,
      [until, from],
    );
    for (const [state, counterKey, whyKey, ...sums] of rows) {
      const text = (key: unknown): string | undefined => (key === null ? undefined : slice.stringOf(key as number));
      this.#add(
        COVERAGE_STATES[(state as number) - 1] as Noted['state'],
        text(counterKey),
        text(whyKey),
        sums as number[],
      );
    }
  }

  sums(): Noted[] {
    return [...this.#byKey.values()];
  }

  #add(state: Noted['state'], counter: string | undefined, why: string | undefined, sums: readonly number[]): void {
    const key = JSON.stringify([state, counter, why]);
    let noted = this.#byKey.get(key);
    if (!noted) {
      const texts = { ...(counter === undefined ? {} : { counter }), ...(why === undefined ? {} : { why }) };
      noted = { state, ...texts, records: 0, count: 0, recorded: 0, kernel: 0 };
      this.#byKey.set(key, noted);
    }
    const [records = 0, count = 0, recorded = 0, kernel = 0] = sums;
    noted.records += records;
    noted.count += count;
    noted.recorded += recorded;
    noted.kernel += kernel;
  }
}

/** Of the events of such a stretch so many came to the store later: that tells its record from one of a clock that was set. */
export function aloneIn(slice: SliceReader): Stretch[] {
  if (!slice.kinds.has('coverage')) return [];
  const recording = 1 + COVERAGE_STATES.indexOf('recording');
  const rows = slice.all(
    `SELECT CAST("from" AS TEXT), CAST("until" AS TEXT) FROM coverage WHERE state = ${recording} AND count IS NOT NULL`,
  );
  return rows.map(([from, until]) => ({
    from: wallNs(BigInt(from as string)),
    until: wallNs(BigInt(until as string)),
  }));
}
