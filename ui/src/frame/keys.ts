/** Keys that work anywhere but in a field. */

import { TABS, type Tab } from '../state/address.ts';
import { panned, zoomed } from '../state/period.ts';
import { switchTheme, switchZone } from '../state/settings.ts';
import { navigate, now, showSpan, span, view } from '../state/view.ts';
import { FILTER_FIELD } from './filter-bar.tsx';
import { isHelpOpen } from './help.tsx';

const showTab = (tab: Tab): void => navigate({ tab, event: undefined, incident: undefined });

const ACTIONS: Record<string, () => void> = {
  ArrowLeft: () => showSpan(panned(span.value, -0.5, now.value)),
  ArrowRight: () => showSpan(panned(span.value, 0.5, now.value)),
  '+': () => showSpan(zoomed(span.value, 0.5)),
  '=': () => showSpan(zoomed(span.value, 0.5)),
  '-': () => showSpan(zoomed(span.value, 2)),
  '0': () => navigate({ since: '-1h', until: undefined }),
  '1': () => showTab(TABS[0]),
  '2': () => showTab(TABS[1]),
  '3': () => showTab(TABS[2]),
  '4': () => showTab(TABS[3]),
  l: () => showTab(view.value.tab === 'live' ? 'breakdown' : 'live'),
  '/': () => document.getElementById(FILTER_FIELD)?.focus(),
  '?': () => {
    isHelpOpen.value = true;
  },
  u: switchZone,
  t: switchTheme,
  Escape: () => navigate({ event: undefined }),
};

/** Time does not move under the live view, nor by keys that a focused part uses itself. */
const IN_RECORD_ONLY = new Set(['ArrowLeft', 'ArrowRight', '+', '=', '-', '0']);

export function listenToKeys(): void {
  addEventListener('keydown', (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || isHelpOpen.value) return;
    if (event.target instanceof HTMLElement && event.target.matches('input, select, textarea')) {
      if (event.key === 'Escape') event.target.blur();
      return;
    }
    const action = ACTIONS[event.key];
    if (!action || (view.value.tab === 'live' && IN_RECORD_ONLY.has(event.key))) return;
    event.preventDefault();
    action();
  });
}
