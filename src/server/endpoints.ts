/** The one table of endpoints that are answered from the store. */

import type { Endpoint } from './endpoint.ts';
import { connection } from './queries/connection.ts';
import { coverage } from './queries/coverage.ts';
import { events } from './queries/events.ts';
import { incidentEvents, incidents } from './queries/incidents.ts';
import { series } from './queries/series.ts';
import { status } from './queries/status.ts';
import { top } from './queries/top.ts';
import { topology } from './queries/topology.ts';

export const endpoints: readonly Endpoint[] = [
  status,
  events,
  series,
  top,
  coverage,
  incidents,
  incidentEvents,
  connection,
  topology,
];

export interface Found {
  endpoint: Endpoint;
  /** The parts of the path that stand for a parameter. */
  fromPath: Readonly<Record<string, string>>;
}

/** The endpoint that a path (without the query) names. */
export function endpointAt(path: string): Found | undefined {
  for (const endpoint of endpoints) {
    const fromPath = matched(endpoint.path.split('/'), path.split('/'));
    if (fromPath) return { endpoint, fromPath };
  }
  return undefined;
}

function matched(pattern: readonly string[], parts: readonly string[]): Record<string, string> | undefined {
  if (pattern.length !== parts.length) return undefined;
  const found: Record<string, string> = {};
  for (const [i, expected] of pattern.entries()) {
    const part = parts[i] as string;
    const name = /^\{(\w+)\}$/.exec(expected)?.[1];
    if (name === undefined ? part !== expected : part === '') return undefined;
    if (name !== undefined) found[name] = decoded(part);
  }
  return found;
}

/** A part that is not well-formed names nothing, and is handed on as it is. */
function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
