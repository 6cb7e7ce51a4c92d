/** The description of the API for programs (OpenAPI 3.1), made from the table of endpoints. */

import { endpoints } from './endpoints.ts';
import { LIVE_PATH, liveParameters } from './live-handler.ts';
import { METRICS_PATH } from './metrics.ts';
import type { ParameterTable, Schema } from './parameter.ts';
import { JSON_TYPE, reply } from './reply.ts';
import { components, countSchema, eventSchema, timeSchema } from './schemas.ts';
import type { Handler } from './server.ts';

export const OPENAPI_PATH = '/api/v1/openapi.json';

const ERRORS: Readonly<Record<string, string>> = {
  400: 'Wrong use.',
  401: 'The token is missing.',
  404: 'There is no such thing, or no store.',
  503: 'A bound was met: too many at once, or the answer takes too long or too much memory.',
};

/** The whole document. @param version of losslog */
export function openApi(version: string): Schema {
  const paths = Object.fromEntries(
    endpoints.map(({ path, summary, parameters, schema, lines }) => [
      path,
      operation(path, summary, parameters, {
        'application/json': { schema },
        ...(lines ? { 'application/x-ndjson': { schema: eventSchema } } : {}),
      }),
    ]),
  );
  return {
    openapi: '3.1.0',
    info: {
      title: 'losslog',
      version,
      summary: 'What was lost on this host: retransmissions, drops and resets, who they hit, where and why.',
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [{ url: '/' }],
    paths: {
      ...paths,
      [LIVE_PATH]: operation(LIVE_PATH, 'events as they are recorded', liveParameters, {
        'text/event-stream': {
          schema: {
            description:
              'Server-sent events. `events`: an array of events, ten times a second at most. `lost`: how many this client was not sent. `heartbeat`: the time, every 5 s.',
            oneOf: [
              { type: 'array', title: 'events', items: eventSchema },
              { type: 'object', title: 'lost', properties: { count: countSchema('Events.') } },
              { type: 'object', title: 'heartbeat', properties: { now: timeSchema('Time of this host.') } },
            ],
          },
        },
      }),
      [METRICS_PATH]: operation(
        METRICS_PATH,
        'metrics for Prometheus',
        {},
        { 'text/plain': { schema: { type: 'string' } } },
      ),
    },
    components: {
      schemas: components,
      securitySchemes: {
        token: { type: 'http', scheme: 'bearer', description: 'Where the server is not bound to loopback.' },
      },
    },
    security: [{}, { token: [] }],
  };
}

function operation(path: string, summary: string, parameters: ParameterTable, content: object): object {
  const error = { content: { 'application/json': { schema: { $ref: '#/components/schemas/error' } } } };
  const errors = Object.entries(ERRORS).map(([status, description]) => [status, { description, ...error }]);
  const given = Object.entries(parameters).map(([name, { doc, schema, several, required }]) => ({
    name,
    in: path.includes(`{${name}}`) ? 'path' : 'query',
    description: doc,
    ...(required ? { required: true } : {}),
    schema: several ? { type: 'array', items: schema } : schema,
  }));
  return {
    get: {
      operationId: path
        .replace(/^\/(api\/v1\/)?/, '')
        .replace(/\W+(\w)/g, (_, letter: string) => letter.toUpperCase())
        .replace(/\W+$/, ''),
      summary,
      ...(given.length > 0 ? { parameters: given } : {}),
      responses: { 200: { description: 'The answer.', content }, ...Object.fromEntries(errors) },
    },
  };
}

export function openApiHandler(version: string): Handler {
  let document: string | undefined;
  return ({ response, path }) => {
    if (path !== OPENAPI_PATH) return false;
    document ??= `${JSON.stringify(openApi(version), undefined, 2)}\n`;
    reply(response, 200, JSON_TYPE, document);
    return true;
  };
}
