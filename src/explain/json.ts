/** An incident as one JSON object; docs/why.md lists the names. */

import { formatWall } from '../base/time.ts';
import { toJson } from '../event/json.ts';
import type { Counted, Incident, Story } from './types.ts';

/** One line, without the newline. */
export function incidentJson(incident: Incident): string {
  const { id, rule, title, sureness, place, hit, amount, harm, timeline, restsOn, alternatives, advice } = incident;
  return JSON.stringify({
    from: formatWall(incident.from),
    until: formatWall(incident.until),
    kind: 'incident',
    incident: id,
    rule,
    title,
    sureness,
    harm,
    ...(incident.harmless ? { harmless: true } : {}),
    ...(incident.examined === undefined ? {} : { examined: incident.examined }),
    ...place,
    ...amount,
    connections: hit.connections,
    processes: hit.processes.map(named('process')),
    containers: hit.containers.map(named('container')),
    peers: hit.peers.map(named('peer')),
    timeline: {
      from: formatWall(timeline.from),
      stepMs: Number(timeline.stepNs / 1_000_000n),
      events: timeline.counts,
    },
    restsOn,
    alternatives,
    advice,
  });
}

const named =
  (key: string) =>
  ({ name, events }: Counted): Record<string, string | number> => ({ [key]: name, events });

/** A story as one line, its events as `show --json` prints them. */
export function storyJson({ a, b, steps, summary, incidents }: Story): string {
  const told = steps.map(({ event, ...rest }) => `{"event":${toJson(event)},${JSON.stringify(rest).slice(1)}`);
  const head = `"a":${JSON.stringify(a)},"b":${JSON.stringify(b)},"steps":[${told.join(',')}]`;
  return `{${head},"summary":${JSON.stringify(summary)},"incidents":[${incidents.map(incidentJson).join(',')}]}`;
}
