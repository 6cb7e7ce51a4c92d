/** Incidents: what happened, whom it hit, what it rests on, and what to do. */

import { shortContainerId } from '../../../src/event/container-id.ts';
import type { Incident } from '../api/types.ts';
import { countText, plural, visible } from '../format/text.ts';
import { clockText, dayText, durationText, parseTime, rfc3339 } from '../format/time.ts';
import { ProblemNote } from '../frame/problem.tsx';
import type { FilterName } from '../state/address.ts';
import { incidents } from '../state/data.ts';
import { zone } from '../state/settings.ts';
import { navigate, toggleFilter } from '../state/view.ts';

export function Incidents() {
  const { data, problem } = incidents.value;
  if (problem) return <ProblemNote problem={problem} />;
  if (!data) return <p class="nothing inset">…</p>;
  if (data.incidents.length === 0) {
    return (
      <p class="nothing inset">
        No incident in this period: what was lost, if anything, fits no rule, or is too little for one.
      </p>
    );
  }
  return (
    <ol class="incidents">
      {data.incidents.map((incident) => (
        <li key={incident.incident}>
          <IncidentView incident={incident} />
        </li>
      ))}
      {data.more && <li class="nothing">There are lesser ones: a shorter period or a filter shows them.</li>}
    </ol>
  );
}

export function IncidentView({ incident }: { incident: Incident }) {
  const { title, sureness, restsOn, alternatives, advice } = incident;
  return (
    <article class="incident">
      <header>
        <h2>{visible(title)}</h2>
        <When incident={incident} />
        <Amounts incident={incident} />
        <Spark counts={incident.timeline.events} />
        <button type="button" class="action" onClick={() => show(incident)}>
          Show these events
        </button>
      </header>
      <div class="evidence">
        <h3>
          <span class={`sureness ${sureness}`}>{sureness}</span>, because
        </h3>
        <Sentences of={restsOn} />
        {alternatives.length > 0 && (
          <>
            <h3>It could also be</h3>
            <Sentences of={alternatives} />
          </>
        )}
      </div>
      <div class="advice">
        <h3>What to do</h3>
        <ul>
          {advice.map(({ text, command }) => (
            <li key={text}>
              {visible(text)}
              {command !== undefined && <code class="command">{visible(command)}</code>}
            </li>
          ))}
        </ul>
      </div>
      <Hit incident={incident} />
    </article>
  );
}

function When({ incident: { from, until } }: { incident: Incident }) {
  const begin = parseTime(from);
  return (
    <p class="when">
      {dayText(begin, zone.value)} {clockText(begin, zone.value)}{' '}
      <span class="quiet">for {durationText(Math.max(1, parseTime(until) - begin))}</span>
    </p>
  );
}

function Amounts({ incident }: { incident: Incident }) {
  const { segments, drops, resets, counted, lossRatio } = incident;
  const parts = [
    segments > 0 && <b class="resent">{plural(segments, 'segment')} resent</b>,
    drops > 0 && <b class="dropped">{plural(drops, 'drop')}</b>,
    resets > 0 && <b class="reset">{plural(resets, 'reset')}</b>,
    counted > 0 && <span>{countText(counted)} more by counters of the kernel</span>,
    lossRatio !== undefined && <span>{(100 * lossRatio).toFixed(2)} % of what was sent</span>,
  ].filter(Boolean);
  return <p class="amounts">{parts}</p>;
}

function Spark({ counts }: { counts: readonly number[] }) {
  const most = Math.max(1, ...counts);
  return (
    <svg class="spark" viewBox={`0 0 ${Math.max(1, counts.length)} 1`} preserveAspectRatio="none" aria-hidden="true">
      {counts.map((count, at) => (
        <rect key={at} x={at + 0.08} width={0.84} y={1 - count / most} height={count / most} />
      ))}
    </svg>
  );
}

const Sentences = ({ of }: { of: readonly string[] }) => (
  <ul>
    {of.map((sentence) => (
      <li key={sentence}>{visible(sentence)}</li>
    ))}
  </ul>
);

function Hit({ incident }: { incident: Incident }) {
  const { reason, location, device, netnsName, direction } = incident;
  const place = [reason, location, device, netnsName, direction].filter(Boolean).join(', ');
  return (
    <div class="hit">
      <h3>Whom it hit</h3>
      <p class="quiet">{plural(incident.connections, 'connection')}</p>
      <Names title="processes" by="process" of={incident.processes.map(({ process, events }) => [process, events])} />
      <Names
        title="containers"
        by="container"
        of={incident.containers.map(({ container, events }) => [container, events])}
      />
      <Names title="peers" by="peer" of={incident.peers.map(({ peer, events }) => [peer, events])} />
      <p>
        <span class="quiet">at </span>
        {place === '' ? 'an unknown place' : visible(place)}
      </p>
    </div>
  );
}

interface NamesProps {
  readonly title: string;
  readonly by: FilterName;
  readonly of: readonly (readonly [string, number])[];
}

function Names({ title, by, of }: NamesProps) {
  if (of.length === 0) return null;
  return (
    <p>
      <span class="quiet">{title} </span>
      {of.map(([name, events]) => (
        <button type="button" class="value" key={name} onClick={() => toggleFilter(by, name)}>
          {visible(shortContainerId(name))} <span class="quiet">{countText(events)}</span>
        </button>
      ))}
    </p>
  );
}

/** The events that it rests on, in its time. */
function show({ incident, from, until }: Incident): void {
  // The end is not included; the last event is to be.
  navigate({ tab: 'events', incident, since: from, until: rfc3339(parseTime(until) + 1) });
}
