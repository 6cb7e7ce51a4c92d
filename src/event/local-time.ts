/** Wall-clock times in the local time zone (the TZ variable, or the host's), as a person reads them. */

import { floorDiv, NS_PER_S, nineDigits, type WallNs, wallToMs } from '../base/time.ts';

interface LocalSecond {
  readonly begin: bigint;
  readonly day: string;
  readonly clock: string;
}

/** The second that was written last: events come by time, and a date takes longer than the rest of a line. */
let lastSecond: LocalSecond | undefined;

function secondOf(time: WallNs): LocalSecond {
  if (lastSecond && time >= lastSecond.begin && time - lastSecond.begin < NS_PER_S) return lastSecond;
  const date = new Date(wallToMs(time));
  lastSecond = {
    begin: floorDiv(time, NS_PER_S) * NS_PER_S,
    day: `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`,
    clock: `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`,
  };
  return lastSecond;
}

/** The local calendar day: `2026-11-22`. */
export const localDay = (time: WallNs): string => secondOf(time).day;

/** The local time of day with `digits` (0 to 9) decimals of a second, cut, not rounded: `20:15:07.123456`. */
export function localClock(time: WallNs, digits: number): string {
  const { begin, clock } = secondOf(time);
  if (digits === 0) return clock;
  return `${clock}.${nineDigits(Number(time - begin)).slice(0, digits)}`;
}

/** Day and time of day; the day is left out when it is `hiddenDay`. */
export function localTime(time: WallNs, digits: number, hiddenDay?: string): string {
  const day = localDay(time);
  const clock = localClock(time, digits);
  return day === hiddenDay ? clock : `${day} ${clock}`;
}

const two = (value: number): string => String(value).padStart(2, '0');
