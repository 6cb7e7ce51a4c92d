/** Everything the page asks, each while it is shown. */

import { computed, effect } from '@preact/signals';
import type { EventPage, Incident, Series, Status, TopDimension, Topology, TopRow } from '../api/types.ts';
import { parseTime } from '../format/time.ts';
import type { Tab } from './address.ts';
import { stepFor } from './period.ts';
import { filterParameters, periodParameters, queryParameters } from './query.ts';
import { type Request, resource } from './resource.ts';
import { clockAhead, span, tick, view } from './view.ts';

const whileOn =
  (tabs: readonly Tab[], request: () => Request): (() => Request | undefined) =>
  () =>
    tabs.includes(view.value.tab) ? request() : undefined;

/** Asked again at each tick: it is how the page learns that the recorder is down. */
export const status = resource<Status>(() => ({ path: 'status', parameters: {}, again: tick.value }));
effect(() => {
  const data = status.value.data;
  if (!data) return;
  const ahead = parseTime(data.now) - Date.now();
  // A difference below this is the way of the answer.
  if (Math.abs(ahead - clockAhead.peek()) > 2000) clockAhead.value = ahead;
});

/** As many bars fit a screen and still are told apart. */
const MOST_BARS = 180;
export const step = computed(() => stepFor(span.value, MOST_BARS));

export const series = resource<Series>(() =>
  view.value.tab === 'live'
    ? undefined
    : { path: 'series', parameters: { ...queryParameters.value, step: String(step.value / 1000) } },
);

/** Rows of one table. */
export const TABLE_ROWS = 50;
const top = (by: TopDimension) =>
  resource<{ rows: readonly TopRow[] }>(
    whileOn(['breakdown'], () => ({
      path: 'top',
      parameters: { ...queryParameters.value, by, limit: String(TABLE_ROWS) },
    })),
  );
/** In the order in which they are asked: the first three are one sum to the server. */
export const tables = {
  process: top('process'),
  container: top('container'),
  netns: top('netns'),
  peer: top('peer'),
  reason: top('reason'),
  location: top('location'),
  cause: top('cause'),
} as const satisfies Record<TopDimension, unknown>;

export const PAGE_EVENTS = 500;
export const newestPage = resource<EventPage>(
  whileOn(['events'], () => {
    const { incident, order } = view.value;
    const limit = String(PAGE_EVENTS);
    if (incident !== undefined) {
      const { all: _, ...filters } = filterParameters.value;
      return { path: `incidents/${encodeURIComponent(incident)}/events`, parameters: { ...filters, limit } };
    }
    return { path: 'events', parameters: { ...queryParameters.value, order, limit } };
  }),
);

export const topology = resource<Topology>(
  whileOn(['topology'], () => ({ path: 'topology', parameters: queryParameters.value })),
);

export const incidents = resource<{ incidents: readonly Incident[]; more: boolean }>(
  whileOn(['incidents'], () => {
    // Benign drops are in no incident.
    const { all: _, ...parameters } = queryParameters.value;
    return { path: 'incidents', parameters };
  }),
);

export { filterParameters, periodParameters };
