/** `GET /api/v1/events` */

import { escapeJson } from '../../base/escape.ts';
import { formatWall } from '../../base/time.ts';
import { choice, integer } from '../../base/values.ts';
import { toJson } from '../../event/json.ts';
import { defineEndpoint } from '../endpoint.ts';
import { filterParameters, toFilter } from '../filters.ts';
import { eventSchema, leftOutSchema, skippedSchema, timeSchema } from '../schemas.ts';
import { listAnswer } from './list-answer.ts';
import { leftOut, skipped } from './remarks.ts';

const DEFAULT_LIMIT = 100;
const MAX_LIMIT = 10_000;
const ORDERS = ['newest', 'oldest'] as const;

const parameters = {
  ...filterParameters,
  order: {
    doc: 'Which end of the period the events are taken from, and come first (newest).',
    schema: { type: 'string', enum: ORDERS, default: 'newest' },
    parse: choice('order', ORDERS),
  },
  limit: {
    doc: `How many events at most; as NDJSON there is no upper bound, and 0 stands for all.`,
    schema: { type: 'integer', minimum: 0, maximum: MAX_LIMIT, default: DEFAULT_LIMIT },
    parse: integer('limit', 0, 1_000_000_000),
  },
} as const;

export const events = defineEndpoint({
  path: '/api/v1/events',
  summary: 'events by time',
  parameters,
  schema: {
    type: 'object',
    required: ['events', 'leftOut', 'more'],
    properties: {
      events: { type: 'array', items: eventSchema },
      leftOut: leftOutSchema,
      more: { type: 'boolean', description: 'There are further events in that direction.' },
      begins: timeSchema('Since when the store has a history; absent when it is empty.'),
      skipped: skippedSchema,
    },
  },
  answer: ({ reader }, values) => {
    const filter = toFilter(values);
    const limit = Math.min(values.limit ?? DEFAULT_LIMIT, MAX_LIMIT);
    const found = [...reader.events(filter, { order: values.order ?? 'newest', limit: limit + 1 })];
    const lines = found.slice(0, limit).map((event) => escapeJson(toJson(event)));
    const begins = reader.begins();
    return listAnswer('events', lines, {
      leftOut: leftOut(reader, filter),
      more: found.length > limit,
      ...(begins === undefined ? {} : { begins: formatWall(begins) }),
      ...skipped(reader),
    });
  },
  *lines({ reader, checkpoint }, values) {
    const limit = values.limit ?? DEFAULT_LIMIT;
    const options = { order: values.order ?? 'newest', ...(limit === 0 ? {} : { limit }) } as const;
    for (const event of reader.events(toFilter(values), options)) {
      checkpoint();
      yield `${escapeJson(toJson(event))}\n`;
    }
  },
});
