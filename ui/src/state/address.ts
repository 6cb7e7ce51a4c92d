/** The view as the address of the page holds it: a link shows a colleague the same, and the back button works. */

export const TABS = ['breakdown', 'events', 'incidents', 'topology', 'connection', 'live'] as const;
export type Tab = (typeof TABS)[number];

/** Filters, named as the flags of the command line and the parameters of the API. */
export const FILTERS = [
  'kind',
  'cause',
  'reason',
  'location',
  'peer',
  'port',
  'process',
  'pid',
  'container',
  'netns',
] as const;
export type FilterName = (typeof FILTERS)[number];
export type Filters = Readonly<Partial<Record<FilterName, string>>>;

export interface View {
  readonly tab: Tab;
  /** `-1h` (up to now), or RFC 3339. */
  readonly since: string;
  /** RFC 3339; absent: now. */
  readonly until?: string | undefined;
  readonly filters: Filters;
  /** Benign drops too. */
  readonly all: boolean;
  readonly order: 'newest' | 'oldest';
  /** The incident whose events are listed. */
  readonly incident?: string | undefined;
  /** Time of the event that is looked at. */
  readonly event?: string | undefined;
  /** Ends of the connection whose story is shown: `10.0.0.2:45678`. */
  readonly src?: string | undefined;
  readonly dst?: string | undefined;
}

const DEFAULT_SINCE = '-1h';

/** Reads the query of an address. What it does not understand it leaves out. */
export function readAddress(search: string): View {
  const parameters = new URLSearchParams(search);
  const text = (name: string): string | undefined => parameters.get(name) || undefined;
  const filters: Partial<Record<FilterName, string>> = {};
  for (const name of FILTERS) {
    const value = text(name);
    if (value !== undefined) filters[name] = value;
  }
  const since = text('since');
  return {
    tab: TABS.find((tab) => tab === text('view')) ?? 'breakdown',
    since: since !== undefined && isTime(since) ? since : DEFAULT_SINCE,
    until: [text('until')].find((until) => until !== undefined && isTime(until)),
    filters,
    all: parameters.has('all'),
    order: text('order') === 'oldest' ? 'oldest' : 'newest',
    incident: text('incident'),
    event: text('event'),
    src: text('src'),
    dst: text('dst'),
  };
}

const isTime = (text: string): boolean => /^-(\d+(ms|s|m|h|d|w))+$/.test(text) || !Number.isNaN(Date.parse(text));

/** The query that {@link readAddress} reads as this view; what is the default is left out. */
export function writeAddress(view: View): string {
  const parameters = new URLSearchParams();
  const set = (name: string, value: string | undefined, usual?: string): void => {
    if (value !== undefined && value !== usual) parameters.set(name, value);
  };
  set('view', view.tab, 'breakdown');
  set('since', view.since, DEFAULT_SINCE);
  set('until', view.until);
  for (const name of FILTERS) set(name, view.filters[name]);
  if (view.all) parameters.set('all', '');
  set('order', view.order, 'newest');
  set('incident', view.incident);
  set('event', view.event);
  set('src', view.src);
  set('dst', view.dst);
  const query = parameters
    .toString()
    .replaceAll('%3A', ':')
    .replace(/=(?=&|$)/g, '');
  return query === '' ? '' : `?${query}`;
}
