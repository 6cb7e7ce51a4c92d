/** What the store can vouch for: when was the recorder running? */

import { formatDuration } from '../base/duration.ts';
import type { WallNs } from '../base/time.ts';
import { localTime } from '../event/local-time.ts';

/** Since `from`, before `until`. */
export interface Stretch {
  from: WallNs;
  until: WallNs;
}

/** Gaps named one by one; the rest is counted. */
const NAMED_GAPS = 3;

/** The parts of `asked` that lie in none of the `covered` stretches, in order */
export function gapsIn(asked: Stretch, covered: readonly Stretch[]): Stretch[] {
  const gaps: Stretch[] = [];
  let from = asked.from;
  const addGap = (until: WallNs): void => {
    if (until > from) gaps.push({ from, until });
  };
  for (const stretch of covered.toSorted((a, b) => (a.from < b.from ? -1 : 1))) {
    if (stretch.until <= from) continue;
    if (stretch.from >= asked.until) break;
    addGap(stretch.from);
    from = stretch.until;
  }
  addGap(asked.until);
  return gaps;
}

/** Whether an empty answer can be trusted, in words. */
export function coverageText(gaps: readonly Stretch[]): string {
  if (gaps.length === 0) return 'the recorder was running all that time';
  const named = gaps.slice(0, NAMED_GAPS).map((gap) => stretchText(gap));
  const more = gaps.length > NAMED_GAPS ? `, and ${gaps.length - NAMED_GAPS} more times` : '';
  return `the recorder was not running ${named.join(', ')}${more}`;
}

function stretchText({ from, until }: Stretch): string {
  return `from ${localTime(from, 0)} to ${localTime(until, 0)} (${formatDuration(until - from)})`;
}
