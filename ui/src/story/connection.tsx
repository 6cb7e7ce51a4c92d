/** The story of one connection as a sequence diagram: time goes down, packets go across. */

import { useState } from 'preact/hooks';
import type { Story, StoryStep } from '../api/types.ts';
import { visible } from '../format/text.ts';
import { clockText, dayText, durationText, elapsedMs, eventClock, parseTime } from '../format/time.ts';
import { ProblemNote } from '../frame/problem.tsx';
import { IncidentView } from '../incidents/incidents.tsx';
import { periodParameters } from '../state/query.ts';
import { resource } from '../state/resource.ts';
import { zone } from '../state/settings.ts';
import { view } from '../state/view.ts';
import { Arrows, STEP_PX } from './arrows.tsx';

const story = resource<Story>(() => {
  const { tab, src, dst } = view.value;
  if (tab !== 'connection' || src === undefined || dst === undefined) return undefined;
  return { path: 'connection', parameters: { ...periodParameters.value, src, dst } };
});

/** Steps drawn at once. */
const MOST_STEPS = 300;

export function Connection() {
  const { data, problem } = story.value;
  const [shown, setShown] = useState(MOST_STEPS);
  if (problem) return <ProblemNote problem={problem} />;
  if (!data) return <p class="nothing inset">…</p>;
  const steps = data.steps.slice(0, shown);
  const [first] = steps;
  return (
    <section class="story" aria-label="Story of a connection">
      <h2>
        {visible(data.a)} <span class="quiet">and</span> {visible(data.b)}
      </h2>
      {data.summary.map((sentence) => (
        <p key={sentence}>{visible(sentence)}</p>
      ))}
      {!first && <p class="nothing">nothing of this connection was recorded in this period</p>}
      {first && (
        <p class="quiet">
          {dayText(parseTime(first.event.time), zone.value)}, from {clockText(parseTime(first.event.time), zone.value)}
        </p>
      )}
      {first && <Diagram a={data.a} b={data.b} steps={steps} />}
      {data.steps.length > shown && (
        <button type="button" class="action" onClick={() => setShown(shown + MOST_STEPS)}>
          {data.steps.length - shown} further steps
        </button>
      )}
      {data.incidents.map((incident) => (
        <IncidentView key={incident.incident} incident={incident} />
      ))}
    </section>
  );
}

function Diagram({ a, b, steps }: { a: string; b: string; steps: readonly StoryStep[] }) {
  return (
    <div class="diagram">
      <p class="end-names" aria-hidden="true">
        <span>{visible(a)}</span>
        <span>{visible(b)}</span>
      </p>
      <Arrows steps={steps} />
      <ol>
        {steps.map((step, at) => (
          <li key={`${step.event.time} ${step.text}`} style={{ height: `${STEP_PX}px` }}>
            <span class="at">
              {eventClock(step.event.time, zone.value).slice(0, -3)}
              <span class="since">{sinceText(steps[at - 1], step)}</span>
            </span>
            <span class="said">
              {visible(step.text)}
              {step.verdict !== undefined && <span class="verdict">{visible(step.verdict)}</span>}
            </span>
          </li>
        ))}
      </ol>
    </div>
  );
}

function sinceText(previous: StoryStep | undefined, { event }: StoryStep): string {
  if (!previous) return '';
  return `+${durationText(Math.max(0, elapsedMs(previous.event.time, event.time)))}`;
}
