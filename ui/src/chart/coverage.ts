/** When the recorder could not see: bands that keep a quiet chart and a blind recorder apart. */

import type { Coverage } from '../api/types.ts';
import { parseTime } from '../format/time.ts';
import type { Span } from '../state/period.ts';

export type GapState = 'down' | 'lost' | 'limited' | 'blind' | 'before';

export interface Gap extends Span {
  readonly state: GapState;
  readonly why?: string;
  readonly count?: number;
}

/** The stretches in which something is missing, within the span; before the history begins nothing is known either. */
export function gapsOf(coverage: readonly Coverage[], span: Span, begins: number | undefined): Gap[] {
  const gaps: Gap[] = coverage.flatMap(({ state, from, until, why, count }) =>
    state === 'recording'
      ? []
      : [
          {
            state,
            from: parseTime(from),
            until: parseTime(until),
            ...(why && { why }),
            ...(count !== undefined && { count }),
          },
        ],
  );
  const before: Gap[] =
    begins === undefined || begins <= span.from ? [] : [{ state: 'before', from: span.from, until: begins }];
  const known = gaps.map((gap) =>
    before[0] && gap.state === 'down' ? { ...gap, from: Math.max(gap.from, before[0].until) } : gap,
  );
  return [...before, ...known]
    .filter(({ from, until, state }) => until >= span.from && from < span.until && (until > from || state !== 'down'))
    .map((gap) => ({ ...gap, from: Math.max(gap.from, span.from), until: Math.min(gap.until, span.until) }));
}

/** How much of the span the recorder was not running, in milliseconds. */
export const downTime = (gaps: readonly Gap[]): number =>
  gaps.reduce((sum, { state, from, until }) => sum + (state === 'down' ? until - from : 0), 0);

export const GAP_LABEL: Record<GapState, string> = {
  down: 'recorder down',
  lost: 'events lost',
  limited: 'counted only',
  blind: 'blind',
  before: 'no history',
};
