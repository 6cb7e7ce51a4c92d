/** `GET /api/v1/coverage` */

import { escapeJson } from '../../base/escape.ts';
import type { WallNs } from '../../base/time.ts';
import { toJson } from '../../event/json.ts';
import type { Session, StoreReader } from '../../store/store.ts';
import { coverageEvents, type Stretch } from '../../store/stretches.ts';
import { defineEndpoint } from '../endpoint.ts';
import { filterParameters } from '../filters.ts';
import { coverageSchema, skippedSchema } from '../schemas.ts';
import { skipped } from './remarks.ts';

export const coverage = defineEndpoint({
  path: '/api/v1/coverage',
  summary: 'when the recorder was running, and what it could not see',
  parameters: { since: filterParameters.since, until: filterParameters.until },
  schema: {
    type: 'object',
    required: ['stretches'],
    properties: { stretches: { type: 'array', items: coverageSchema }, skipped: skippedSchema },
  },
  answer: ({ reader, now }, { since, until }) => {
    const { begins, sessions } = reader.coverage();
    const stretches = coverageJson(reader, sessions, { from: since ?? begins ?? now, until: until ?? now }, now);
    const rest = JSON.stringify(skipped(reader)).slice(1);
    return `{"stretches":${stretches}${rest === '}' ? '' : ','}${rest}`;
  },
});

/** The stretches as a JSON array. */
export function coverageJson(reader: StoreReader, sessions: readonly Session[], asked: Stretch, now: WallNs): string {
  const events = coverageEvents(reader, sessions, asked, now);
  return `[${events.map((event) => escapeJson(toJson(event))).join(',')}]`;
}
