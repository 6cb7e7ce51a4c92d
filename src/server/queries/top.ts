/** `GET /api/v1/top` */

import { choice } from '../../base/values.ts';
import { TOP_DIMENSIONS } from '../../event/filter.ts';
import { netnsNamesOf } from '../../store/recorded-names.ts';
import { defineEndpoint } from '../endpoint.ts';
import { filterParameters, toFilter } from '../filters.ts';
import { countSchema, leftOutSchema, skippedSchema } from '../schemas.ts';
import { limitParameter } from './limit.ts';
import { leftOut, skipped } from './remarks.ts';

const DEFAULT_LIMIT = 20;
const MAX_LIMIT = 1000;

const parameters = {
  ...filterParameters,
  by: {
    doc: 'What to count by.',
    schema: { type: 'string', enum: TOP_DIMENSIONS },
    parse: choice('dimension', TOP_DIMENSIONS),
    required: true,
  },
  limit: limitParameter('How many rows at most.', MAX_LIMIT, DEFAULT_LIMIT),
} as const;

export const top = defineEndpoint({
  path: '/api/v1/top',
  summary: 'who lost the most',
  parameters,
  schema: {
    type: 'object',
    required: ['by', 'rows', 'leftOut'],
    properties: {
      by: { type: 'string', enum: TOP_DIMENSIONS },
      rows: {
        type: 'array',
        description: 'Most lost first.',
        items: {
          type: 'object',
          required: ['events', 'retransmissions', 'segments', 'bytes', 'drops', 'resets'],
          properties: {
            key: { type: 'string', description: 'What they have in common; absent where it is not known.' },
            netnsName: { type: 'string', description: 'Name of the network namespace, by=netns.' },
            events: countSchema('All of them.'),
            retransmissions: countSchema('Resent packets as the kernel built them.'),
            segments: countSchema('TCP segments in them; 0 where that is not known.'),
            bytes: countSchema('Payload bytes in them.'),
            drops: countSchema('Dropped packets; benign ones only with all=true.'),
            resets: countSchema('Resets.'),
          },
        },
      },
      leftOut: leftOutSchema,
      skipped: skippedSchema,
    },
  },
  answer: ({ reader }, { by, limit, ...values }) => {
    const filter = toFilter(values);
    const rows = reader.top(filter, by, limit ?? DEFAULT_LIMIT);
    const names = by === 'netns' ? netnsNamesOf(reader, filter, rows) : new Map<string, string>();
    const named = rows.map(({ key, ...counts }) => {
      const netnsName = key === undefined ? undefined : names.get(key);
      return { ...(key === undefined ? {} : { key }), ...(netnsName === undefined ? {} : { netnsName }), ...counts };
    });
    return JSON.stringify({ by, rows: named, leftOut: leftOut(reader, filter), ...skipped(reader) });
  },
});
