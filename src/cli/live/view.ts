/** The lines of the live view, for a terminal of a given size. Pure. */

import { displayWidth, escapeText, padTo } from '../../base/escape.ts';
import { TOP_DIMENSIONS } from '../../event/filter.ts';
import { formatEvent } from '../../event/text.ts';
import type { TopRow } from '../../store/store.ts';
import { type Rates, type Settings, type Snapshot, type Sort, WINDOWS } from './state.ts';

export interface Size {
  readonly columns: number;
  readonly rows: number;
}

const BLOCKS = ' ▁▂▃▄▅▆▇█';
const INVERSE = '\x1b[7m';
const BOLD = '\x1b[1m';
const ALARM = '\x1b[1;37;41m';
const DIM = '\x1b[2m';
const PLAIN = '\x1b[0m';

const KEYS = 'q quit  1-7 or tab: what to count by  s sort  +- period  / search  p pause  a benign  ? help';
const HELP: readonly string[] = [
  ...TOP_DIMENSIONS.map((by, i) => `${i + 1}         count by ${by}`),
  'tab       count by the next, shift-tab by the one before',
  's         sort by all losses, resent segments, drops or resets',
  '+ -       a longer or shorter period',
  '/         show what has the word that you type; Enter keeps it, Escape forgets it',
  'p, space  pause',
  'a         benign drops too',
  'q, Ctrl-C leave',
];
/** Lines above the table: title, rates, line of time, blank, head. */
const ABOVE = 5;

/** Exactly `size.rows` lines, none wider than the terminal. */
export function view(settings: Settings, snapshot: Snapshot, size: Size, color: boolean): string[] {
  const style = (code: string, text: string): string => (color && text !== '' ? `${code}${text}${PLAIN}` : text);
  const lines = [
    ...head(settings, snapshot, size, style),
    ...(settings.showsHelp ? HELP.map((line) => cut(line, size.columns)) : body(settings, snapshot, size, color)),
  ];
  const filled = [...lines, ...Array<string>(size.rows).fill('')].slice(0, Math.max(0, size.rows - 1));
  return [...filled, style(INVERSE, padTo(cut(footer(settings), size.columns), size.columns))];
}

type StyleText = (code: string, text: string) => string;

function head(settings: Settings, { clock, history, alarm }: Snapshot, { columns }: Size, style: StyleText): string[] {
  const period = periodText(WINDOWS[settings.window] as number);
  const title = `losslog top  ${clock}  by ${settings.by}, last ${period}${settings.isPaused ? '  PAUSED' : ''}`;
  const { segments, drops, resets } = history.at(-1) ?? { segments: 0, drops: 0, resets: 0 };
  const rates = `now: ${segments} segments resent/s  ${drops} drops/s  ${resets} resets/s`;
  return [
    style(BOLD, cut(title, columns)),
    alarm === undefined ? cut(rates, columns) : style(ALARM, cut(alarm, columns)),
    cut(sparkline(history, columns), columns),
    '',
  ];
}

const periodText = (seconds: number): string =>
  seconds < 60 ? `${seconds} s` : seconds < 3600 ? `${seconds / 60} min` : '1 h';

/** All losses of each second, the highest column being the largest. */
export function sparkline(history: readonly Rates[], columns: number): string {
  const losses = history.slice(-columns).map(({ segments, drops, resets }) => segments + drops + resets);
  const most = Math.max(1, ...losses);
  return losses.map((loss) => BLOCKS[loss === 0 ? 0 : Math.max(1, Math.round((loss / most) * 8))]).join('');
}

function body(
  settings: Settings,
  { rows, events }: Snapshot,
  { columns, rows: height }: Size,
  color: boolean,
): string[] {
  const room = Math.max(0, height - ABOVE - 1);
  const eventRoom = Math.min(Math.floor(room / 3), 12);
  const tableRoom = Math.max(0, room - eventRoom - (eventRoom > 0 ? 1 : 0));
  const table = tableLines(settings, rows, columns).slice(0, tableRoom + 1);
  const newest = events
    .map((event) => formatEvent(event, { width: columns, color: false }))
    .filter((line) => matches(line, settings.search))
    .slice(0, eventRoom)
    .map((line) => cut(line, columns));
  const dim = (line: string): string => (color ? `${DIM}${line}${PLAIN}` : line);
  const padded = [...table, ...Array<string>(tableRoom + 1).fill('')].slice(0, tableRoom + 1);
  return eventRoom === 0 ? padded : [...padded, cut('newest:', columns), ...newest.map(dim)];
}

const COLUMNS: readonly { name: string; of: (row: TopRow) => number }[] = [
  { name: 'segments resent', of: ({ segments, retransmissions }) => Math.max(segments, retransmissions) },
  { name: 'drops', of: ({ drops }) => drops },
  { name: 'resets', of: ({ resets }) => resets },
];
const NUMBERS_WIDTH = COLUMNS.reduce((sum, { name }) => sum + 2 + name.length, 0);

function tableLines({ by, sort, search }: Settings, rows: readonly TopRow[], columns: number): string[] {
  const nameWidth = Math.max(8, columns - NUMBERS_WIDTH);
  const named = rows.map((row) => ({ row, name: row.key === undefined ? '(unknown)' : escapeText(row.key) }));
  const shown = named
    .filter(({ name }) => matches(name, search))
    .sort((a, b) => weight(b.row, sort) - weight(a.row, sort));
  const title = padTo(by, nameWidth) + COLUMNS.map(({ name }) => `  ${name}`).join('');
  const lines = shown.map(
    ({ row, name }) =>
      padTo(cut(name, nameWidth), nameWidth) +
      COLUMNS.map((column) => `  ${String(column.of(row)).padStart(column.name.length)}`).join(''),
  );
  if (lines.length === 0) lines.push(search === '' ? 'nothing was lost in this period' : `nothing has "${search}"`);
  return [title, ...lines].map((line) => cut(line, columns));
}

function weight(row: TopRow, sort: Sort): number {
  const [segments = 0, drops = 0, resets = 0] = COLUMNS.map(({ of }) => of(row));
  return { all: segments + drops + resets, segments, drops, resets }[sort];
}

const matches = (text: string, search: string): boolean => text.toLowerCase().includes(search.toLowerCase());

function footer({ isTyping, search, sort, all }: Settings): string {
  if (isTyping) return `search: ${search}_`;
  const state = [
    search === '' ? '' : `search: ${search}`,
    sort === 'all' ? '' : `by ${sort}`,
    all ? 'with benign' : '',
  ];
  return [...state.filter(Boolean), KEYS].join('  ');
}

/** The text as far as it fits. */
function cut(text: string, columns: number): string {
  if (displayWidth(text) <= columns) return text;
  let kept = '';
  for (const character of text) {
    if (displayWidth(kept + character) > columns) break;
    kept += character;
  }
  return kept;
}
