/** `GET /api/v1/series` */

import { LosslogError } from '../../base/errors.ts';
import {
  floorDiv,
  formatWall,
  NS_PER_DAY,
  NS_PER_HOUR,
  NS_PER_MINUTE,
  NS_PER_MS,
  NS_PER_S,
  type WallNs,
  wallNs,
} from '../../base/time.ts';
import { choice } from '../../base/values.ts';
import { DROP_CLASSES } from '../../event/kinds.ts';
import { type Grid, gridEnd, type SeriesRow } from '../../store/series.ts';
import { defineEndpoint } from '../endpoint.ts';
import { filterParameters, toFilter } from '../filters.ts';
import { coverageSchema, leftOutSchema, skippedSchema, timeSchema } from '../schemas.ts';
import { coverageJson } from './coverage.ts';
import { leftOut, skipped } from './remarks.ts';

/** Points of an answer at most. */
const MAX_POINTS = 2000;
/** What step=auto aims at, at most. */
const AUTO_POINTS = 400;
/** Series of each kind that are told apart; the others are added up. */
const MAX_SERIES = 24;
const GROUPS = ['what', 'kind'] as const;

/** Steps that step=auto chooses from, the shortest that gives few enough points. */
const STEPS: readonly bigint[] = [
  ...[1n, 2n, 5n, 10n, 20n, 50n, 100n, 200n, 500n].map((ms) => ms * NS_PER_MS),
  ...[1n, 2n, 5n, 10n, 15n, 30n].map((seconds) => seconds * NS_PER_S),
  ...[1n, 2n, 5n, 10n, 15n, 30n].map((minutes) => minutes * NS_PER_MINUTE),
  ...[1n, 2n, 3n, 6n, 12n].map((hours) => hours * NS_PER_HOUR),
  ...[1n, 2n, 7n, 30n, 365n].map((days) => days * NS_PER_DAY),
];

/** A step in nanoseconds, or undefined for auto. @throws USAGE */
function parseStep(text: string): bigint | undefined {
  if (text === 'auto') return undefined;
  const ms = /^\d{1,9}(?:\.\d{1,3})?$/.test(text) ? Math.round(Number(text) * 1000) : 0;
  if (ms === 0)
    throw new LosslogError('USAGE', `"${text}" is not a step`, { hint: 'give auto, or seconds like 60 or 0.1' });
  return BigInt(ms) * NS_PER_MS;
}

const parameters = {
  ...filterParameters,
  step: {
    doc: `Seconds from one point to the next (a fraction, down to 0.001, is allowed), at most ${MAX_POINTS} points; auto gives ${AUTO_POINTS} at most.`,
    schema: { type: 'string', default: 'auto', examples: ['auto', '60', '0.1'] },
    parse: parseStep,
  },
  by: {
    doc: 'Whether causes and reasons are told apart (what), or only kinds of events.',
    schema: { type: 'string', enum: GROUPS, default: 'what' },
    parse: choice('group', GROUPS),
  },
} as const;

export const series = defineEndpoint({
  path: '/api/v1/series',
  summary: 'counts by time: retransmitted segments by cause, drops and resets by reason, and the coverage of that time',
  parameters,
  schema: {
    type: 'object',
    required: ['from', 'until', 'stepMs', 'series', 'coverage', 'leftOut'],
    properties: {
      from: timeSchema('Begin of the first step: `since`, back to a whole step.'),
      until: timeSchema('End of the last step: `until`, forward to a whole step.'),
      stepMs: { type: 'integer', minimum: 1, description: 'Length of a step.' },
      series: {
        type: 'array',
        description: 'By kind, those with the most first.',
        items: {
          type: 'object',
          required: ['kind', 'counts'],
          properties: {
            kind: { type: 'string', enum: ['retransmit', 'drop', 'reset', 'counter'] },
            what: {
              type: 'string',
              description:
                'Cause of a retransmission, reason of a drop or reset, name of a counter; absent where it is not known.',
            },
            class: { type: 'string', enum: DROP_CLASSES, description: 'Of drops and counters.' },
            other: { const: true, description: `The sum of what comes after the first ${MAX_SERIES} of the kind.` },
            counts: {
              type: 'array',
              items: { type: 'integer', minimum: 0 },
              description: 'For each step: segments of retransmissions, packets of drops, resets, growth of counters.',
            },
          },
        },
      },
      coverage: {
        type: 'array',
        items: coverageSchema,
        description: 'When the recorder was running, and what it could not see.',
      },
      leftOut: leftOutSchema,
      skipped: skippedSchema,
    },
  },
  answer: ({ reader, now }, { step, by, ...values }) => {
    const filter = toFilter(values);
    const { begins, sessions } = reader.coverage();
    const from = values.since ?? begins ?? now;
    const until = values.until ?? now;
    const grid = gridOf(from, until > from ? until : wallNs(from + 1n), step);
    const rows = bounded(grouped(reader.series(filter, grid), by ?? 'what'));
    const head = {
      from: formatWall(grid.from),
      until: formatWall(gridEnd(grid)),
      stepMs: Number(grid.stepNs / NS_PER_MS),
    };
    const tail = { leftOut: leftOut(reader, filter), ...skipped(reader) };
    const stretches = coverageJson(reader, sessions, { from: grid.from, until: earlier(gridEnd(grid), now) }, now);
    return `${JSON.stringify({ ...head, series: rows }).slice(0, -1)},"coverage":${stretches},${JSON.stringify(tail).slice(1)}`;
  },
});

/** @throws USAGE when the step makes too many points. */
function gridOf(from: WallNs, until: WallNs, step: bigint | undefined): Grid {
  const fitting = (stepNs: bigint): Grid => {
    const first = floorDiv(from, stepNs);
    return { from: wallNs(first * stepNs), stepNs, points: Number(-floorDiv(-until, stepNs) - first) };
  };
  if (step === undefined) {
    const stepNs = STEPS.find((candidate) => fitting(candidate).points <= AUTO_POINTS) ?? (STEPS.at(-1) as bigint);
    return fitting(stepNs);
  }
  const grid = fitting(step);
  if (grid.points > MAX_POINTS) {
    throw new LosslogError('USAGE', `step makes ${grid.points} points of that time`, {
      hint: `at most ${MAX_POINTS} are given: choose a longer step, a shorter time, or step=auto`,
    });
  }
  return grid;
}

const earlier = (a: WallNs, b: WallNs): WallNs => (a < b ? a : b);

type AnsweredRow = SeriesRow & { other?: true };

function grouped(rows: readonly SeriesRow[], by: (typeof GROUPS)[number]): AnsweredRow[] {
  if (by === 'what') return [...rows];
  return [...Map.groupBy(rows, ({ kind }) => kind)].map(([kind, same]) => ({ kind, counts: sum(same) }));
}

function bounded(rows: readonly AnsweredRow[]): AnsweredRow[] {
  return [...Map.groupBy(rows, ({ kind }) => kind)].flatMap(([kind, same]) => {
    const rest = same.slice(MAX_SERIES);
    return rest.length === 0 ? same : [...same.slice(0, MAX_SERIES), { kind, other: true as const, counts: sum(rest) }];
  });
}

function sum(rows: readonly SeriesRow[]): number[] {
  const counts = (rows[0] as SeriesRow).counts.slice();
  for (const row of rows.slice(1))
    row.counts.forEach((count, i) => {
      counts[i] = (counts[i] as number) + count;
    });
  return counts;
}
