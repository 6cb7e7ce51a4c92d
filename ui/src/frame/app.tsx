/** The page as a whole. */

import { Breakdown } from '../breakdown/breakdown.tsx';
import { Timeline } from '../chart/timeline.tsx';
import { Detail } from '../events/detail.tsx';
import { Events } from '../events/list.tsx';
import { Incidents } from '../incidents/incidents.tsx';
import { Live } from '../live/live.tsx';
import { series, status } from '../state/data.ts';
import { gaps } from '../state/gaps.ts';
import { zone } from '../state/settings.ts';
import { span, view } from '../state/view.ts';
import { Connection } from '../story/connection.tsx';
import { TopologyView } from '../topology/topology.tsx';
import { Announcer } from './announcer.tsx';
import { FilterBar } from './filter-bar.tsx';
import { Header } from './header.tsx';
import { Help } from './help.tsx';
import { PeriodBar } from './period-bar.tsx';
import { ProblemNote, ProblemPage } from './problem.tsx';
import { Summary } from './summary.tsx';
import { Tabs } from './tabs.tsx';

export function App() {
  const problem = status.value.problem;
  return (
    <>
      <a class="skip" href="#main">
        To the answer
      </a>
      <Header />
      {!problem && <Controls />}
      <main id="main" tabIndex={-1}>
        {problem ? <ProblemPage problem={problem} /> : view.value.tab === 'live' ? <Live /> : <Record />}
      </main>
      <Help />
      <Announcer />
    </>
  );
}

const Controls = () => (
  <section class="controls" aria-label="Period and filters">
    <PeriodBar />
    <FilterBar />
  </section>
);

function Record() {
  const { data, problem, isLoading } = series.value;
  return (
    <>
      {problem && <ProblemNote problem={problem} />}
      <div class={isLoading && data ? 'stale' : ''}>
        <Timeline series={data} span={span.value} gaps={gaps.value} zone={zone.value} />
      </div>
      <Summary />
      <Tabs />
      <div class="below">
        <Chosen />
        <Detail />
      </div>
    </>
  );
}

function Chosen() {
  switch (view.value.tab) {
    case 'events':
      return <Events />;
    case 'incidents':
      return <Incidents />;
    case 'topology':
      return <TopologyView />;
    case 'connection':
      return <Connection />;
    default:
      return <Breakdown />;
  }
}
