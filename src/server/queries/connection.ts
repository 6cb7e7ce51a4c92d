/** `GET /api/v1/connection` */

import { escapeJson } from '../../base/escape.ts';
import { parseSocketAddress } from '../../base/socket-address.ts';
import { connectionStory, storyJson } from '../../explain/explain.ts';
import { hostNetns } from '../../linux/host-netns.ts';
import { defineEndpoint } from '../endpoint.ts';
import { filterParameters, toFilter } from '../filters.ts';
import { incidentSchema } from '../incident-schema.ts';
import { eventSchema } from '../schemas.ts';

const FATES = ['lost', 'unsent', 'needless', 'unknown'];

const end = (doc: string) =>
  ({
    doc,
    schema: { type: 'string', examples: ['10.0.0.9:443', '[2001:db8::1]:443'] },
    parse: parseSocketAddress,
    required: true,
  }) as const;

const parameters = {
  src: end('One end of the connection: address and port.'),
  dst: end('The other end.'),
  since: filterParameters.since,
  until: filterParameters.until,
} as const;

export const connection = defineEndpoint({
  path: '/api/v1/connection',
  summary: 'the story of one connection: what was lost, sent again and reset, in order, with a verdict on each',
  parameters,
  isLong: true,
  schema: {
    type: 'object',
    required: ['a', 'b', 'steps', 'summary', 'incidents'],
    properties: {
      a: { type: 'string', description: 'One end.' },
      b: { type: 'string', description: 'The other end.' },
      steps: {
        type: 'array',
        items: {
          type: 'object',
          required: ['event', 'way', 'text', 'fate'],
          properties: {
            event: eventSchema,
            way: { type: 'string', enum: ['right', 'left'], description: 'From a to b, or back.' },
            text: { type: 'string', description: 'What happened, in words.' },
            verdict: { type: 'string', description: 'Why it was sent again, in words.' },
            fate: { type: 'string', enum: FATES, description: 'What became of the packet.' },
          },
        },
      },
      summary: { type: 'array', items: { type: 'string' }, description: 'What it amounts to.' },
      incidents: { type: 'array', items: incidentSchema },
    },
  },
  answer: ({ reader, now }, { src, dst, ...period }) => {
    const { since, until } = toFilter(period);
    const asked = { ...(since === undefined ? {} : { since }), ...(until === undefined ? {} : { until }) };
    return escapeJson(storyJson(connectionStory(reader, src, dst, asked, { now, ...hostNetns() })));
  },
});
