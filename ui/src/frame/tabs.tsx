/** What is shown below the time line. */

import { TABS, type Tab } from '../state/address.ts';
import { navigate, view } from '../state/view.ts';

const NAMES: Record<Tab, string> = {
  breakdown: 'Breakdown',
  events: 'Events',
  incidents: 'Incidents',
  topology: 'Topology',
  connection: 'Connection',
  live: 'Live',
};

export function Tabs() {
  const { tab: chosen, src } = view.value;
  const shown = TABS.filter((tab) => tab !== 'live' && (tab !== 'connection' || src !== undefined));
  return (
    <nav class="tabs" aria-label="Views">
      {shown.map((tab) => (
        <button
          type="button"
          key={tab}
          aria-current={tab === chosen ? 'page' : undefined}
          onClick={() => navigate({ tab, event: undefined, incident: undefined })}
        >
          {NAMES[tab]}
        </button>
      ))}
    </nav>
  );
}
