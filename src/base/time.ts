/**
 * Time as branded bigint nanoseconds, so that a wall-clock time and a time since boot cannot be mixed up.
 */

declare const brand: unique symbol;

/** Nanoseconds since 1970-01-01T00:00:00Z (CLOCK_REALTIME). */
export type WallNs = bigint & { readonly [brand]: 'wall' };
/** Nanoseconds since boot, suspend included (CLOCK_BOOTTIME, `bpf_ktime_get_boot_ns`). */
export type BootNs = bigint & { readonly [brand]: 'boot' };

export const NS_PER_US = 1_000n;
export const NS_PER_MS = 1_000_000n;
export const NS_PER_S = 1_000_000_000n;
export const NS_PER_MINUTE = 60n * NS_PER_S;
export const NS_PER_HOUR = 3600n * NS_PER_S;
export const NS_PER_DAY = 24n * NS_PER_HOUR;

export const wallNs = (value: bigint): WallNs => value as WallNs;
export const bootNs = (value: bigint): BootNs => value as BootNs;

/** Wall time from milliseconds since 1970, as `Date.now()` gives them. */
export const wallFromMs = (ms: number): WallNs => wallNs(BigInt(Math.round(ms * 1000)) * NS_PER_US);

/** Milliseconds since 1970. Lossy: drops what is below a millisecond. */
export const wallToMs = (time: WallNs): number => Number(floorDiv(time, NS_PER_MS));

/** The second that was written last: events come by time, and a date takes longer than the rest. */
let lastSecond = { begin: 0n, text: '1970-01-01T00:00:00' };

/** RFC 3339 in UTC with nine digits: `2026-11-22T20:15:00.000000001Z`. */
export function formatWall(time: WallNs): string {
  let offset = Number(time - lastSecond.begin);
  if (offset < 0 || offset >= 1e9) {
    const seconds = floorDiv(time, NS_PER_S);
    const begin = seconds * NS_PER_S;
    lastSecond = { begin, text: new Date(Number(seconds) * 1000).toISOString().slice(0, -5) };
    offset = Number(time - begin);
  }
  return `${lastSecond.text}.${nineDigits(offset)}Z`;
}

/** Nanoseconds within a second, 0 to 999,999,999, with leading zeros. */
export const nineDigits = (ns: number): string => String(1e9 + ns).slice(1);

const RFC3339 = /^(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d):(\d\d)(?:\.(\d{1,9})\d*)?([Zz]|[+-]\d\d:?\d\d)$/;

/**
 * Reads RFC 3339 (up to nanoseconds; further digits are cut), or undefined when the text is not of that form or that day
 * or time does not exist (`Date.parse` alone takes 30 February for 2 March). Leap seconds are not accepted.
 */
export function parseRfc3339(text: string): WallNs | undefined {
  const match = RFC3339.exec(text);
  if (!match) return undefined;
  const [, year, month, day, hour, minute, second, fraction = '', zone = 'Z'] = match;
  const offset = zone.toUpperCase() === 'Z' ? 'Z' : `${zone.slice(0, 3)}:${zone.slice(-2)}`;
  const ms = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}${offset}`);
  const daysInMonth = new Date(Date.UTC(Number(year), Number(month), 0)).getUTCDate();
  if (Number.isNaN(ms) || Number(day) > daysInMonth || Number(hour) > 23) return undefined;
  return wallNs(BigInt(ms) * NS_PER_MS + BigInt(fraction.padEnd(9, '0')));
}

/** Division that rounds towards minus infinity, so that times before 1970 or before an epoch land in the right slot. */
export function floorDiv(value: bigint, divisor: bigint): bigint {
  const quotient = value / divisor;
  return value % divisor !== 0n && value < 0n !== divisor < 0n ? quotient - 1n : quotient;
}
