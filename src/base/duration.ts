/** Durations as people write them: `10s`, `1h30m`, `500ms`. */

import { LosslogError } from './errors.ts';
import { NS_PER_DAY, NS_PER_HOUR, NS_PER_MINUTE, NS_PER_MS, NS_PER_S, NS_PER_US } from './time.ts';

const UNITS: ReadonlyMap<string, bigint> = new Map([
  ['ns', 1n],
  ['us', NS_PER_US],
  ['ms', NS_PER_MS],
  ['s', NS_PER_S],
  ['m', NS_PER_MINUTE],
  ['h', NS_PER_HOUR],
  ['d', NS_PER_DAY],
  ['w', 7n * NS_PER_DAY],
]);
const PART = /(\d{1,12})(?:\.(\d{1,9}))?(ns|us|ms|s|m|h|d|w)/y;

/** Nanoseconds of a duration such as `90s`, `1.5h` or `1h30m`. @throws USAGE when it is none, or zero. */
export function parseDuration(text: string): bigint {
  const ns = sumOfParts(text);
  if (ns === undefined || ns === 0n) {
    throw new LosslogError('USAGE', `"${text}" is not a duration`, {
      hint: 'give it like 10s, 5m, 1h30m, 2d or 500ms',
    });
  }
  return ns;
}

function sumOfParts(text: string): bigint | undefined {
  let sum = 0n;
  PART.lastIndex = 0;
  for (let end = 0; end < text.length; end = PART.lastIndex) {
    const match = PART.exec(text);
    if (!match) return undefined;
    const [, whole = '', fraction = '', unit = ''] = match;
    const unitNs = UNITS.get(unit) as bigint;
    sum += BigInt(whole) * unitNs + (BigInt(fraction.padEnd(9, '0')) * unitNs) / NS_PER_S;
  }
  return sum;
}

/** Two leading units at most, cut, not rounded: `450us`, `1.2ms`, `12s`, `1h30m`, `3d2h`. */
export function formatDuration(ns: bigint): string {
  if (ns < 0n) return `-${formatDuration(-ns)}`;
  if (ns < NS_PER_US) return `${ns}ns`;
  if (ns < NS_PER_MS) return `${tenths(ns, NS_PER_US)}us`;
  if (ns < NS_PER_S) return `${tenths(ns, NS_PER_MS)}ms`;
  if (ns < NS_PER_MINUTE) return `${tenths(ns, NS_PER_S)}s`;
  if (ns < NS_PER_HOUR) return twoUnits(ns, NS_PER_MINUTE, 'm', NS_PER_S, 's');
  if (ns < NS_PER_DAY) return twoUnits(ns, NS_PER_HOUR, 'h', NS_PER_MINUTE, 'm');
  return twoUnits(ns, NS_PER_DAY, 'd', NS_PER_HOUR, 'h');
}

/** One decimal below ten, where it says something; none above. */
function tenths(ns: bigint, unit: bigint): string {
  const tenth = (ns * 10n) / unit;
  return tenth < 100n && tenth % 10n !== 0n ? `${tenth / 10n}.${tenth % 10n}` : String(tenth / 10n);
}

function twoUnits(ns: bigint, big: bigint, bigName: string, small: bigint, smallName: string): string {
  const rest = (ns % big) / small;
  return `${ns / big}${bigName}${rest === 0n ? '' : `${rest}${smallName}`}`;
}
