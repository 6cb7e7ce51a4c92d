/** `GET /api/v1/live` */

import { filterParameters, toFilter } from './filters.ts';
import type { LiveHub } from './live.ts';
import { type ParameterTable, parseParameters } from './parameter.ts';
import type { Handler } from './server.ts';

export const LIVE_PATH = '/api/v1/live';

const { since: _since, until: _until, ...present } = filterParameters;
/** There is no period to choose: it begins now. */
export const liveParameters = present satisfies ParameterTable;

export const liveHandler =
  (hub: LiveHub): Handler =>
  ({ request, response, path, query }) => {
    if (path !== LIVE_PATH) return false;
    const filter = toFilter(parseParameters(liveParameters, query));
    if (request.method === 'HEAD') response.writeHead(200, { 'Content-Type': 'text/event-stream' }).end();
    else hub.add(response, filter);
    return true;
  };
