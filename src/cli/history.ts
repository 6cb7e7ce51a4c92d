/** What the store can vouch for: when was the recorder running? */

import { formatDuration } from '../base/duration.ts';
import { localTime } from '../event/local-time.ts';
import type { Stretch } from '../store/stretches.ts';

/** Gaps named one by one; the rest is counted. */
const NAMED_GAPS = 3;

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
