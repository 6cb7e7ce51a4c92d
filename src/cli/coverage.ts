/** `losslog coverage`. */

import { formatDuration } from '../base/duration.ts';
import { escapeJson, escapeText, padTo } from '../base/escape.ts';
import { type WallNs, wallFromMs } from '../base/time.ts';
import { toJson } from '../event/json.ts';
import type { CoverageEvent } from '../event/kinds.ts';
import { localDay, localTime } from '../event/local-time.ts';
import { StoreReader } from '../store/reader.ts';
import { coverageEvents, type Stretch } from '../store/stretches.ts';
import { storeDir } from './default-store.ts';
import { type Output, talk } from './output.ts';

interface Values {
  since?: WallNs;
  until?: WallNs;
  store?: string;
  json?: true;
}

/** Prints, in order of time, when the recorder was running, and what it could not see. */
export async function coverage(values: Values, output: Output): Promise<number> {
  const reader = StoreReader.open(storeDir(values.store));
  try {
    const now = wallFromMs(Date.now());
    const { begins, sessions } = reader.coverage();
    const asked: Stretch = { from: values.since ?? begins ?? now, until: values.until ?? now };
    const all = coverageEvents(reader, sessions, asked, now);
    const lines = values.json ? all.map((event) => escapeJson(toJson(event))) : table(all);
    await output.writeAndWait(lines.map((line) => `${line}\n`).join(''));
    for (const { file, why } of reader.skipped) talk(`${file} could not be read and is left out: ${why}`);
    talk(begins === undefined ? 'the store holds nothing yet' : summary(all, asked));
  } finally {
    reader.close();
  }
  return 0;
}

function table(all: readonly CoverageEvent[]): string[] {
  const rows = all.map(({ from, until, state, count, why }) => {
    const day = localDay(from as WallNs);
    const end = from === until ? '' : `to ${localTime(until as WallNs, 0, day)}`;
    const length = from === until ? '' : formatDuration(until - from);
    const what = [count === undefined ? '' : `${count} events`, why === undefined ? '' : escapeText(why)];
    return [localTime(from as WallNs, 0), end, length, state, what.filter(Boolean).join(': ')];
  });
  const widths = [0, 1, 2, 3].map((column) => Math.max(0, ...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) =>
    row
      .map((cell, i) => padTo(cell, widths[i] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}

function summary(all: readonly CoverageEvent[], asked: Stretch): string {
  const whole = asked.until - asked.from;
  const sumOf = (state: CoverageEvent['state']): bigint =>
    all.filter((one) => one.state === state).reduce((sum, { from, until }) => sum + (until - from), 0n);
  const countOf = (state: CoverageEvent['state']): number =>
    all.filter((one) => one.state === state).reduce((sum, { count = 0 }) => sum + count, 0);
  const down = sumOf('down');
  const parts = [
    down === 0n
      ? 'the recorder was running all that time'
      : `the recorder was not running for ${formatDuration(down)} of ${formatDuration(whole)}`,
  ];
  if (countOf('lost') > 0) parts.push(`${countOf('lost')} events lost`);
  if (countOf('limited') > 0) parts.push(`${countOf('limited')} events only counted`);
  if (all.some(({ state }) => state === 'blind')) parts.push('some things are not seen here (blind)');
  return parts.join('; ');
}
