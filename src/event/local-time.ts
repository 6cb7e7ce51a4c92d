/** Wall-clock times in the local time zone (the TZ variable, or the host's), as a person reads them. */

import { floorDiv, NS_PER_S, type WallNs, wallToMs } from '../base/time.ts';

/** The local calendar day: `2026-11-22`. */
export function localDay(time: WallNs): string {
  const date = new Date(wallToMs(time));
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
}

/** The local time of day with `digits` (0 to 9) decimals of a second, cut, not rounded: `20:15:07.123456`. */
export function localClock(time: WallNs, digits: number): string {
  const date = new Date(wallToMs(time));
  const clock = `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
  if (digits === 0) return clock;
  const fraction = time - floorDiv(time, NS_PER_S) * NS_PER_S;
  return `${clock}.${String(fraction).padStart(9, '0').slice(0, digits)}`;
}

/** Day and time of day; the day is left out when it is `hiddenDay`. */
export function localTime(time: WallNs, digits: number, hiddenDay?: string): string {
  const day = localDay(time);
  const clock = localClock(time, digits);
  return day === hiddenDay ? clock : `${day} ${clock}`;
}

const two = (value: number): string => String(value).padStart(2, '0');
