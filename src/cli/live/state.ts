/** What the live view shows, and how keys change it. Pure: the view draws it, the loop in top-live.ts fills it. */

import { TOP_DIMENSIONS, type TopDimension } from '../../event/filter.ts';
import type { Event } from '../../event/kinds.ts';
import type { TopRow } from '../../store/store.ts';

/** Losses of one second. */
export interface Rates {
  readonly segments: number;
  readonly drops: number;
  readonly resets: number;
}

export const SORTS = ['all', 'segments', 'drops', 'resets'] as const;
export type Sort = (typeof SORTS)[number];

/** Seconds that the table covers, from the shortest. */
export const WINDOWS = [10, 60, 300, 900, 3600] as const;

export interface Settings {
  readonly by: TopDimension;
  readonly sort: Sort;
  /** Place in {@link WINDOWS}. */
  readonly window: number;
  /** Rows and events that have this in their text; being typed while `isTyping`. */
  readonly search: string;
  readonly isTyping: boolean;
  readonly isPaused: boolean;
  readonly showsHelp: boolean;
  /** Benign drops too. */
  readonly all: boolean;
}

export const initialSettings = (by: TopDimension, all: boolean): Settings => ({
  by,
  sort: 'all',
  window: 1,
  search: '',
  isTyping: false,
  isPaused: false,
  showsHelp: false,
  all,
});

/** What was read from the store last. */
export interface Snapshot {
  /** Local time of day. */
  readonly clock: string;
  /** One a second, the newest last. */
  readonly history: readonly Rates[];
  readonly rows: readonly TopRow[];
  /** Newest first. */
  readonly events: readonly Event[];
  /** What to know of the recorder: that it is down, that the store cannot be read. */
  readonly alarm?: string;
}

/** @param key as the terminal sends it @returns 'quit', or the settings after it */
export function pressed(settings: Settings, key: string): Settings | 'quit' {
  if (key === '\x03') return 'quit';
  if (settings.isTyping) return typed(settings, key);
  switch (key) {
    case 'q':
    case '\x1b':
      return settings.showsHelp ? { ...settings, showsHelp: false } : 'quit';
    case '?':
    case 'h':
      return { ...settings, showsHelp: !settings.showsHelp };
    case '\t':
    case '\x1b[C':
      return { ...settings, by: next(TOP_DIMENSIONS, settings.by, 1) };
    case '\x1b[Z':
    case '\x1b[D':
      return { ...settings, by: next(TOP_DIMENSIONS, settings.by, -1) };
    case 's':
      return { ...settings, sort: next(SORTS, settings.sort, 1) };
    case '+':
    case '-':
      return { ...settings, window: clamped(settings.window + (key === '+' ? 1 : -1)) };
    case 'p':
    case ' ':
      return { ...settings, isPaused: !settings.isPaused };
    case 'a':
      return { ...settings, all: !settings.all };
    case '/':
      return { ...settings, isTyping: true, search: '' };
    default: {
      const by = TOP_DIMENSIONS[Number(key) - 1];
      return by === undefined ? settings : { ...settings, by };
    }
  }
}

function typed(settings: Settings, key: string): Settings {
  if (key === '\r' || key === '\n') return { ...settings, isTyping: false };
  if (key === '\x1b') return { ...settings, isTyping: false, search: '' };
  if (key === '\x7f' || key === '\b') return { ...settings, search: settings.search.slice(0, -1) };
  return /^[\x20-\x7e]+$/.test(key) ? { ...settings, search: settings.search + key } : settings;
}

function next<T>(values: readonly T[], value: T, step: number): T {
  return values[(values.indexOf(value) + step + values.length) % values.length] as T;
}

const clamped = (window: number): number => Math.min(WINDOWS.length - 1, Math.max(0, window));
