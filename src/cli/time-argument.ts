/** Reads the times that people type: `--since -2h`, `--until "yesterday 14:05"`. */

import { parseDuration } from '../base/duration.ts';
import { LosslogError } from '../base/errors.ts';
import { NS_PER_MS, parseRfc3339, type WallNs, wallNs, wallToMs } from '../base/time.ts';

const HINT =
  'give it like "2026-11-22 20:15", 20:15, -2h, now, today, yesterday, "yesterday 14:05" or "last thursday 14:05"';
const WEEKDAYS = ['sunday', 'monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday'];

const CLOCK = String.raw`(?<hour>\d{1,2}):(?<minute>\d\d)(?::(?<second>\d\d)(?:[.,](?<fraction>\d{1,9}))?)?`;
const ZONE = String.raw`(?<zone>z|[+-]\d\d:?\d\d)?`;
const DATE = new RegExp(String.raw`^(?:(?<year>\d{4})-)?(?<month>\d\d)-(?<date>\d\d)(?:[t ]\s*${CLOCK}${ZONE})?$`);
const WORD = new RegExp(String.raw`^(?:(?<last>last)\s+)?(?<word>[a-z]+)(?:\s+(?:at\s+)?${CLOCK})?$`);
const CLOCK_ONLY = new RegExp(`^${CLOCK}$`);

interface Day {
  year: number;
  /** 0 to 11. */
  month: number;
  date: number;
}

type Groups = Record<string, string | undefined>;

/**
 * A point in time from what a person types, in the local time zone unless the text names one: RFC 3339; a date with or
 * without a time (`2026-11-22`, `11-22 20:15:07.123`); a time of day; `-2h` before now; `now`, `today`, `yesterday`, a
 * weekday, each with an optional time. Where a day or year is left out, the latest that is not in the future is meant.
 *
 * @throws USAGE when it is no time, when that day does not exist, or when the clock showed it twice or never (the
 * change to and from summer time).
 */
export function parseTimeArgument(text: string, now: WallNs): WallNs {
  const plain = text.trim().toLowerCase();
  const exact = parseRfc3339(plain);
  if (exact !== undefined) return exact;
  if (plain === 'now') return now;
  if (/^-\d/.test(plain)) return before(text, plain.slice(1), now);
  const time = fromDate(plain, text, now) ?? fromWord(plain, text, now) ?? fromClock(plain, text, now);
  if (time === undefined) throw notATime(text);
  return time;
}

const notATime = (text: string): LosslogError => new LosslogError('USAGE', `"${text}" is not a time`, { hint: HINT });

function before(text: string, duration: string, now: WallNs): WallNs {
  try {
    return wallNs(now - parseDuration(duration));
  } catch {
    throw notATime(text);
  }
}

function fromDate(plain: string, text: string, now: WallNs): WallNs | undefined {
  const groups = DATE.exec(plain)?.groups;
  if (!groups) return undefined;
  const at = (year: number): WallNs => {
    const day = { year, month: Number(groups.month) - 1, date: Number(groups.date) };
    return groups.zone ? inZone(day, groups, text) : onDay(day, groups, text);
  };
  if (groups.year !== undefined) return at(Number(groups.year));
  const thisYear = new Date(wallToMs(now)).getFullYear();
  const time = at(thisYear);
  return time <= now ? time : at(thisYear - 1);
}

/** RFC 3339 but for the seconds, which may be missing. */
function inZone({ year, month, date }: Day, groups: Groups, text: string): WallNs {
  const clock = `${groups.hour?.padStart(2, '0')}:${groups.minute}:${groups.second ?? '00'}.${groups.fraction ?? '0'}`;
  const day = `${year}-${String(month + 1).padStart(2, '0')}-${String(date).padStart(2, '0')}`;
  const time = parseRfc3339(`${day}T${clock}${groups.zone}`);
  if (time === undefined) throw notATime(text);
  return time;
}

function fromWord(plain: string, text: string, now: WallNs): WallNs | undefined {
  const groups = WORD.exec(plain)?.groups;
  const word = groups?.word;
  if (!groups || word === undefined) return undefined;
  if (!groups.last && word === 'today') return onDay(dayBefore(now, 0), groups, text);
  if (!groups.last && word === 'yesterday') return onDay(dayBefore(now, 1), groups, text);
  const weekday = WEEKDAYS.findIndex((name) => name === word || name.slice(0, 3) === word);
  if (weekday < 0) return undefined;
  const back = (new Date(wallToMs(now)).getDay() - weekday + 7) % 7;
  const time = onDay(dayBefore(now, groups.last && back === 0 ? 7 : back), groups, text);
  return time <= now ? time : onDay(dayBefore(now, back + 7), groups, text);
}

function fromClock(plain: string, text: string, now: WallNs): WallNs | undefined {
  const groups = CLOCK_ONLY.exec(plain)?.groups;
  if (!groups) return undefined;
  const time = onDay(dayBefore(now, 0), groups, text);
  return time <= now ? time : onDay(dayBefore(now, 1), groups, text);
}

/** The local calendar day `count` days before that of `now`. */
function dayBefore(now: WallNs, count: number): Day {
  const date = new Date(wallToMs(now));
  const day = new Date(date.getFullYear(), date.getMonth(), date.getDate() - count, 12);
  return { year: day.getFullYear(), month: day.getMonth(), date: day.getDate() };
}

function onDay(day: Day, groups: Groups, text: string): WallNs {
  const [hour, minute, second] = [groups.hour, groups.minute, groups.second].map((part) => Number(part ?? 0));
  const asUtc = Date.UTC(day.year, day.month, day.date, hour, minute, second);
  const fields = new Date(asUtc);
  const valid = (hour as number) < 24 && (minute as number) < 60 && (second as number) < 60;
  if (!valid || fields.getUTCMonth() !== day.month || fields.getUTCDate() !== day.date) throw notATime(text);
  const ms = localToUtc(asUtc, text);
  return wallNs(BigInt(ms) * NS_PER_MS + BigInt((groups.fraction ?? '').padEnd(9, '0')));
}

/**
 * The moment at which the local clock shows what a UTC clock shows at `asUtc` (ms). Tries the offsets in force a day
 * before and after: they differ around a change of the clocks, when a local time exists twice or not at all.
 */
function localToUtc(asUtc: number, text: string): number {
  const dayMs = 86_400_000;
  const offsets = [asUtc - dayMs, asUtc + dayMs].map((ms) => new Date(ms).getTimezoneOffset() * 60_000);
  const moments = [...new Set(offsets)]
    .map((offset) => asUtc + offset)
    .filter((ms) => ms - new Date(ms).getTimezoneOffset() * 60_000 === asUtc);
  const [moment, second] = moments;
  if (moment === undefined || second !== undefined) {
    const what = moment === undefined ? 'did not occur' : 'occurred twice';
    throw new LosslogError('USAGE', `"${text}" ${what} here: the clocks were changed`, {
      hint: `give it with an offset from UTC, like ${new Date(asUtc).toISOString().slice(0, -5)}+01:00`,
    });
  }
  return moment;
}
