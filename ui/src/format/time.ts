/** Times as text, in the zone that the reader chose. */

export type Zone = 'local' | 'utc';

interface Clock {
  year: number;
  month: number;
  day: number;
  hour: number;
  minute: number;
  second: number;
  ms: number;
}

function clockOf(ms: number, zone: Zone): Clock {
  const date = new Date(ms);
  if (zone === 'utc') {
    return {
      year: date.getUTCFullYear(),
      month: date.getUTCMonth(),
      day: date.getUTCDate(),
      hour: date.getUTCHours(),
      minute: date.getUTCMinutes(),
      second: date.getUTCSeconds(),
      ms: date.getUTCMilliseconds(),
    };
  }
  return {
    year: date.getFullYear(),
    month: date.getMonth(),
    day: date.getDate(),
    hour: date.getHours(),
    minute: date.getMinutes(),
    second: date.getSeconds(),
    ms: date.getMilliseconds(),
  };
}

const two = (value: number): string => String(value).padStart(2, '0');

/** `2026-11-25` */
export function dayText(ms: number, zone: Zone): string {
  const { year, month, day } = clockOf(ms, zone);
  return `${year}-${two(month + 1)}-${two(day)}`;
}

/** `14:05:07.123`; with `digits` decimals of a second (0 to 3). */
export function clockText(ms: number, zone: Zone, digits = 0): string {
  const { hour, minute, second, ms: rest } = clockOf(ms, zone);
  const fraction = digits === 0 ? '' : `.${String(rest).padStart(3, '0').slice(0, digits)}`;
  return `${two(hour)}:${two(minute)}:${two(second)}${fraction}`;
}

/** `14:05` */
export const minuteText = (ms: number, zone: Zone): string => clockText(ms, zone).slice(0, 5);

/** Milliseconds since 1970 of RFC 3339 text with up to nine digits; digits below the millisecond are cut. */
export const parseTime = (text: string): number => Date.parse(text.replace(/(\.\d{3})\d+/, '$1'));

/** Milliseconds from one time to another, with the digits below a millisecond. */
export function elapsedMs(from: string, until: string): number {
  const below = (text: string): number => Number(`0.${/\.\d{3}(\d{1,6})/.exec(text)?.[1] ?? '0'}`);
  return parseTime(until) - parseTime(from) + below(until) - below(from);
}

/** The time one nanosecond after that. */
export function afterNs(time: string): string {
  const match = /^(.*:\d\d)(?:\.(\d{1,9}))?Z$/.exec(time);
  if (!match) return time;
  const [, whole = '', fraction = ''] = match;
  const next = Number(fraction.padEnd(9, '0')) + 1;
  if (next < 1e9) return `${whole}.${String(next).padStart(9, '0')}Z`;
  return `${new Date(Date.parse(`${whole}Z`) + 1000).toISOString().slice(0, -5)}.000000000Z`;
}

/** RFC 3339 in UTC with milliseconds. */
export const rfc3339 = (ms: number): string => new Date(ms).toISOString();

/** The time of day of an event to the microsecond: `14:05:07.123456`. */
export function eventClock(time: string, zone: Zone): string {
  const digits = /\.(\d{1,9})/.exec(time)?.[1]?.padEnd(6, '0').slice(0, 6) ?? '000000';
  return `${clockText(parseTime(time), zone)}.${digits}`;
}

/** `UTC`, `UTC+1`, `UTC-3:30`: what the zone is at that time. */
export function zoneText(ms: number, zone: Zone): string {
  const minutes = zone === 'utc' ? 0 : -new Date(ms).getTimezoneOffset();
  if (minutes === 0) return 'UTC';
  const hours = Math.trunc(Math.abs(minutes) / 60);
  const rest = Math.abs(minutes) % 60;
  return `UTC${minutes < 0 ? '-' : '+'}${hours}${rest === 0 ? '' : `:${two(rest)}`}`;
}

const UNITS: readonly (readonly [number, string])[] = [
  [86_400_000, 'd'],
  [3_600_000, 'h'],
  [60_000, 'm'],
  [1000, 's'],
  [1, 'ms'],
];

/** Two leading units at most: `1h 30m`, `250ms`, `0.4ms`. */
export function durationText(ms: number): string {
  if (ms < 1) return `${Math.round(ms * 1000)}us`;
  const at = UNITS.findIndex(([size]) => ms >= size);
  const [size, name] = UNITS[at] as readonly [number, string];
  const next = UNITS[at + 1];
  if (size === 1000) return `${ms < 10_000 ? Number((ms / 1000).toPrecision(2)) : Math.round(ms / 1000)}s`;
  if (!next) return `${Math.round(ms)}ms`;
  const whole = Math.floor(ms / size);
  const rest = Math.floor((ms % size) / next[0]);
  return rest === 0 ? `${whole}${name}` : `${whole}${name} ${rest}${next[1]}`;
}

/** How far back that is: `just now`, `5m ago`. */
export const agoText = (ms: number): string => (ms < 2000 ? 'just now' : `${durationText(ms).split(' ')[0]} ago`);

/**
 * What a person types into a field of time, in their zone: `2026-11-22 20:15:07`, `20:15`, `yesterday 14:05`, RFC 3339, `now`, `-2h`.
 * @returns milliseconds since 1970, or undefined when it is none
 */
export function readTime(text: string, now: number, zone: Zone): number | undefined {
  const trimmed = text.trim().toLowerCase();
  if (trimmed === 'now') return now;
  const back = readBack(trimmed);
  if (back !== undefined) return now - back;
  if (/t.*(z|[+-]\d\d:?\d\d)$/.test(trimmed)) {
    const ms = parseTime(text.trim().toUpperCase());
    return Number.isNaN(ms) ? undefined : ms;
  }
  const match = /^(?:(\d{4}-\d\d-\d\d|yesterday|today)[ t]?)?(?:(\d\d?):(\d\d)(?::(\d\d)(?:\.(\d{1,3}))?)?)?$/.exec(
    trimmed,
  );
  if (!match || trimmed === '') return undefined;
  const [, day, hour = '0', minute = '0', second = '0', fraction = '0'] = match;
  if (Number(hour) > 23 || Number(minute) > 59 || Number(second) > 59) return undefined;
  const clock = [Number(hour), Number(minute), Number(second), Number(fraction.padEnd(3, '0'))] as const;
  const at = atClock(day, clock, now, zone);
  // A bare time of day is the latest one that has passed, as on the command line.
  return day === undefined && at > now ? at - 86_400_000 : at;
}

/** Milliseconds of `-2h`, `-90s`, `-1d12h`. */
export function readBack(text: string): number | undefined {
  if (!/^-(\d+(ms|s|m|h|d|w))+$/.test(text)) return undefined;
  const sizes: Record<string, number> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 };
  return [...text.matchAll(/(\d+)(ms|s|m|h|d|w)/g)].reduce(
    (sum, [, count, unit]) => sum + Number(count) * (sizes[unit as string] as number),
    0,
  );
}

function atClock(
  day: string | undefined,
  [hour, minute, second, ms]: readonly [number, number, number, number],
  now: number,
  zone: Zone,
): number {
  const base = day === 'yesterday' ? dayText(startOfDay(now, zone) - 1, zone) : dayText(now, zone);
  const [year = 0, month = 1, date = 1] = (day && /^\d/.test(day) ? day : base).split('-').map(Number);
  return zone === 'utc'
    ? Date.UTC(year, month - 1, date, hour, minute, second, ms)
    : new Date(year, month - 1, date, hour, minute, second, ms).getTime();
}

/** Midnight before that time. */
export function startOfDay(ms: number, zone: Zone): number {
  const { year, month, day } = clockOf(ms, zone);
  return zone === 'utc' ? Date.UTC(year, month, day) : new Date(year, month, day).getTime();
}
