/** `losslog top`. */

import { LosslogError } from '../base/errors.ts';
import { displayWidth, escapeJson, escapeText, padTo } from '../base/escape.ts';
import { shortContainerId } from '../event/container-id.ts';
import { TOP_DIMENSIONS, type TopDimension } from '../event/filter.ts';
import { StoreReader } from '../store/reader.ts';
import { type NetnsNames, netnsNamesOf } from '../store/recorded-names.ts';
import type { TopRow } from '../store/store.ts';
import { storeDir } from './default-store.ts';
import { type filterFlags, toFilter } from './filters.ts';
import type { ValuesOf } from './flag.ts';
import { type Output, talk } from './output.ts';
import { remarks } from './remarks.ts';

type Values = ValuesOf<typeof filterFlags> & {
  by?: TopDimension;
  store?: string;
  limit?: number;
  live?: true;
  json?: true;
};

const DEFAULT_LIMIT = 20;

/** Prints who lost the most, most first. */
export async function top(values: Values, output: Output): Promise<number> {
  const filter = toFilter(values);
  if (values.live) {
    const { topLive } = await import('./top-live.ts');
    return topLive(storeDir(values.store), filter, values.by ?? 'peer', output);
  }
  const { by } = values;
  if (by === undefined) throw noDimension();
  const limit = values.limit ?? DEFAULT_LIMIT;
  const reader = StoreReader.open(storeDir(values.store));
  try {
    const rows = reader.top(filter, by, limit === 0 ? Number.MAX_SAFE_INTEGER : limit);
    const names = by === 'netns' ? netnsNamesOf(reader, filter, rows) : new Map<string, string>();
    const lines = values.json ? rows.map((row) => jsonLine(by, row, names)) : table(by, rows, names);
    await output.writeAndWait(lines.map((line) => `${line}\n`).join(''));
    for (const line of remarks(reader, filter, { empty: rows.length === 0 })) talk(line);
  } finally {
    reader.close();
  }
  return 0;
}

const noDimension = (): LosslogError =>
  new LosslogError('USAGE', '--by is missing', { hint: `give --by DIM: one of ${TOP_DIMENSIONS.join(', ')}` });

function jsonLine(by: TopDimension, { key, ...counts }: TopRow, names: NetnsNames): string {
  const value = by === 'netns' && key !== undefined ? Number(key) : key;
  const name = key === undefined ? undefined : names.get(key);
  return escapeJson(
    JSON.stringify({ by, [by]: value, ...(name === undefined ? {} : { netnsName: name }), ...knownOf(counts) }),
  );
}

type Counts = Omit<TopRow, 'key'>;

/** A retransmission is a segment at least: with fewer, those of some are not known (ftrace, kprobe, trace logs). */
const knowsSegments = ({ segments, retransmissions }: Counts): boolean => segments >= retransmissions;

function knownOf(counts: Counts): Partial<Counts> {
  if (knowsSegments(counts)) return counts;
  const { segments, bytes, ...known } = counts;
  return known;
}

/** Longest bar, in columns. */
const BAR = 20;

export function table(by: TopDimension, rows: readonly TopRow[], names: NetnsNames): string[] {
  if (rows.length === 0) return [];
  const most = Math.max(...rows.map(weight));
  const cells = rows.map((row) => [
    keyText(by, row, names),
    ...COUNTS.map(({ of }) => of(row) + (of === segmentsOf && !knowsSegments(row) ? '+' : '')),
    bar(row, most),
  ]);
  const all = [[by, ...COUNTS.map(({ name }) => name), ''], ...cells];
  const widths = all[0]?.map((_, i) => Math.max(...all.map((row) => displayWidth(row[i] ?? '')))) ?? [];
  return all.map(([key = '', ...rest]) => {
    const counts = rest.slice(0, -1).map((text, i) => text.padStart(widths[i + 1] ?? 0));
    return [padTo(key, widths[0] ?? 0), ...counts, rest.at(-1)].join('  ').trimEnd();
  });
}

/** At least. */
const segmentsOf = ({ segments, retransmissions }: TopRow): number => Math.max(segments, retransmissions);

const COUNTS: readonly { name: string; of: (row: TopRow) => number }[] = [
  { name: 'segments resent', of: segmentsOf },
  { name: 'drops', of: ({ drops }) => drops },
  { name: 'resets', of: ({ resets }) => resets },
];

const weight = (row: TopRow): number => COUNTS.reduce((sum, { of }) => sum + of(row), 0);

const bar = (row: TopRow, most: number): string => '#'.repeat(most === 0 ? 0 : Math.ceil((BAR * weight(row)) / most));

function keyText(by: TopDimension, { key }: TopRow, names: NetnsNames): string {
  if (key === undefined) return '(unknown)';
  const name = names.get(key);
  const text = by === 'container' ? shortContainerId(key) : key;
  return escapeText(name === undefined ? text : `${text} ${name}`);
}
