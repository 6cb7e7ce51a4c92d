/** The view: what the address says, and the time that it is resolved against. */

import { computed, effect, signal } from '@preact/signals';
import { rfc3339 } from '../format/time.ts';
import { type FilterName, readAddress, type View, writeAddress } from './address.ts';
import { type Span, spanOf } from './period.ts';

export const view = signal<View>(readAddress(location.search));
addEventListener('popstate', () => {
  view.value = readAddress(location.search);
});

/** How far the server's clock is ahead of this browser's, in milliseconds: periods are of the server's time. */
export const clockAhead = signal(0);
export const tick = signal(Date.now());
/** Now by the server's clock, as of the last tick. */
export const now = computed(() => tick.value + clockAhead.value);

/** Whether the period ends now, and so moves on. */
export const isFollowing = computed(() => view.value.until === undefined);

const TICK_MS = 10_000;
setInterval(() => {
  if (!document.hidden) tick.value = Date.now();
}, TICK_MS);
effect(() => {
  // Another view is asked up to now, not up to the last tick.
  if (view.value.until === undefined) tick.value = Date.now();
});

export const refresh = (): void => {
  tick.value = Date.now();
};

export const span = computed<Span>(() => spanOf(view.value.since, view.value.until, now.value));

/** Steps of panning that follow one another this fast are one step of the history. */
const ONE_STEP_MS = 800;
let lastMoved = 0;

/** Shows another view, as a step of the history that the back button takes back. */
export function navigate(change: Partial<View>): void {
  const next = { ...view.value, ...change };
  const address = writeAddress(next);
  if (address === writeAddress(view.value)) return;
  const isMove =
    change.since !== undefined && Object.keys(change).every((name) => name === 'since' || name === 'until');
  const replace = isMove && performance.now() - lastMoved < ONE_STEP_MS;
  lastMoved = isMove ? performance.now() : 0;
  history[replace ? 'replaceState' : 'pushState'](null, '', address === '' ? location.pathname : address);
  view.value = next;
}

export const showSpan = ({ from, until }: Span): void => navigate({ since: rfc3339(from), until: rfc3339(until) });

/** Sets a filter, or takes it away again where it has that value already. */
export function toggleFilter(name: FilterName, value: string): void {
  const { [name]: old, ...rest } = view.value.filters;
  navigate({ filters: old === value ? rest : { ...rest, [name]: value }, event: undefined });
}

export function removeFilter(name: FilterName): void {
  const { [name]: _, ...rest } = view.value.filters;
  navigate({ filters: rest });
}

/** The address of this view with its times fixed, for a colleague who looks later. */
export function linkToView(): string {
  const { from, until } = span.value;
  return new URL(
    writeAddress({ ...view.value, since: rfc3339(from), until: rfc3339(until) }),
    location.origin + location.pathname,
  ).href;
}
