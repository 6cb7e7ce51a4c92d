/** `GET /api/v1/status` */

import { formatWall } from '../../base/time.ts';
import { isAlive } from '../../store/stretches.ts';
import { defineEndpoint } from '../endpoint.ts';
import { skippedSchema, timeSchema } from '../schemas.ts';
import { skipped } from './remarks.ts';

const text = (description: string) => ({ type: 'string', description }) as const;

export const status = defineEndpoint({
  path: '/api/v1/status',
  summary: 'whether a recorder runs, and since when there is a history',
  parameters: {},
  schema: {
    type: 'object',
    required: ['version', 'storeDir', 'now', 'recorder', 'live'],
    properties: {
      version: text('Version of losslog.'),
      storeDir: text('Where the store is.'),
      now: timeSchema('Time of this host.'),
      begins: timeSchema('Since when the store has a history; absent when it is empty.'),
      recorder: {
        type: 'object',
        required: ['state'],
        properties: {
          state: { type: 'string', enum: ['recording', 'down'] },
          since: timeSchema('When its latest run began.'),
          lastSeen: timeSchema('When it last stored something, or noted that it lives.'),
          kernel: text('Release of the kernel.'),
          host: text('Name of the host.'),
          filter: text('What it was told to record only.'),
        },
      },
      live: { type: 'boolean', description: 'Whether /api/v1/live is there.' },
      skipped: skippedSchema,
    },
  },
  answer: ({ reader, storeDir, now, version }) => {
    const begins = reader.begins();
    const session = reader.latestSession();
    const recorder = session && {
      since: formatWall(session.started),
      lastSeen: formatWall(session.lastNs),
      kernel: session.kernel,
      host: session.host,
      ...(session.filter === undefined ? {} : { filter: session.filter }),
    };
    return JSON.stringify({
      version,
      storeDir,
      now: formatWall(now),
      ...(begins === undefined ? {} : { begins: formatWall(begins) }),
      recorder: { state: session && isAlive(session, now) ? 'recording' : 'down', ...recorder },
      live: true,
      ...skipped(reader),
    });
  },
});
