/** `losslog coverage`. */

import { formatDuration } from '../base/duration.ts';
import { escapeJson, escapeText, padTo } from '../base/escape.ts';
import { type WallNs, wallFromMs } from '../base/time.ts';
import { toJson } from '../event/json.ts';
import type { CoverageEvent } from '../event/kinds.ts';
import { localDay, localTime } from '../event/local-time.ts';
import { reconciledText } from '../event/parts.ts';
import { StoreReader } from '../store/reader.ts';
import type { Session } from '../store/store.ts';
import { coverageEvents, type Stretch } from '../store/stretches.ts';
import { storeDir } from './default-store.ts';
import { type Output, talk } from './output.ts';
import { BEFORE_HISTORY, blindText, downText, isBeforeHistory, meeting, notedTexts } from './trust.ts';

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
    const { begins, sessions } = reader.coverage(values.since && { from: values.since, until: values.until ?? now });
    const asked: Stretch = { from: values.since ?? begins ?? now, until: values.until ?? now };
    const all = coverageEvents(reader, sessions, asked, now);
    const lines = values.json ? all.map((event) => escapeJson(toJson(event))) : table(summedUp(all));
    await output.writeAndWait(lines.map((line) => `${line}\n`).join(''));
    for (const { file, why } of reader.skipped) talk(`${file} could not be read and is left out: ${why}`);
    talk(
      begins === undefined ? 'the store holds nothing yet' : summary(reader, meeting(sessions, asked, now), all, asked),
    );
  } finally {
    reader.close();
  }
  return 0;
}

function table(all: readonly CoverageEvent[]): string[] {
  const rows = all.map((event) => {
    const { from, until, state, count, why } = event;
    const day = localDay(from as WallNs);
    const end = from === until ? '' : `to ${localTime(until as WallNs, 0, day)}`;
    const length = from === until ? '' : formatDuration(until - from);
    const compared = reconciledText(event);
    const what = [compared ?? (count === undefined ? '' : `${count} events`), why ?? ''].map(escapeText);
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

function summary(
  reader: StoreReader,
  sessions: readonly Session[],
  all: readonly CoverageEvent[],
  asked: Stretch,
): string {
  if (isBeforeHistory(asked)) return BEFORE_HISTORY;
  const down = all.filter(({ state }) => state === 'down').reduce((sum, { from, until }) => sum + (until - from), 0n);
  const notes = reader.noted(asked);
  const parts = [downText(down, asked.until - asked.from), ...notedTexts(notes), blindText(sessions, notes)];
  return parts.filter(Boolean).join('; ');
}

/** Comparisons of one namespace and counter as one line; those that only break down another, and agree, as none. */
function summedUp(all: readonly CoverageEvent[]): CoverageEvent[] {
  const sums = new Map<string, CoverageEvent>();
  const lines: CoverageEvent[] = [];
  for (const event of all) {
    const { counter, netns, state } = event;
    const key = `${netns} ${counter}`;
    const sum = counter === undefined ? undefined : sums.get(key);
    if (sum) add(sum, event);
    else if (counter === undefined) lines.push(event);
    else if (counter === 'TcpRetransSegs' || state !== 'recording') {
      const first = { ...event };
      sums.set(key, first);
      lines.push(first);
    }
  }
  return lines;
}

function add(sum: CoverageEvent, event: CoverageEvent): void {
  if (event.until > sum.until) sum.until = event.until;
  sum.recorded = (sum.recorded ?? 0) + (event.recorded ?? 0);
  sum.kernel = (sum.kernel ?? 0) + (event.kernel ?? 0);
  if (event.state === 'recording') return;
  sum.state = event.state;
  sum.count = (sum.count ?? 0) + (event.count ?? 0);
  if (event.why !== undefined) sum.why = event.why;
}
