/** One event with all its fields; each that can filter does. */

import { useEffect, useRef } from 'preact/hooks';
import type { EventPage, JsonEvent, Kind } from '../api/types.ts';
import { endpointText, visible } from '../format/text.ts';
import { afterNs, dayText, eventClock, parseTime, zoneText } from '../format/time.ts';
import { ProblemNote } from '../frame/problem.tsx';
import { FILTERS, type FilterName } from '../state/address.ts';
import { resource } from '../state/resource.ts';
import { zone } from '../state/settings.ts';
import { navigate, toggleFilter, view } from '../state/view.ts';
import { CAUSE_MEANING, CLASS_MEANING } from './meaning.ts';
import { events } from './pages.ts';
import { wordsOf } from './words.ts';

/** The API's description of itself, for what the fields mean; asked when the first event is opened. */
interface Description {
  readonly components: {
    readonly schemas: Readonly<
      Record<string, { readonly properties?: Readonly<Record<string, { readonly description?: string }>> }>
    >;
  };
}
const description = resource<Description>(() =>
  view.value.event === undefined ? undefined : { path: 'openapi.json', parameters: {} },
);
const meaningOfField = (kind: Kind, name: string): string | undefined =>
  description.value.data?.components.schemas[kind]?.properties?.[name]?.description?.replaceAll('`', '');

/** Asked only when the list does not hold it, as after following a link. */
const alone = resource<EventPage>(() => {
  const time = view.value.event;
  if (time === undefined || events.value.some((event) => event.time === time)) return undefined;
  return { path: 'events', parameters: { since: time, until: afterNs(time), all: '1', limit: '1' } };
});

export function Detail() {
  const time = view.value.event;
  if (time === undefined) return null;
  const event = [...events.value, ...(alone.value.data?.events ?? [])].find((one) => one.time === time);
  return <Panel key={time} event={event} />;
}

function Panel({ event }: { event: JsonEvent | undefined }) {
  const title = useRef<HTMLHeadingElement>(null);
  useEffect(() => title.current?.focus({ preventScroll: true }), []);
  return (
    <aside class="detail" aria-labelledby="detail-title">
      <button type="button" class="close" onClick={() => navigate({ event: undefined })} aria-label="Close">
        ×
      </button>
      <h2 id="detail-title" ref={title} tabIndex={-1}>
        {event ? <Title event={event} /> : 'Event'}
      </h2>
      {event && <Body event={event} />}
      {!event && alone.value.problem && <ProblemNote problem={alone.value.problem} />}
      {!event && !alone.value.isLoading && !alone.value.problem && <p class="nothing">it is no longer in the store</p>}
    </aside>
  );
}

function Title({ event }: { event: JsonEvent }) {
  const { label, what, tone } = wordsOf(event);
  return (
    <>
      <span class={`tone ${tone}`}>{label}</span> {visible(what)}
    </>
  );
}

function Body({ event }: { event: JsonEvent }) {
  const ms = parseTime(event.time);
  const meaning = meaningOf(event);
  return (
    <>
      <p class="quiet">
        {dayText(ms, zone.value)} {eventClock(event.time, zone.value)} {zoneText(ms, zone.value)}
      </p>
      {meaning && <p class="meaning">{meaning}</p>}
      <StoryLink event={event} />
      <dl class="fields">
        {Object.entries(event).map(([name, value]) => (
          <FieldLine key={name} kind={event.kind} name={name} value={value} />
        ))}
      </dl>
    </>
  );
}

function meaningOf(event: JsonEvent): string | undefined {
  if (event.kind === 'retransmit') return CAUSE_MEANING[event.cause];
  return event.kind === 'drop' ? CLASS_MEANING[event.class] : undefined;
}

/** Both ends of an event's connection as the API takes them; undefined where one is not known. */
export function endsOf(event: JsonEvent): { src: string; dst: string } | undefined {
  if (event.kind === 'coverage') return undefined;
  const { src, sport, dst, dport } = event;
  if (src === undefined || sport === undefined || dst === undefined || dport === undefined) return undefined;
  return { src: endpointText(src, sport), dst: endpointText(dst, dport) };
}

function StoryLink({ event }: { event: JsonEvent }) {
  const ends = endsOf(event);
  if (!ends) return null;
  return (
    <p>
      <button type="button" class="action" onClick={() => navigate({ tab: 'connection', ...ends, event: undefined })}>
        The story of this connection
      </button>
    </p>
  );
}

/** Fields whose value filters under another name. */
const FILTER_OF: Record<string, FilterName> = { src: 'peer', dst: 'peer', sport: 'port', dport: 'port' };
const filterOf = (name: string): FilterName | undefined => FILTER_OF[name] ?? FILTERS.find((filter) => filter === name);

function FieldLine({ kind, name, value }: { kind: Kind; name: string; value: unknown }) {
  if (name === 'time' || name === 'kind') return null;
  const text = visible(String(value));
  const filter = filterOf(name);
  return (
    <div title={meaningOfField(kind, name)}>
      <dt>{name}</dt>
      <dd>
        {filter ? (
          <button
            type="button"
            class="value"
            aria-pressed={view.value.filters[filter] === String(value)}
            onClick={() => toggleFilter(filter, String(value))}
          >
            {text}
          </button>
        ) : (
          text
        )}
      </dd>
    </div>
  );
}
