/** The parameter `limit` of the queries that have an upper bound. */

import { integer } from '../../base/values.ts';

export const limitParameter = (doc: string, maximum: number, byDefault: number) =>
  ({
    doc,
    schema: { type: 'integer', minimum: 1, maximum, default: byDefault },
    parse: integer('limit', 1, maximum),
  }) as const;
