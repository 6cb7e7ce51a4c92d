/** `GET /api/v1/incidents` and `GET /api/v1/incidents/{id}/events` */

import { escapeJson } from '../../base/escape.ts';
import { nonEmpty } from '../../base/values.ts';
import { toJson } from '../../event/json.ts';
import { evidenceOf, explainPeriod, incidentJson } from '../../explain/explain.ts';
import { hostNetns } from '../../linux/host-netns.ts';
import { defineEndpoint } from '../endpoint.ts';
import { filterParameters, toFilter } from '../filters.ts';
import { incidentSchema } from '../incident-schema.ts';
import { eventSchema, skippedSchema } from '../schemas.ts';
import { limitParameter } from './limit.ts';
import { listAnswer } from './list-answer.ts';
import { skipped } from './remarks.ts';

const DEFAULT_LIMIT = 50;
const MAX_LIMIT = 500;
const DEFAULT_EVENTS = 500;
const MAX_EVENTS = 10_000;

const listParameters = {
  ...filterParameters,
  all: { ...filterParameters.all, doc: 'Harmless incidents too: what was sent again without need and cost nothing.' },
  limit: limitParameter('How many at most, the greatest harm first.', MAX_LIMIT, DEFAULT_LIMIT),
} as const;

export const incidents = defineEndpoint({
  path: '/api/v1/incidents',
  summary: 'what happened: incidents with their evidence, how sure they are, and what to do',
  parameters: listParameters,
  isLong: true,
  schema: {
    type: 'object',
    required: ['incidents', 'more'],
    properties: {
      incidents: { type: 'array', items: incidentSchema },
      more: { type: 'boolean', description: 'There are lesser ones.' },
      skipped: skippedSchema,
    },
  },
  answer: ({ reader, now }, { limit: most = DEFAULT_LIMIT, all, ...values }) => {
    const known = explainPeriod(reader, toFilter(values), { now, ...hostNetns() });
    const found = all ? known : known.filter(({ harmless }) => !harmless);
    const lines = found.slice(0, most).map((incident) => escapeJson(incidentJson(incident)));
    return listAnswer('incidents', lines, { more: found.length > most, ...skipped(reader) });
  },
});

const { since: _since, until: _until, all: _all, ...whatFilters } = filterParameters;
const eventParameters = {
  ...whatFilters,
  id: { doc: 'The `incident` of an incident.', schema: { type: 'string' }, parse: nonEmpty, required: true },
  limit: limitParameter('How many events at most, the oldest first.', MAX_EVENTS, DEFAULT_EVENTS),
} as const;

export const incidentEvents = defineEndpoint({
  path: '/api/v1/incidents/{id}/events',
  summary: 'the events that an incident rests on, as far as they pass the filters with which it was found',
  parameters: eventParameters,
  isLong: true,
  schema: {
    type: 'object',
    required: ['events', 'more'],
    properties: {
      events: { type: 'array', items: eventSchema },
      more: { type: 'boolean', description: 'There are further ones.' },
      skipped: skippedSchema,
    },
  },
  answer: ({ reader, now }, { id, limit: most = DEFAULT_EVENTS, ...values }) => {
    const lines: string[] = [];
    for (const event of evidenceOf(reader, id, toFilter(values), { now, ...hostNetns() })) {
      if (lines.length > most) break;
      lines.push(escapeJson(toJson(event)));
    }
    return listAnswer('events', lines.slice(0, most), { more: lines.length > most, ...skipped(reader) });
  },
});
